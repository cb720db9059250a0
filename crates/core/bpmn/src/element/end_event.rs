//! End events.

use super::{Body, event, mapping_only};
use crate::compile::Draft;
use crate::diagnostic::Report;
use crate::model::Kind;
use crate::tree::Tree;

/// What happens where a token's way ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndEvent {
    /// Nothing more.
    None,
}

impl EndEvent {
    /// The value of `bpmnEventType` in records.
    pub const fn event_type(self) -> &'static str {
        match self {
            Self::None => "NONE",
        }
    }
}

pub(super) fn compile(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Option<Body> {
    let mut mapping = mapping_only(tree, draft, report);
    if !event::is_none(tree, draft, report) {
        return None;
    }
    // A none end event is passed through; only its output mappings run.
    mapping.drop_inputs(tree, draft, report);
    Some(Body { kind: Kind::EndEvent(EndEvent::None), mapping })
}
