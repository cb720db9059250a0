//! Intermediate throw events.

use super::{Body, Job, event, mapping_only};
use crate::compile::Draft;
use crate::diagnostic::Report;
use crate::model::Kind;
use crate::tree::Tree;

/// What a token sets off on its way.
#[derive(Clone, Debug)]
pub enum ThrowEvent {
    /// Nothing.
    None,
    /// A message, which a worker sends.
    Message(Box<Job>),
}

impl ThrowEvent {
    /// The value of `bpmnEventType` in records.
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Message(_) => "MESSAGE",
        }
    }
}

pub(super) fn compile(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Option<Body> {
    let mut mapping = mapping_only(tree, draft, report);
    let event = match event::thrown(tree, draft, &["message"], report)? {
        event::NOTHING => {
            // Nothing is evaluated before it is left.
            mapping.drop_inputs(tree, draft, report);
            ThrowEvent::None
        }
        _ => ThrowEvent::Message(Box::new(Job::read(tree, draft.node, report)?)),
    };
    Some(Body { kind: Kind::ThrowEvent(event), mapping })
}
