//! Receive tasks: a token waits for a message.

use super::trigger::{self, Trigger};
use super::{Body, activity};
use crate::compile::{Draft, Drafts};
use crate::diagnostic::Report;
use crate::extension;
use crate::model::Kind;
use crate::tree::Tree;

pub(super) fn compile(
    tree: &Tree<'_>,
    drafts: &Drafts<'_>,
    draft: &Draft<'_>,
    report: &mut Report,
) -> Option<Body> {
    extension::judge(tree, draft.node, draft.tag, report);
    activity::check(tree, draft, report);
    let mapping = extension::io_mapping(tree, draft.node, report);
    let message = trigger::message(tree, drafts, draft.node, true, report)?;
    Some(Body { kind: Kind::ReceiveTask(Box::new(Trigger::Message(message))), mapping })
}
