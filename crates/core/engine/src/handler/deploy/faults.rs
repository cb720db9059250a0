//! What is wrong with a request, gathered before anything is done.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use coreto_record::Rejection;

use crate::handler::quoted;

pub(super) const PROCESS_ID: &str = "process id";
pub(super) const DECISION_ID: &str = "decision id";
pub(super) const REQUIREMENTS_ID: &str = "decision requirements id";

/// All that is wrong with the resources of a request.
#[derive(Default)]
pub(super) struct Faults {
    text: String,
    ids: BTreeSet<(&'static str, Arc<str>)>,
}

impl Faults {
    /// Something is wrong with a resource.
    pub(super) fn add(&mut self, resource: &str, fault: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        write!(self.text, "{}: {fault}", quoted(resource)).expect("writing to a string does not fail");
    }

    /// An id of a kind may stand in a request once, also over several resources.
    pub(super) fn check_unique(&mut self, resource: &str, kind: &'static str, id: &Arc<str>) {
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
