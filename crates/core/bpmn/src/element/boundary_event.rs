//! Boundary events.

use super::trigger::Trigger;
use super::{Body, event, mapping_only};
use crate::compile::{Draft, Drafts};
use crate::diagnostic::Report;
use crate::model::{ElementNumber, Kind};
use crate::tree::Tree;

/// What happens to an activity.
#[derive(Clone, Debug)]
pub struct BoundaryEvent {
    /// The activity that it is attached to.
    pub host: ElementNumber,
    /// Whether the activity ends.
    pub interrupting: bool,
    /// What it waits for.
    pub trigger: Trigger,
}

pub(super) fn compile(
    tree: &Tree<'_>,
    drafts: &Drafts<'_>,
    draft: &Draft<'_>,
    report: &mut Report,
) -> Option<Body> {
    let mut mapping = mapping_only(tree, draft, report);
    // What it gets comes with what happened; nothing is evaluated before it is left.
    mapping.drop_inputs(tree, draft, report);
    if !event::waits(tree, draft, report)? {
        event::missing(tree, draft, report);
        return None;
    }
    let trigger = Trigger::read(tree, drafts, draft, report)?;
    // Without a host it is refused by the rules of deployment.
    let host = ElementNumber(host(tree, drafts, draft)?);
    let interrupting = event::interrupts(tree, draft);
    Some(Body { kind: Kind::BoundaryEvent(Box::new(BoundaryEvent { host, interrupting, trigger })), mapping })
}

/// The element that a boundary event is attached to.
pub(crate) fn host(tree: &Tree<'_>, drafts: &Drafts<'_>, draft: &Draft<'_>) -> Option<u32> {
    let node = drafts.ids.referenced(tree.attribute(draft.node, "attachedToRef")?)?;
    drafts.index_of(node)
}
