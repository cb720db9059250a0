//! What all events have in common: their event definitions.

use coreto_xml::NodeId;

use crate::compile::Draft;
use crate::diagnostic::{Code, Report};
use crate::tree::Tree;
use crate::vocabulary::{self, Tag};

/// Whether an event has no event definition. One that is not built, or not possible here, is reported.
pub(super) fn is_none(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> bool {
    match trigger(tree, draft, report) {
        Trigger::None => true,
        Trigger::One(what) => {
            refuse_trigger(tree, draft, what, report);
            false
        }
        Trigger::Several => false,
    }
}

/// Reports an event of a kind that is not built.
pub(super) fn refuse(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) {
    let place = tree.place(draft.node);
    let noun = draft.tag.noun();
    match trigger(tree, draft, report) {
        Trigger::None if draft.tag == Tag::IntermediateThrowEvent => {
            report.refuse(place, &format!("none {noun}"));
        }
        Trigger::None => {
            let message = format!("the {noun} has no event definition");
            report.error(Code::EventDefinition, place, message).help("say what it waits for");
        }
        Trigger::One(what) => refuse_trigger(tree, draft, what, report),
        Trigger::Several => (),
    }
}

fn refuse_trigger(tree: &Tree<'_>, draft: &Draft<'_>, what: &str, report: &mut Report) {
    let place = tree.place(draft.node);
    if allowed(draft, what) {
        report.refuse(place, &format!("{what} {}", draft.tag.noun()));
    } else {
        let message = format!("{} cannot have an event definition for {what}", draft.tag.a_noun());
        report.error(Code::EventDefinition, place, message);
    }
}

enum Trigger {
    None,
    One(&'static str),
    /// More than one, or a reference to one elsewhere, which was reported.
    Several,
}

/// Event definitions of an event: their nodes, and what they are called.
pub(crate) fn definition_nodes<'t, 'a>(
    tree: &'t Tree<'a>,
    node: NodeId,
) -> impl Iterator<Item = (NodeId, &'static str)> + use<'t, 'a> {
    tree.children(node)
        .filter(|child| tree.is_bpmn(*child))
        .filter_map(|child| Some((child, vocabulary::trigger(tree.local(child))?)))
}

/// Event definitions of an event, by what they are called.
pub(crate) fn definitions<'t, 'a>(
    tree: &'t Tree<'a>,
    node: NodeId,
) -> impl Iterator<Item = &'static str> + use<'t, 'a> {
    definition_nodes(tree, node).map(|(_, what)| what)
}

fn trigger(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Trigger {
    let place = tree.place(draft.node);
    if tree.children_named(draft.node, "eventDefinitionRef").next().is_some() {
        report.refuse(place, "reference to an event definition");
        return Trigger::Several;
    }
    let mut all = definitions(tree, draft.node);
    match (all.next(), all.next()) {
        (None, _) => Trigger::None,
        (Some(what), None) => Trigger::One(what),
        (Some(_), Some(_)) => {
            let message = format!("the {} has more than one event definition", draft.tag.noun());
            report.error(Code::EventDefinition, place, message).help("keep one; draw one event for each");
            Trigger::Several
        }
    }
}

/// Whether BPMN has such an event at such a place.
fn allowed(draft: &Draft<'_>, trigger: &str) -> bool {
    match draft.tag {
        Tag::StartEvent if draft.scope == 0 => {
            matches!(trigger, "message" | "timer" | "signal" | "conditional")
        }
        Tag::StartEvent => {
            matches!(
                trigger,
                "message" | "timer" | "signal" | "conditional" | "error" | "escalation" | "compensation"
            )
        }
        Tag::IntermediateCatchEvent => {
            matches!(trigger, "message" | "timer" | "signal" | "conditional" | "link")
        }
        Tag::IntermediateThrowEvent => {
            matches!(trigger, "message" | "signal" | "escalation" | "compensation" | "link")
        }
        Tag::BoundaryEvent => !matches!(trigger, "link" | "terminate"),
        Tag::EndEvent => !matches!(trigger, "timer" | "conditional" | "link"),
        _ => false,
    }
}
