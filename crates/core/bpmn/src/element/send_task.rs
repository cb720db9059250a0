//! Send tasks: a job for a worker that sends something.

use super::{Body, Job, activity};
use crate::compile::Draft;
use crate::diagnostic::Report;
use crate::extension;
use crate::model::Kind;
use crate::tree::Tree;

pub(super) fn compile(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Option<Body> {
    extension::judge(tree, draft.node, draft.tag, report);
    activity::check(tree, draft, report);
    let mapping = extension::io_mapping(tree, draft.node, report);
    let job = Job::read(tree, draft.node, report)?;
    Some(Body { kind: Kind::SendTask(Box::new(job)), mapping })
}
