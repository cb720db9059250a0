//! Link events, which join two places of one scope by name.

use std::collections::BTreeSet;

use crate::compile::{Draft, Drafts};
use crate::diagnostic::{Code, Report};
use crate::element::definition_nodes;
use crate::tree::Tree;
use crate::vocabulary::Tag;

pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    let mut catches = BTreeSet::new();
    for (draft, name) in links(tree, drafts, Tag::IntermediateCatchEvent) {
        if name.is_empty() {
            report.rule(Code::LinkEvent, tree.place(draft.node), "the link event has no name");
        } else if !catches.insert((draft.scope, name)) {
            let message = format!("link `{name}` is caught twice in its scope");
            report.rule(Code::LinkEvent, tree.place(draft.node), message);
        }
    }
    for (draft, name) in links(tree, drafts, Tag::IntermediateThrowEvent) {
        if name.is_empty() {
            report.rule(Code::LinkEvent, tree.place(draft.node), "the link event has no name");
        } else if !catches.contains(&(draft.scope, name)) {
            let message = format!("link `{name}` is not caught in its scope");
            report.rule(Code::LinkEvent, tree.place(draft.node), message);
        }
    }
}

/// Link events of one kind, and the names of their links.
fn links<'d, 't>(
    tree: &'d Tree<'_>,
    drafts: &'d Drafts<'t>,
    tag: Tag,
) -> impl Iterator<Item = (&'d Draft<'t>, &'d str)> {
    drafts.all.iter().filter(move |draft| draft.tag == tag).flat_map(move |draft| {
        definition_nodes(tree, draft.node)
            .filter(|(_, what)| *what == "link")
            .map(move |(definition, _)| (draft, tree.attribute(definition, "name").unwrap_or_default()))
    })
}
