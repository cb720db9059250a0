//! How a process and a subprocess begin.

use crate::compile::{Draft, Drafts};
use crate::diagnostic::{Code, Report};
use crate::element::definitions;
use crate::tree::Tree;
use crate::vocabulary::Tag;

/// What stands directly inside one scope.
#[derive(Clone, Copy, Default)]
struct Content<'d, 't> {
    flow_nodes: usize,
    end_events: usize,
    starts: usize,
    none_starts: usize,
    /// The second none start event.
    surplus: Option<&'d Draft<'t>>,
}

pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    let contents = contents(tree, drafts);
    for (draft, content) in drafts.all.iter().zip(&contents) {
        match draft.tag {
            Tag::Process => process(tree, draft, content, report),
            Tag::SubProcess | Tag::Transaction if tree.flag(draft.node, "triggeredByEvent") => {
                event_subprocess(tree, draft, content, report);
            }
            Tag::SubProcess | Tag::Transaction => subprocess(tree, draft, content, report),
            Tag::AdHocSubProcess => ad_hoc(tree, draft, content, report),
            _ => (),
        }
    }
}

fn contents<'d, 't>(tree: &Tree<'_>, drafts: &'d Drafts<'t>) -> Vec<Content<'d, 't>> {
    let mut contents = vec![Content::default(); drafts.all.len()];
    for draft in &drafts.all[1..] {
        let content = &mut contents[draft.scope as usize];
        content.flow_nodes += usize::from(draft.tag != Tag::SequenceFlow);
        content.end_events += usize::from(draft.tag == Tag::EndEvent);
        if draft.tag == Tag::StartEvent {
            content.starts += 1;
            if definitions(tree, draft.node).next().is_none() {
                content.none_starts += 1;
                if content.none_starts == 2 {
                    content.surplus = Some(draft);
                }
            }
        }
    }
    contents
}

fn process(tree: &Tree<'_>, draft: &Draft<'_>, content: &Content<'_, '_>, report: &mut Report) {
    if content.starts == 0 {
        report
            .rule(Code::NoStartEvent, tree.place(draft.node), "the process has no start event")
            .help("add a start event at the top level of the process");
    }
    if let Some(surplus) = content.surplus {
        report
            .rule(
                Code::SeveralNoneStartEvents,
                tree.place(surplus.node),
                "the process has more than one none start event",
            )
            .help("keep one, or give the others a message, timer or signal");
    }
}

fn subprocess(tree: &Tree<'_>, draft: &Draft<'_>, content: &Content<'_, '_>, report: &mut Report) {
    if (content.starts, content.none_starts) != (1, 1) {
        let message = format!("the {} needs exactly one start event, a none start event", draft.tag.noun());
        report.rule(Code::SubprocessStart, tree.place(draft.node), message);
    }
}

fn event_subprocess(tree: &Tree<'_>, draft: &Draft<'_>, content: &Content<'_, '_>, report: &mut Report) {
    if (content.starts, content.none_starts) != (1, 0) {
        let message = "the event subprocess needs exactly one start event, with an event definition";
        report.rule(Code::SubprocessStart, tree.place(draft.node), message);
    }
}

fn ad_hoc(tree: &Tree<'_>, draft: &Draft<'_>, content: &Content<'_, '_>, report: &mut Report) {
    let place = tree.place(draft.node);
    if content.flow_nodes == 0 {
        report.rule(Code::SubprocessStart, place, "the ad-hoc subprocess has no element to activate");
    }
    if content.starts > 0 || content.end_events > 0 {
        report.rule(Code::SubprocessStart, place, "the ad-hoc subprocess has a start or end event");
    }
}
