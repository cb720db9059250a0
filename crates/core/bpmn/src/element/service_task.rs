//! Service tasks, and the job that they create.

use std::sync::Arc;

use coreto_xml::NodeId;

use super::{Body, activity};
use crate::compile::Draft;
use crate::diagnostic::Report;
use crate::extension;
use crate::model::Kind;
use crate::text::Text;
use crate::tree::Tree;

/// The job that an element creates for a worker.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which workers may take it; must come to a string.
    pub job_type: Text,
    /// How often it may be tried; must come to a number, whose integer part counts.
    pub retries: Text,
    /// Fixed keys and values for the worker, in document order, never evaluated.
    pub headers: Box<[(Arc<str>, Arc<str>)]>,
    /// The headers as one JSON object without blanks.
    pub headers_json: Arc<str>,
}

pub(super) fn compile(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Option<Body> {
    extension::judge(tree, draft.node, draft.tag, report);
    activity::check(tree, draft, report);
    let mapping = extension::io_mapping(tree, draft.node, report);
    let job = Job::read(tree, draft.node, report)?;
    Some(Body { kind: Kind::ServiceTask(Box::new(job)), mapping })
}

impl Job {
    /// Reads the job that an element creates.
    pub(super) fn read(tree: &Tree<'_>, node: NodeId, report: &mut Report) -> Option<Self> {
        let headers = extension::task_headers(tree, node, report);
        let definition = extension::task_definition(tree, node, report)?;
        Some(Self {
            job_type: definition.job_type,
            retries: definition.retries,
            headers_json: extension::headers_json(&headers),
            headers,
        })
    }
}
