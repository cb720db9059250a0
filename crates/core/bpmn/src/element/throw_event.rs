//! Intermediate throw events.

use super::{Body, Job, event, mapping_only, trigger};
use crate::compile::{Draft, Drafts};
use crate::diagnostic::Report;
use crate::model::Kind;
use crate::text::Text;
use crate::tree::Tree;

/// What a token sets off on its way.
#[derive(Clone, Debug)]
pub enum ThrowEvent {
    /// Nothing.
    None,
    /// A message, which a worker sends.
    Message(Box<Job>),
    /// A signal, by its name; must come to a string.
    Signal(Box<Text>),
}

impl ThrowEvent {
    /// The value of `bpmnEventType` in records.
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Message(_) => "MESSAGE",
            Self::Signal(_) => "SIGNAL",
        }
    }
}

pub(super) fn compile(
    tree: &Tree<'_>,
    drafts: &Drafts<'_>,
    draft: &Draft<'_>,
    report: &mut Report,
) -> Option<Body> {
    let mut mapping = mapping_only(tree, draft, report);
    let event = match event::thrown(tree, draft, &["message", "signal"], report)? {
        event::NOTHING => {
            // Nothing is evaluated before it is left.
            mapping.drop_inputs(tree, draft, report);
            ThrowEvent::None
        }
        "signal" => ThrowEvent::Signal(Box::new(trigger::thrown_signal(tree, drafts, draft, report)?)),
        _ => ThrowEvent::Message(Box::new(Job::read(tree, draft.node, report)?)),
    };
    Some(Body { kind: Kind::ThrowEvent(event), mapping })
}
