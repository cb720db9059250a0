//! Start events.

use super::{Body, event, mapping_only};
use crate::compile::Draft;
use crate::diagnostic::Report;
use crate::model::Kind;
use crate::tree::Tree;

/// What starts an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartEvent {
    /// A command.
    None,
}

impl StartEvent {
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
    // A start event has no input mappings: nothing is evaluated before it is left.
    mapping.drop_inputs(tree, draft, report);
    Some(Body { kind: Kind::StartEvent(StartEvent::None), mapping })
}
