//! Which errors are caught twice at one place.

use std::collections::BTreeSet;

use coreto_xml::NodeId;

use crate::compile::{Draft, Drafts};
use crate::diagnostic::{Code, Report, Shown};
use crate::element::{definition_nodes, error_code, host};
use crate::tree::Tree;
use crate::vocabulary::Tag;

/// What catches an error: the index of an activity, or that of the scope around event subprocesses.
type At = (bool, u32);

pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    let mut caught = BTreeSet::new();
    for draft in &drafts.all {
        let Some(at) = place(tree, drafts, draft) else { continue };
        for definition in errors(tree, draft) {
            let code = error_code(tree, drafts, definition);
            if caught.insert((at, code)) {
                continue;
            }
            let message = match code {
                Some(code) => format!("the error with code `{}` is caught twice at one place", Shown(code)),
                None => "errors of every code are caught twice at one place".to_owned(),
            };
            report.rule(Code::EventDefinition, tree.place(draft.node), message).help("keep one of them");
        }
    }
}

fn place(tree: &Tree<'_>, drafts: &Drafts<'_>, draft: &Draft<'_>) -> Option<At> {
    match draft.tag {
        Tag::BoundaryEvent => host(tree, drafts, draft).map(|host| (true, host)),
        Tag::StartEvent => {
            let subprocess = &drafts.all[draft.scope as usize];
            tree.flag(subprocess.node, "triggeredByEvent").then_some((false, subprocess.scope))
        }
        _ => None,
    }
}

fn errors(tree: &Tree<'_>, draft: &Draft<'_>) -> impl Iterator<Item = NodeId> {
    definition_nodes(tree, draft.node).filter(|(_, what)| *what == "error").map(|(node, _)| node)
}
