//! How boundary events are attached.

use crate::compile::{Draft, Drafts};
use crate::diagnostic::{Code, Report};
use crate::element::{self, definitions, interrupts};
use crate::tree::Tree;
use crate::vocabulary::Tag;

pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    for draft in drafts.all.iter().filter(|draft| draft.tag == Tag::BoundaryEvent) {
        let host = host(tree, drafts, draft, report);
        kind(tree, draft, host, report);
        flows(tree, draft, report);
    }
}

/// The element that the event is attached to, which must be an activity of the same scope.
fn host<'d, 't>(
    tree: &Tree<'_>,
    drafts: &'d Drafts<'t>,
    draft: &Draft<'_>,
    report: &mut Report,
) -> Option<&'d Draft<'t>> {
    let place = tree.place(draft.node);
    let Some(id) = tree.attribute(draft.node, "attachedToRef").map(str::trim).filter(|id| !id.is_empty())
    else {
        report.rule(Code::BoundaryEvent, place, "the boundary event is attached to nothing");
        return None;
    };
    let Some(index) = element::host(tree, drafts, draft) else {
        let message = format!("`attachedToRef` is `{id}`, which is not in the process");
        report.rule(Code::UnknownReference, place, message);
        return None;
    };
    let host = &drafts.all[index as usize];
    if !host.tag.is_activity() || host.scope != draft.scope {
        let message = format!("the boundary event is attached to `{id}`, which is no activity of its scope");
        report.rule(Code::BoundaryEvent, place, message);
    }
    Some(host)
}

fn flows(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) {
    let place = tree.place(draft.node);
    if !draft.incoming.is_empty() {
        report.rule(Code::BoundaryEvent, place, "a sequence flow leads to the boundary event");
    }
    let compensates = definitions(tree, draft.node).any(|what| what == "compensation");
    if compensates != draft.outgoing.is_empty() {
        let message = if compensates {
            "a sequence flow leaves the compensation boundary event"
        } else {
            "no sequence flow leaves the boundary event"
        };
        report.rule(Code::BoundaryEvent, place, message);
    }
}

/// Whether the event may be of its kind on its activity.
fn kind(tree: &Tree<'_>, draft: &Draft<'_>, host: Option<&Draft<'_>>, report: &mut Report) {
    let place = tree.place(draft.node);
    let goes_on = !interrupts(tree, draft);
    for what in definitions(tree, draft.node) {
        if goes_on && !matches!(what, "message" | "timer" | "signal" | "escalation" | "conditional") {
            let message = format!("a boundary event for {what} cannot be non-interrupting");
            report.rule(Code::BoundaryEvent, place, message);
        }
        let catches = host.is_none_or(|host| host.tag.is_scope() || host.tag == Tag::CallActivity);
        if what == "escalation" && !catches {
            let message = "a boundary event for escalation is attached to a task, which cannot escalate";
            report
                .rule(Code::BoundaryEvent, place, message)
                .help("attach it to a subprocess or call activity");
        }
    }
}
