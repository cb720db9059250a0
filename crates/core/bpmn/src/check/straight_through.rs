//! Loops that never wait: an instance would go round in them for ever.

use crate::compile::Drafts;
use crate::diagnostic::{Code, Report};
use crate::tree::Tree;
use crate::vocabulary::Tag;

/// Most identifiers in one message.
const SHOWN_MAX: usize = 8;

pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    for mut loop_nodes in loops(drafts) {
        loop_nodes.sort_unstable();
        let mut nodes = loop_nodes.iter().map(|index| &drafts.all[*index as usize]);
        // A loop of gateways alone is let through, as the reference does: a condition may end it.
        let Some(task) = nodes.clone().find(|draft| matches!(draft.tag, Tag::Task | Tag::ManualTask)) else {
            continue;
        };
        let mut shown: Vec<String> =
            nodes.by_ref().take(SHOWN_MAX).map(|draft| format!("`{}`", draft.id)).collect();
        if nodes.next().is_some() {
            shown.push("…".to_owned());
        }
        let message = format!("nothing waits in the loop of {}", shown.join(", "));
        report
            .rule(Code::StraightThroughLoop, tree.place(task.node), message)
            .help("put an element in it that waits, such as a service task or a catch event");
    }
}

const fn passes_through(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Task | Tag::ManualTask | Tag::ExclusiveGateway | Tag::InclusiveGateway | Tag::ParallelGateway
    )
}

/// Strongly connected groups of pass-through elements that contain a cycle (Tarjan, with its stack on the heap).
fn loops(drafts: &Drafts<'_>) -> Vec<Vec<u32>> {
    let mut search = Search {
        drafts,
        order: vec![UNSEEN; drafts.all.len()],
        low: vec![UNSEEN; drafts.all.len()],
        is_open: vec![false; drafts.all.len()],
        open: Vec::new(),
        seen: 0,
        found: Vec::new(),
    };
    for (index, draft) in (0..).zip(&drafts.all) {
        if passes_through(draft.tag) && search.order[index as usize] == UNSEEN {
            search.run(index);
        }
    }
    search.found
}

const UNSEEN: u32 = u32::MAX;

struct Search<'d, 't> {
    drafts: &'d Drafts<'t>,
    order: Vec<u32>,
    low: Vec<u32>,
    is_open: Vec<bool>,
    open: Vec<u32>,
    seen: u32,
    found: Vec<Vec<u32>>,
}

impl Search<'_, '_> {
    fn run(&mut self, root: u32) {
        // Each frame is an element and how many of its flows were followed.
        let mut frames = vec![(root, 0)];
        self.enter(root);
        while let Some((index, followed)) = frames.last_mut() {
            let index = *index;
            let draft = &self.drafts.all[index as usize];
            let Some(flow) = draft.outgoing.get(*followed) else {
                frames.pop();
                self.leave(index);
                if let Some((parent, _)) = frames.last() {
                    self.lower(*parent, self.low[index as usize]);
                }
                continue;
            };
            *followed += 1;
            let Some((_, target)) = self.drafts.all[*flow as usize].ends else {
                continue;
            };
            if !passes_through(self.drafts.all[target as usize].tag) {
                continue;
            }
            if self.order[target as usize] == UNSEEN {
                self.enter(target);
                frames.push((target, 0));
            } else if self.is_open[target as usize] {
                self.lower(index, self.order[target as usize]);
            }
        }
    }

    fn enter(&mut self, index: u32) {
        self.order[index as usize] = self.seen;
        self.low[index as usize] = self.seen;
        self.seen += 1;
        self.is_open[index as usize] = true;
        self.open.push(index);
    }

    fn lower(&mut self, index: u32, to: u32) {
        let low = &mut self.low[index as usize];
        *low = (*low).min(to);
    }

    fn leave(&mut self, index: u32) {
        if self.low[index as usize] != self.order[index as usize] {
            return;
        }
        let start = self.open.iter().rposition(|open| *open == index).unwrap_or(0);
        let group = self.open.split_off(start);
        for member in &group {
            self.is_open[*member as usize] = false;
        }
        if group.len() > 1 || self.loops_on_itself(index) {
            self.found.push(group);
        }
    }

    fn loops_on_itself(&self, index: u32) -> bool {
        let outgoing = &self.drafts.all[index as usize].outgoing;
        outgoing
            .iter()
            .any(|flow| self.drafts.all[*flow as usize].ends.is_some_and(|(_, target)| target == index))
    }
}
