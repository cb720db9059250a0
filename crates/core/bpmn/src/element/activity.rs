//! What all activities have in common: markers.

use crate::compile::Draft;
use crate::diagnostic::{Code, Report};
use crate::element::process::boolean;
use crate::tree::Tree;

/// Refuses the markers that are not built, and points at attributes that do nothing.
pub(super) fn check(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) {
    for child in tree.children(draft.node).filter(|child| tree.is_bpmn(*child)) {
        if tree.local(child) == "standardLoopCharacteristics" {
            report.refuse_rule(tree.place(child), "standard loop marker");
        }
    }
    let place = tree.place(draft.node);
    if boolean(tree, draft.node, "isForCompensation", report) == Some(true) {
        report.refuse_rule(place, "compensation marker");
    }
    for quantity in ["startQuantity", "completionQuantity"] {
        if tree.attribute(draft.node, quantity).is_some_and(|value| value.trim() != "1") {
            report.rule(Code::NoEffect, place, format!("`{quantity}` has no effect; one token is one visit"));
        }
    }
    if tree.attribute(draft.node, "default").is_some() {
        let message =
            format!("a default flow has no effect on {}; all its flows are taken", draft.tag.a_noun());
        report.rule(Code::NoEffect, place, message);
    }
}
