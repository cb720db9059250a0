//! When timers are due.

use crate::compile::Drafts;
use crate::diagnostic::{Code, Report};
use crate::element::definition_nodes;
use crate::tree::Tree;

pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    for draft in drafts.all.iter().filter(|draft| draft.tag.is_event()) {
        for (definition, _) in definition_nodes(tree, draft.node).filter(|(_, what)| *what == "timer") {
            let kinds = tree
                .children(definition)
                .filter(|child| tree.is_bpmn(*child))
                .filter(|child| matches!(tree.local(*child), "timeDate" | "timeDuration" | "timeCycle"))
                .filter(|child| !tree.text(*child).trim().is_empty());
            if kinds.count() != 1 {
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
