//! Decisions that require themselves. DMN 1.5, 6.2: requirements graphs are acyclic.

use super::Compiler;
use crate::diagnostic::Code;
use crate::graph::{Decision, Element, Required, Target};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}

impl Compiler<'_, '_> {
    /// Reports every decision that closes a circle; the search keeps its own stack, since graphs may be long.
    pub(super) fn refuse_cycles(&mut self, decisions: &[Decision]) {
        let mut marks = vec![Mark::New; decisions.len()];
        for start in 0..decisions.len() {
            if marks[start] != Mark::New {
                continue;
            }
            marks[start] = Mark::Open;
            let mut open = vec![(start, 0)];
            while let Some((at, next)) = open.pop() {
                let Some(required) = decisions[at].requirements.values.get(next) else {
                    marks[at] = Mark::Done;
                    continue;
                };
                open.push((at, next + 1));
                let Required::One(Target { import: None, element: Element::Decision(required) }) = required
                else {
                    continue;
                };
                // One that has two names stands there twice.
                if next > 0 && decisions[at].requirements.is_same(next - 1, next) {
                    continue;
                }
                match marks[*required] {
                    Mark::Done => (),
                    Mark::New => {
                        marks[*required] = Mark::Open;
                        open.push((*required, 0));
                    }
                    Mark::Open => self.refuse(decisions, at, *required),
                }
            }
        }
    }

    fn refuse(&mut self, decisions: &[Decision], at: usize, required: usize) {
        let message = format!(
            "decision `{}` requires `{}`, which requires it",
            decisions[at].id, decisions[required].id
        );
        self.report.error(Code::RequirementCycle, self.tree.place(self.decisions[at]), message);
    }
}
