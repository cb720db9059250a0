//! Call activities: another process, with an instance of its own.

use super::{Body, activity};
use crate::compile::Draft;
use crate::diagnostic::Report;
use crate::extension;
use crate::model::Kind;
use crate::tree::Tree;

pub(super) fn compile(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Option<Body> {
    extension::judge(tree, draft.node, draft.tag, report);
    activity::check(tree, draft, report);
    let mapping = extension::io_mapping(tree, draft.node, report);
    let called = extension::called_element(tree, draft.node, report)?;
    Some(Body { kind: Kind::CallActivity(Box::new(called)), mapping })
}
