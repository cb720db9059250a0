//! What is wrong with a request, gathered before anything is done.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use coreto_record::Rejection;

use crate::handler::quoted;
use crate::limits::Limits;

pub(super) const PROCESS_ID: &str = "process id";
pub(super) const DECISION_ID: &str = "decision id";
pub(super) const REQUIREMENTS_ID: &str = "decision requirements id";

/// All that is wrong with the resources of a request.
pub(super) struct Faults<'l> {
    limits: &'l Limits,
    text: String,
    ids: BTreeSet<(&'static str, Arc<str>)>,
}

impl<'l> Faults<'l> {
    pub(super) const fn new(limits: &'l Limits) -> Self {
        Self { limits, text: String::new(), ids: BTreeSet::new() }
    }

    /// Something is wrong with a resource.
    pub(super) fn add(&mut self, resource: &str, fault: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        write!(self.text, "{}: {fault}", quoted(resource)).expect("writing to a string does not fail");
    }

    /// An id of a kind is bounded, and may stand in a request once, also over several resources.
    pub(super) fn check_id(&mut self, resource: &str, kind: &'static str, id: &Arc<str>) {
        if let Err(fault) = self.limits.check_name(id) {
            return self.add(resource, &format!("the {kind} {}: {fault}", quoted(id)));
        }
        if !self.ids.insert((kind, Arc::clone(id))) {
            self.add(resource, &format!("the {kind} `{id}` stands in the request more than once"));
        }
    }

    /// Whether an id of a kind stands in the request.
    pub(super) fn knows(&self, kind: &'static str, id: &Arc<str>) -> bool {
        self.ids.contains(&(kind, Arc::clone(id)))
    }

    /// Rejects the request when anything was wrong.
    pub(super) fn finish(self) -> Result<(), Rejection> {
        if self.text.is_empty() { Ok(()) } else { Err(Rejection::invalid_argument(self.text)) }
    }
}
