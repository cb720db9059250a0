//! What all events have in common: their event definitions.

use coreto_xml::NodeId;

use crate::compile::Draft;
use crate::diagnostic::{Code, Report};
use crate::tree::Tree;
use crate::vocabulary::{self, Tag};

/// Whether an event waits for something that is built. Anything else but nothing is reported.
pub(super) fn waits(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Option<bool> {
    match definition(tree, draft, report) {
        Definition::None => Some(false),
        Definition::One(what) if is_built(draft, what) && allowed(draft, what) => Some(true),
        Definition::One(what) => {
            refuse_trigger(tree, draft, what, report);
            None
        }
        Definition::Several => None,
    }
}

/// What an event throws that has no event definition.
pub(super) const NOTHING: &str = "none";

/// What an event throws, [`NOTHING`] without an event definition. What is not among those that are built is reported.
pub(super) fn thrown(
    tree: &Tree<'_>,
    draft: &Draft<'_>,
    built: &[&str],
    report: &mut Report,
) -> Option<&'static str> {
    match definition(tree, draft, report) {
        Definition::None => Some(NOTHING),
        Definition::One(what) if built.contains(&what) && allowed(draft, what) => Some(what),
        Definition::One(what) => {
            refuse_trigger(tree, draft, what, report);
            None
        }
        Definition::Several => None,
    }
}

/// Reports an event that must have an event definition and has none.
pub(super) fn missing(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) {
    let message = format!("the {} has no event definition", draft.tag.noun());
    report.error(Code::EventDefinition, tree.place(draft.node), message).help("say what it waits for");
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

/// Whether an event ends what it happens to: it does unless it says otherwise.
pub(crate) fn interrupts(tree: &Tree<'_>, draft: &Draft<'_>) -> bool {
    let attribute = if draft.tag == Tag::BoundaryEvent { "cancelActivity" } else { "isInterrupting" };
    !matches!(tree.attribute(draft.node, attribute).map(str::trim), Some("false" | "0"))
}

enum Definition {
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

fn definition(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Definition {
    let place = tree.place(draft.node);
    if tree.children_named(draft.node, "eventDefinitionRef").next().is_some() {
        report.refuse(place, "reference to an event definition");
        return Definition::Several;
    }
    let mut all = definitions(tree, draft.node);
    match (all.next(), all.next()) {
        (None, _) => Definition::None,
        (Some(what), None) => Definition::One(what),
        (Some(_), Some(_)) => {
            let message = format!("the {} has more than one event definition", draft.tag.noun());
            report.error(Code::EventDefinition, place, message).help("keep one; draw one event for each");
            Definition::Several
        }
    }
}

/// Whether an event at such a place is built for what its event definition is called.
fn is_built(draft: &Draft<'_>, trigger: &str) -> bool {
    let inside = draft.tag == Tag::BoundaryEvent || draft.tag == Tag::StartEvent && draft.scope != 0;
    matches!(trigger, "timer" | "message" | "signal") || inside && trigger == "error"
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
