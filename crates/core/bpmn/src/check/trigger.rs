//! Events of one scope that wait for the same thing.

use std::collections::BTreeSet;

use crate::compile::{Draft, Drafts};
use crate::diagnostic::{Code, Report, Shown};
use crate::element::{definition_nodes, host};
use crate::tree::Tree;
use crate::vocabulary::Tag;

/// Events among which each must wait for something else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// Start events of the process.
    Starts,
    /// Start events of the event subprocesses in a scope.
    EventSubprocesses(u32),
    /// Events on an activity, and the activity itself.
    Activity(u32),
    /// Events behind an event-based gateway.
    Gateway(u32),
    /// All that waits for messages at one subprocess: it can wait once for each.
    Messages(u32),
}

pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for (index, draft) in drafts.all.iter().enumerate() {
        let groups = groups(tree, drafts, draft, index);
        for (what, name) in names(tree, drafts, draft) {
            let groups =
                groups.iter().filter(|group| what == "message" || !matches!(group, Group::Messages(_)));
            if groups.filter(|group| !seen.insert((**group, what, name))).count() > 0 {
                let message =
                    format!("another event of the same scope waits for the {what} `{}`", Shown(name));
                report
                    .rule(Code::SameTrigger, tree.place(draft.node), message)
                    .help("only one of them could be set off");
            }
        }
    }
}

fn groups(tree: &Tree<'_>, drafts: &Drafts<'_>, draft: &Draft<'_>, index: usize) -> Vec<Group> {
    let number =
        |index: usize| u32::try_from(index).expect("a process has no more elements than its text has bytes");
    match draft.tag {
        Tag::StartEvent if draft.scope == 0 => vec![Group::Starts],
        Tag::StartEvent => {
            let around = drafts.all[draft.scope as usize].scope;
            vec![Group::EventSubprocesses(around), Group::Messages(around)]
        }
        Tag::ReceiveTask => vec![Group::Activity(number(index))],
        Tag::BoundaryEvent => host(tree, drafts, draft)
            .map_or_else(Vec::new, |host| vec![Group::Activity(host), Group::Messages(host)]),
        Tag::IntermediateCatchEvent => {
            let sources = draft.incoming.iter().filter_map(|flow| drafts.all[*flow as usize].ends);
            let gateways = sources
                .map(|(source, _)| source)
                .filter(|source| drafts.all[*source as usize].tag == Tag::EventBasedGateway);
            gateways.map(Group::Gateway).collect()
        }
        _ => Vec::new(),
    }
}

/// What an event waits for by name: its kind, and the name.
fn names<'t>(tree: &'t Tree<'_>, drafts: &Drafts<'_>, draft: &Draft<'_>) -> Vec<(&'static str, &'t str)> {
    let name_of = |node, attribute, element| {
        let root = drafts.ids.referenced(tree.attribute(node, attribute)?);
        let root = root.filter(|root| tree.local(*root) == element)?;
        tree.attribute(root, "name").filter(|name| !name.is_empty())
    };
    let mut names = Vec::new();
    if draft.tag == Tag::ReceiveTask {
        names.extend(name_of(draft.node, "messageRef", "message").map(|name| ("message", name)));
    }
    if draft.tag.is_event() {
        for (definition, _) in definition_nodes(tree, draft.node) {
            for (what, attribute) in [("message", "messageRef"), ("signal", "signalRef")] {
                names.extend(name_of(definition, attribute, what).map(|name| (what, name)));
            }
        }
    }
    names
}
