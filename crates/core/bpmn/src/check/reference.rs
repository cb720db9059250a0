//! References to messages, signals, errors and escalations of the model.

use coreto_xml::NodeId;

use crate::compile::Drafts;
use crate::diagnostic::{Code, Report};
use crate::element::definition_nodes;
use crate::tree::Tree;
use crate::vocabulary::Tag;

/// Attributes that refer to a root element, and the root element that they mean.
const REFERENCES: &[(&str, &str)] = &[
    ("messageRef", "message"),
    ("signalRef", "signal"),
    ("errorRef", "error"),
    ("escalationRef", "escalation"),
];

pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    for draft in &drafts.all {
        if matches!(draft.tag, Tag::ReceiveTask | Tag::SendTask) {
            references(tree, drafts, draft.node, report);
        }
        if draft.tag.is_event() {
            for (definition, _) in definition_nodes(tree, draft.node) {
                references(tree, drafts, definition, report);
            }
        }
    }
}

fn references(tree: &Tree<'_>, drafts: &Drafts<'_>, node: NodeId, report: &mut Report) {
    for (attribute, element) in REFERENCES {
        let Some(name) = tree.attribute(node, attribute).map(str::trim).filter(|name| !name.is_empty())
        else {
            continue;
        };
        if drafts.ids.referenced(name).is_none_or(|found| tree.local(found) != *element) {
            let message = format!("`{attribute}` is `{name}`, which is no {element} of the model");
            report.rule(Code::UnknownReference, tree.place(node), message);
        }
    }
}
