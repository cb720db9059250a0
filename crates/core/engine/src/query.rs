//! Questions about the state, and their answers as plain values.

mod definition;
mod incident;
mod instance;
mod job;

use std::sync::Arc;

use coreto_machine::Caller;
use coreto_record::{DecisionRequirementsKey, Key, ProcessDefinitionKey, ProcessInstanceKey};

use crate::state::{Definition, Requirements, State};

pub use definition::{DefinitionFilter, DefinitionView};
pub use incident::{IncidentFilter, IncidentView};
pub use instance::{ElementView, InstanceDetails, InstanceFilter, InstanceView, VariableView};
pub use job::{JobFilter, JobStateView, JobView};

/// The most entries of one answer.
const PAGE_MAX: usize = 1000;

/// Entries that one question looks at, at most, to find those that match: some milliseconds, for which the commands wait.
const LOOK_MAX: usize = 20_000;

/// Which part of a list; lists are ordered by key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page {
    /// How many at most; 0 for 100, and never more than 1000.
    pub limit: u32,
    /// Only what comes behind this key.
    pub after: u64,
}

impl Page {
    fn limit(self) -> usize {
        match self.limit {
            0 => 100,
            limit => (limit as usize).min(PAGE_MAX),
        }
    }
}

/// A question.
#[derive(Clone, Debug)]
pub enum Query {
    /// How much there is.
    Status,
    /// Process definitions.
    Definitions(DefinitionFilter),
    /// One definition with its executable process, for whoever renders records.
    Definition(ProcessDefinitionKey),
    /// One decision requirements graph with its resource, likewise.
    Requirements(DecisionRequirementsKey),
    /// Running process instances.
    Instances(InstanceFilter),
    /// One process instance with all that it holds.
    Instance(ProcessInstanceKey),
    /// Jobs.
    Jobs(JobFilter),
    /// Unresolved incidents.
    Incidents(IncidentFilter),
}

/// An answer, of the same kind as its question.
#[derive(Debug)]
pub enum Answer {
    /// How much there is.
    Status(StatusView),
    /// Process definitions, and the key to go on behind.
    Definitions(Vec<DefinitionView>, Option<u64>),
    /// One definition, if it is deployed.
    Definition(Option<Arc<Definition>>),
    /// One decision requirements graph, if it is deployed.
    Requirements(Option<Arc<Requirements>>),
    /// Running process instances, and the key to go on behind.
    Instances(Vec<InstanceView>, Option<u64>),
    /// One process instance, if it is running.
    Instance(Option<Box<InstanceDetails>>),
    /// Jobs, and the key to go on behind.
    Jobs(Vec<JobView>, Option<u64>),
    /// Unresolved incidents, and the key to go on behind.
    Incidents(Vec<IncidentView>, Option<u64>),
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusView {
    /// Running process instances.
    pub instances: u64,
    /// Jobs in any state.
    pub jobs: u64,
    /// Unresolved incidents.
    pub incidents: u64,
    /// Process definitions.
    pub definitions: u64,
}

/// Answers a question as the caller may see it.
pub(crate) fn answer(state: &State, caller: &Caller, query: &Query) -> Answer {
    match query {
        Query::Status => Answer::Status(StatusView {
            instances: state.instances.len() as u64,
            jobs: state.job_keys.len() as u64,
            incidents: state.incidents.len() as u64,
            definitions: (state.definitions.len() - deleted(state)) as u64,
        }),
        Query::Definitions(filter) => definition::list(state, caller, filter),
        Query::Definition(key) => Answer::Definition(
            state.definitions.get(key).filter(|definition| caller.sees(definition.record.tenant)),
        ),
        Query::Requirements(key) => Answer::Requirements(
            state.requirements.get(key).filter(|requirements| caller.sees(requirements.record.tenant)),
        ),
        Query::Instances(filter) => instance::list(state, caller, filter),
        Query::Instance(key) => Answer::Instance(instance::details(state, caller, *key).map(Box::new)),
        Query::Jobs(filter) => job::list(state, caller, filter),
        Query::Incidents(filter) => incident::list(state, caller, filter),
    }
}

/// How many process definitions are deleted, though they are kept for what goes on or was recorded of them.
fn deleted(state: &State) -> usize {
    let is_process = |key: &u64| state.definitions.contains(&ProcessDefinitionKey::from_raw(*key));
    state.deletions.range(..).filter(|(key, _)| is_process(key)).count()
}

/// The first matches of a page, and the key to go on behind when there may be more.
fn page<T>(page: Page, entries: impl Iterator<Item = (u64, Option<T>)>) -> (Vec<T>, Option<u64>) {
    let limit = page.limit();
    let mut found = Vec::new();
    let mut last = None;
    for (looked, (key, entry)) in entries.enumerate() {
        if found.len() == limit || looked == LOOK_MAX {
            return (found, last);
        }
        found.extend(entry);
        last = Some(key);
    }
    (found, None)
}

/// What a definition says of an element, for people.
fn element_id(
    state: &State,
    definition: ProcessDefinitionKey,
    element: coreto_record::ElementNumber,
) -> Arc<str> {
    let definition = state.definitions.peek(&definition);
    definition
        .and_then(|definition| definition.element(element))
        .map_or_else(|| Arc::from(""), |element| Arc::clone(&element.id))
}

/// A definition's process id and version.
fn process_of(state: &State, definition: ProcessDefinitionKey) -> (Arc<str>, u32) {
    state.definitions.peek(&definition).map_or_else(
        || (Arc::from(""), 0),
        |definition| (Arc::clone(&definition.record.id), definition.record.version),
    )
}
