//! Where sequence flows may be, and which may have a condition.

use crate::compile::Drafts;
use crate::diagnostic::{Code, Report};
use crate::tree::Tree;
use crate::vocabulary::Tag;

pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    for draft in &drafts.all {
        let place = tree.place(draft.node);
        match draft.tag {
            Tag::StartEvent if !draft.incoming.is_empty() => {
                report.rule(Code::StartEventIncoming, place, "a sequence flow leads to the start event");
            }
            Tag::EndEvent if !draft.outgoing.is_empty() => {
                report
                    .rule(Code::EndEventOutgoing, place, "a sequence flow leaves the end event")
                    .help("draw an intermediate throw event instead");
            }
            Tag::SubProcess if tree.flag(draft.node, "triggeredByEvent") => {
                let message = match (draft.incoming.is_empty(), draft.outgoing.is_empty()) {
                    (true, true) => continue,
                    (false, _) => "a sequence flow leads to the event subprocess",
                    (true, false) => "a sequence flow leaves the event subprocess",
                };
                report
                    .rule(Code::NotAFlowNode, place, message)
                    .help("it begins with its start event, and nothing comes behind it");
            }
            Tag::SequenceFlow => condition(tree, drafts, draft.node, draft.ends, report),
            _ => (),
        }
    }
}

fn condition(
    tree: &Tree<'_>,
    drafts: &Drafts<'_>,
    flow: coreto_xml::NodeId,
    ends: Option<(u32, u32)>,
    report: &mut Report,
) {
    let Some(condition) = tree.children_named(flow, "conditionExpression").next() else {
        return;
    };
    let Some((source, _)) = ends else {
        return;
    };
    let source = &drafts.all[source as usize];
    if !source.tag.takes_conditions() {
        let message = format!("a condition on a flow that leaves {}", source.tag.a_noun());
        report
            .rule(Code::ConditionNotAllowed, tree.place(condition), message)
            .help("conditions stand behind exclusive and inclusive gateways");
    }
}
