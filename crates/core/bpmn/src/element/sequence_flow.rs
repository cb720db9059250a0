//! Sequence flows and their conditions.

use coreto_feel::Expression;
use coreto_xml::NodeId;

use crate::compile::Drafts;
use crate::diagnostic::{Code, Report};
use crate::extension;
use crate::tree::Tree;
use crate::vocabulary::{self, Role, Tag};

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
    let index = drafts.index_of(node);
    let is_flow_node = |tag| !matches!(tag, Tag::SequenceFlow | Tag::Process);
    if let Some(index) = index.filter(|index| is_flow_node(drafts.all[*index as usize].tag)) {
        return Some(index);
    }
    let local = tree.local(node);
    let message = if index.is_none() && matches!(vocabulary::role(local), Role::Flow(_)) {
        format!("`{name}` is `{id}`, which is not in this process")
    } else {
        format!("`{name}` is `{id}`, which is not a flow node but `{local}`")
    };
    report.error(Code::NotAFlowNode, place, message);
    None
}

/// The condition of a flow; what is wrong with it is reported.
pub(crate) fn condition(tree: &Tree<'_>, flow: NodeId, report: &mut Report) -> Option<Expression> {
    let condition = tree.children_named(flow, "conditionExpression").next()?;
    extension::expression(tree, condition, "a condition", tree.text(condition).trim(), report)
}
