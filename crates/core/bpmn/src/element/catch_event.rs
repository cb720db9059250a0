//! Intermediate catch events.

use super::trigger::Trigger;
use super::{Body, event, gateway, mapping_only};
use crate::compile::{Draft, Drafts};
use crate::diagnostic::Report;
use crate::model::Kind;
use crate::tree::Tree;

pub(super) fn compile(
    tree: &Tree<'_>,
    drafts: &Drafts<'_>,
    draft: &Draft<'_>,
    report: &mut Report,
) -> Option<Body> {
    let mut mapping = mapping_only(tree, draft, report);
    if gateway::is_behind(drafts, draft) {
        // What it waits for is evaluated at the gateway, and it is entered when that has happened.
        mapping.drop_inputs(tree, draft, report);
    }
    if !event::waits(tree, draft, report)? {
        event::missing(tree, draft, report);
        return None;
    }
    let trigger = Trigger::read(tree, drafts, draft, report)?;
    Some(Body { kind: Kind::CatchEvent(Box::new(trigger)), mapping })
}
