//! Start events.

use super::trigger::Trigger;
use super::{Body, event, mapping_only};
use crate::compile::{Draft, Drafts};
use crate::diagnostic::Report;
use crate::model::Kind;
use crate::tree::Tree;

/// What starts an instance.
#[derive(Clone, Debug)]
pub enum StartEvent {
    /// A command.
    None,
    /// What it waits for.
    On(Box<Trigger>),
}

impl StartEvent {
    /// The value of `bpmnEventType` in records.
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::On(trigger) => trigger.event_type(),
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
    let start = if event::waits(tree, draft, report)? {
        StartEvent::On(Box::new(Trigger::read(tree, drafts, draft, report)?))
    } else {
        StartEvent::None
    };
    // A start event has no input mappings: nothing is evaluated before it is left.
    mapping.drop_inputs(tree, draft, report);
    Some(Body { kind: Kind::StartEvent(start), mapping })
}
