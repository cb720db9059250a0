//! Sequence flows.

use crate::compile::Drafts;
use crate::diagnostic::{Code, Report};
use crate::tree::{NodeId, Tree};
use crate::vocabulary::Tag;

/// Source and target of a flow as indices into the drafts; what is wrong with them is reported.
pub(crate) fn ends(
    tree: &Tree<'_>,
    flow: NodeId,
    drafts: &Drafts<'_>,
    report: &mut Report,
) -> Option<(u32, u32)> {
    let source = end(tree, flow, "sourceRef", drafts, report);
    let target = end(tree, flow, "targetRef", drafts, report);
    let (source, target) = (source?, target?);
    let scope = |index: u32| drafts.all[index as usize].scope;
    if scope(source) != scope(target) {
        report
            .error(Code::FlowCrossesScope, tree.place(flow), "source and target stand in different scopes")
            .help("a sequence flow stays inside its subprocess; use events to leave it");
        return None;
    }
    Some((source, target))
}

fn end(tree: &Tree<'_>, flow: NodeId, name: &str, drafts: &Drafts<'_>, report: &mut Report) -> Option<u32> {
    let place = tree.place(flow);
    let Some(id) = tree.attribute(flow, name).map(str::trim).filter(|id| !id.is_empty()) else {
        report.error(Code::MissingAttribute, place, format!("the sequence flow has no `{name}`"));
        return None;
    };
    let Some(node) = drafts.ids.get(id) else {
        report.error(Code::UnknownReference, place, format!("`{name}` is `{id}`, which is not in the model"));
        return None;
    };
    let Some(index) = drafts.index_of(node) else {
        let message = if is_in_other_process(tree, node) {
            format!("`{name}` is `{id}`, which is not in this process")
        } else {
            format!("`{name}` is `{id}`, which is not a flow node but `{}`", tree.local(node))
        };
        report.error(Code::NotAFlowNode, place, message);
        return None;
    };
    if matches!(drafts.all[index as usize].tag, Tag::SequenceFlow | Tag::Process) {
        let message = format!("`{name}` is `{id}`, which is not a flow node but `{}`", tree.local(node));
        report.error(Code::NotAFlowNode, place, message);
        return None;
    }
    Some(index)
}

fn is_in_other_process(tree: &Tree<'_>, node: NodeId) -> bool {
    matches!(crate::vocabulary::role(tree.local(node)), crate::vocabulary::Role::Flow(_))
}
