//! When timers are due.

use coreto_xml::NodeId;

use crate::compile::{Draft, Drafts};
use crate::diagnostic::{Code, Report};
use crate::element::{definition_nodes, interrupts};
use crate::tree::Tree;
use crate::vocabulary::Tag;

pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    for draft in drafts.all.iter().filter(|draft| draft.tag.is_event()) {
        for (definition, _) in definition_nodes(tree, draft.node).filter(|(_, what)| *what == "timer") {
            let mut kinds = kinds(tree, definition);
            match (kinds.next(), kinds.next()) {
                (Some("timeCycle"), None) => cycle(tree, drafts, draft, report),
                (Some(_), None) => (),
                (None, _) | (Some(_), Some(_)) => {
                    report
                        .rule(
                            Code::TimerDefinition,
                            tree.place(definition),
                            "the timer does not say when it is due",
                        )
                        .help("give it exactly one of `timeDate`, `timeDuration` and `timeCycle`");
                }
            }
        }
    }
}

/// What the timer says, by the names of the elements.
fn kinds<'t>(tree: &'t Tree<'_>, definition: NodeId) -> impl Iterator<Item = &'t str> {
    tree.children(definition)
        .filter(|child| tree.is_bpmn(*child) && !tree.text(*child).trim().is_empty())
        .map(|child| tree.local(child))
        .filter(|local| matches!(*local, "timeDate" | "timeDuration" | "timeCycle"))
}

/// A cycle stands only where it can be due more than once.
fn cycle(tree: &Tree<'_>, drafts: &Drafts<'_>, draft: &Draft<'_>, report: &mut Report) {
    let once = match draft.tag {
        Tag::IntermediateCatchEvent => true,
        Tag::BoundaryEvent => interrupts(tree, draft),
        Tag::StartEvent => {
            tree.flag(drafts.all[draft.scope as usize].node, "triggeredByEvent") && interrupts(tree, draft)
        }
        _ => false,
    };
    if once {
        let message = format!("the {} is due only once, and has a cycle", draft.tag.noun());
        report
            .rule(Code::TimerDefinition, tree.place(draft.node), message)
            .help("use `timeDuration` or `timeDate`");
    }
}
