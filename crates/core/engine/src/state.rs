//! All that the engine remembers.

mod definition;
mod element;
mod job;
mod variable;

use std::sync::Arc;

use coreto_machine::{HashTable, Index, Table, Tenant, Timestamp};
use coreto_record::event::{IncidentRecord, InstanceBanned, ResultAwaited};
use coreto_record::{
    Document, ElementInstanceKey, IncidentKey, JobKey, Key, ProcessDefinitionKey, ProcessInstanceKey,
};

pub use definition::Definition;
pub(crate) use definition::Latest;
pub(crate) use element::ElementInstance;
pub(crate) use job::{Job, JobState};
pub(crate) use variable::{Name, Named, Variable};

/// What is due: a job's deadline, or the end of its back-off.
pub(crate) type Due = (Timestamp, u8, u64);

/// The deadline of a job that a worker holds.
pub(crate) const DUE_DEADLINE: u8 = 1;
/// The end of a failed job's back-off.
pub(crate) const DUE_BACKOFF: u8 = 2;

coreto_machine::tables! {
    /// All that the engine of a partition remembers.
    pub struct State {
        /// Process definitions, with their resources.
        1 => pub(crate) definitions: Table<ProcessDefinitionKey, Definition>,
        /// The latest version by tenant and process id.
        2 => pub(crate) latest: Table<(Tenant, Arc<str>), Latest>,
        /// Definitions by tenant, process id and version.
        3 => pub(crate) versions: Table<((Tenant, Arc<str>), u32), u64>,
        /// Element instances; the root's key is that of its process instance.
        4 => pub(crate) elements: HashTable<ElementInstanceKey, ElementInstance>,
        /// Variables by scope and name.
        5 => pub(crate) variables: Table<Name, Variable>,
        /// Jobs.
        6 => pub(crate) jobs: HashTable<JobKey, Job>,
        /// Unresolved incidents.
        7 => pub(crate) incidents: Table<IncidentKey, IncidentRecord>,
        /// Who waits for the result of which instance.
        8 => pub(crate) awaited: HashTable<ProcessInstanceKey, ResultAwaited>,
        /// Variables that wait for an element instance to complete.
        9 => pub(crate) triggers: HashTable<ElementInstanceKey, Trigger>,
        /// Instances in which the engine failed.
        10 => pub(crate) banned: HashTable<ProcessInstanceKey, InstanceBanned>,
        /// Children by scope.
        11 => pub(crate) children: Index<(ElementInstanceKey, ElementInstanceKey)>,
        /// Jobs that may be handed out, by type, oldest first.
        12 => pub(crate) activatable: Index<(Arc<str>, JobKey)>,
        /// What is due, earliest first.
        13 => pub(crate) due: Index<Due>,
        /// Root instances.
        14 => pub(crate) instances: Index<ProcessInstanceKey>,
        /// Incidents by element instance.
        15 => pub(crate) incidents_of: Index<(ElementInstanceKey, IncidentKey)>,
        /// Jobs in the order of their keys.
        16 => pub(crate) job_keys: Index<JobKey>,
    }
}

coreto_machine::message! {
    /// Variables that wait for an element instance to complete.
    pub(crate) struct Trigger {
        /// The key of the trigger.
        1 => pub(crate) key: u64,
        /// The variables.
        2 => pub(crate) variables: Document,
    }
}

impl State {
    /// Fills the indexes from the tables.
    fn rebuild(&mut self) {
        let (children, instances) = (&mut self.children, &mut self.instances);
        self.elements.for_each(|key, element| {
            if element.is_root() {
                instances.insert(element.instance);
            } else {
                children.insert((element.scope, *key));
            }
        });
        let (activatable, due, job_keys) = (&mut self.activatable, &mut self.due, &mut self.job_keys);
        self.jobs.for_each(|key, job| {
            job_keys.insert(*key);
            if job.state == JobState::Activatable {
                activatable.insert((Arc::clone(&job.job_type), *key));
            }
            if let Some(entry) = job.due(*key) {
                due.insert(entry);
            }
        });
        for (key, incident) in self.incidents.range(..) {
            self.incidents_of.insert((incident.element_instance, *key));
        }
    }

    /// The children of an element instance from a key on.
    pub(crate) fn children_from(
        &self,
        scope: ElementInstanceKey,
        from: ElementInstanceKey,
    ) -> impl Iterator<Item = ElementInstanceKey> {
        self.children.scan(&(scope, from), move |(parent, _)| *parent == scope).map(|(_, child)| *child)
    }

    /// The unresolved incident of an element instance that has no job behind it, or of its job.
    pub(crate) fn incidents_at(&self, element: ElementInstanceKey) -> impl Iterator<Item = IncidentKey> {
        let first = (element, IncidentKey::from_raw(0));
        self.incidents_of.scan(&first, move |(at, _)| *at == element).map(|(_, incident)| *incident)
    }
}
