//! All that the engine remembers.

mod decision;
mod definition;
mod deletion;
mod distribution;
mod element;
mod job;
mod repetition;
mod subscription;
mod variable;

use std::sync::Arc;

use coreto_machine::{Cell, HashTable, Index, Table, Tenant, Timestamp, table};
use coreto_record::command::EndsAfter;
use coreto_record::event::{
    DecisionCreated, IncidentRecord, InstanceBanned, MessageChanged, MessageSubscription,
    ProcessSubscription, ResultAwaited, SignalSubscription, StartSubscription, TimerChanged,
};
use coreto_record::{
    DecisionKey, DecisionRequirementsKey, Document, ElementInstanceKey, ElementNumber, IncidentKey, JobKey,
    Key, MessageKey, ProcessDefinitionKey, ProcessInstanceKey, SubscriptionKey, TimerKey,
};

pub use decision::Requirements;
pub use definition::Definition;
pub(crate) use definition::{Latest, Tagged};
pub(crate) use deletion::{Deletion, Versioned};
pub(crate) use distribution::Distribution;
pub(crate) use element::ElementInstance;
pub(crate) use job::{Job, JobState};
pub(crate) use repetition::{Items, Loop, LoopOutput};
pub(crate) use subscription::{StartLock, Topic, owner_of, place_of, start_of, topic_of};
pub(crate) use variable::{Name, Named, Variable};

/// What is due: a job's deadline, the end of its back-off, a timer, the end of a message.
pub(crate) type Due = (Timestamp, u8, u64);

/// The deadline of a job that a worker holds.
pub(crate) const DUE_DEADLINE: u8 = 1;
/// The end of a failed job's back-off.
pub(crate) const DUE_BACKOFF: u8 = 2;
/// A timer.
pub(crate) const DUE_TIMER: u8 = 3;
/// When a distribution is answered although a partition stays away.
pub(crate) const DUE_DISTRIBUTION: u8 = 20;
/// The end of a message.
pub(crate) const DUE_MESSAGE: u8 = 4;

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
        /// Decision requirements graphs, with their resources.
        17 => pub(crate) requirements: Table<DecisionRequirementsKey, Requirements>,
        /// The latest version of a graph by tenant and id.
        18 => pub(crate) latest_requirements: Table<(Tenant, Arc<str>), DecisionRequirementsKey>,
        /// Decisions.
        19 => pub(crate) decisions: Table<DecisionKey, DecisionCreated>,
        /// The latest version of a decision by tenant and id.
        20 => pub(crate) latest_decisions: Table<(Tenant, Arc<str>), DecisionKey>,
        /// The latest version of a decision that has a version tag, by tenant, id and tag.
        21 => pub(crate) tagged_decisions: Table<((Tenant, Arc<str>), Arc<str>), DecisionKey>,
        /// How many tokens wait at a joining gateway, by scope, gateway and the flow that they came by.
        22 => pub(crate) arrived: Table<(ElementInstanceKey, (u32, u32)), u64>,
        /// What is entered when an element instance, or all that is in it, has ended.
        23 => pub(crate) interruptions: HashTable<ElementInstanceKey, Interruption>,
        /// Versions of processes that have a version tag, by tenant, process id and tag.
        24 => pub(crate) tagged: Index<Tagged>,
        /// How far repetitions of activities are, by the element instance around them.
        25 => pub(crate) loops: HashTable<ElementInstanceKey, Loop>,
        /// The items for which these are.
        26 => pub(crate) items: HashTable<ElementInstanceKey, Items>,
        /// Results of repetitions that wait for the others, by their number.
        27 => pub(crate) outputs: Table<(ElementInstanceKey, u32), LoopOutput>,
        /// What ends instances before their last token does.
        28 => pub(crate) ends_after: Table<ProcessInstanceKey, EndsAfter>,
        /// Timers that wait.
        30 => pub(crate) timers: HashTable<TimerKey, TimerChanged>,
        /// Timers by who waits for them: an element instance, or a definition that they start.
        31 => pub(crate) timers_of: Index<(u64, TimerKey)>,
        /// Where the controlled clock stands.
        50 => pub(crate) clock: Cell<Clock>,
        /// What not all partitions have yet; on the first one only.
        60 => pub(crate) distributions: Table<u64, Distribution>,
        /// What was deleted, by the key of the process definition or decision requirements graph.
        62 => pub(crate) deletions: Table<u64, Deletion>,
        /// The highest version that was ever used, by tenant, id and kind, where that version was deleted.
        63 => pub(crate) versions_used: Table<((Tenant, Arc<str>), u32), u64>,
        /// Messages that are kept.
        32 => pub(crate) messages: Table<MessageKey, MessageChanged>,
        /// Messages by topic, oldest first.
        33 => pub(crate) messages_of: Index<(Topic, MessageKey)>,
        /// Messages that must not come again, by topic and the id that they were given.
        34 => pub(crate) message_ids: Index<(Topic, Arc<str>)>,
        /// Processes that a kept message has reached, by process id; the value is the instance.
        35 => pub(crate) reached: Table<(MessageKey, Arc<str>), u64>,
        /// Who waits for messages, on the side of the message.
        36 => pub(crate) message_subscriptions: Table<(ElementInstanceKey, Arc<str>), MessageSubscription>,
        /// The same by topic, then process, oldest first.
        37 => pub(crate) waiting: Index<(Topic, (Arc<str>, ElementInstanceKey))>,
        /// Who waits for messages, on the side of the instance.
        38 => pub(crate) process_subscriptions: Table<(ElementInstanceKey, Arc<str>), ProcessSubscription>,
        /// What starts instances by messages.
        39 => pub(crate) start_subscriptions: Table<((Tenant, Arc<str>), ProcessDefinitionKey), StartSubscription>,
        /// The same by definition.
        40 => pub(crate) starts_of: Index<(ProcessDefinitionKey, Arc<str>)>,
        /// The instance that holds a lock, by owner, process id and correlation key.
        41 => pub(crate) start_locks: Table<(Tenant, Arc<str>, Arc<str>), u64>,
        /// The lock that an instance holds.
        42 => pub(crate) lock_of: Table<ProcessInstanceKey, StartLock>,
        /// The oldest message to look at for a process: those before it have reached the process, or live no more. By
        /// topic and process id.
        46 => pub(crate) caught_up: Table<(Topic, Arc<str>), MessageKey>,
        /// What waits for signals.
        43 => pub(crate) signal_subscriptions: Table<SubscriptionKey, SignalSubscription>,
        /// The same by name, oldest first.
        44 => pub(crate) signals: Index<((Tenant, Arc<str>), SubscriptionKey)>,
        /// The same by who waits: an element instance, or a definition of which instances are started.
        45 => pub(crate) signals_of: Index<(u64, SubscriptionKey)>,
    }
}

coreto_machine::message! {
    /// Variables that wait for an element instance to complete, or for the one that they start to be entered.
    pub(crate) struct Trigger {
        /// The key of the trigger.
        1 => pub(crate) key: u64,
        /// The variables.
        2 => pub(crate) variables: Document,
        /// The element that was triggered.
        3 => pub(crate) element: ElementNumber,
    }
}

coreto_machine::message! {
    /// Where the controlled clock stands; nowhere when it runs.
    pub(crate) struct Clock {
        /// The time at which it is pinned.
        1 => pub(crate) pinned: Option<Timestamp>,
    }
}

coreto_machine::message! {
    /// What is entered when an element instance, or all that is in it, has ended.
    pub(crate) struct Interruption {
        /// The boundary event or event subprocess.
        1 => pub(crate) element: ElementNumber,
        /// The key that its instance will have.
        2 => pub(crate) key: ElementInstanceKey,
        /// Whether it is a boundary event, which is entered beside the element instance and not in it.
        3 => pub(crate) leaves: bool,
    }
}

impl State {
    /// Fills the indexes from the tables.
    fn rebuild(&mut self) {
        let (mut children, mut instances) = (Vec::new(), Vec::new());
        self.elements.for_each(|key, element| {
            if element.is_root() {
                instances.push(element.instance);
            }
            let parent = element.parent();
            if !parent.is_unset() {
                children.push((parent, *key));
            }
        });
        fill(&mut self.instances, instances);
        fill(&mut self.children, children);
        let mut jobs: Vec<_> = Vec::new();
        self.jobs.for_each(|key, job| jobs.push((*key, Arc::clone(job))));
        jobs.sort_unstable_by_key(|(key, _)| *key);
        let activatable = jobs.iter().filter(|(_, job)| job.state == JobState::Activatable);
        fill(
            &mut self.activatable,
            activatable.map(|(key, job)| (Arc::clone(&job.job_type), *key)).collect(),
        );
        let mut timers = Vec::new();
        self.timers.for_each(|key, timer| {
            let owner = owner_of(timer.element_instance, timer.definition);
            timers.push((owner, (timer.due, DUE_TIMER, key.raw())));
        });
        let answers = self.distributions.range(..);
        let answers = answers.filter_map(|(key, it)| Some((it.answer_by?, DUE_DISTRIBUTION, *key)));
        let due = jobs.iter().filter_map(|(key, job)| job.due(*key));
        let ends = self.messages.range(..).map(|(key, message)| (message.deadline, DUE_MESSAGE, key.raw()));
        let due = due.chain(timers.iter().map(|(_, due)| *due)).chain(answers).chain(ends);
        fill(&mut self.due, due.collect());
        let owned = timers.iter().map(|(owner, (.., key))| (*owner, TimerKey::from_raw(*key)));
        fill(&mut self.timers_of, owned.collect());
        fill(&mut self.job_keys, jobs.iter().map(|(key, _)| *key).collect());
        self.rebuild_messages();
        let there = self.definitions.range(..).filter(|(key, _)| !self.is_deleted(**key));
        let tagged = there.filter_map(|(key, it)| it.tagged(*key)).collect();
        fill(&mut self.tagged, tagged);
        let incidents = self.incidents.range(..).map(|(key, incident)| (incident.element_instance, *key));
        fill(&mut self.incidents_of, incidents.collect());
    }

    fn rebuild_messages(&mut self) {
        let messages = self.messages.range(..).map(|(key, message)| (topic_of(message), *key));
        fill(&mut self.messages_of, messages.collect());
        let ids = self.messages.range(..).filter(|(_, message)| !message.id.is_empty());
        fill(
            &mut self.message_ids,
            ids.map(|(_, message)| (topic_of(message), Arc::clone(&message.id))).collect(),
        );
        let waiting = self.message_subscriptions.range(..).map(|(_, waiting)| place_of(waiting));
        fill(&mut self.waiting, waiting.collect());
        let signals = || self.signal_subscriptions.range(..);
        let by_name = signals().map(|(key, waiting)| ((waiting.tenant, Arc::clone(&waiting.name)), *key));
        fill(&mut self.signals, by_name.collect());
        let by_owner =
            signals().map(|(key, waiting)| (owner_of(waiting.element_instance, waiting.definition), *key));
        fill(&mut self.signals_of, by_owner.collect());
        let starts = self.start_subscriptions.range(..);
        fill(
            &mut self.starts_of,
            starts.map(|(_, start)| (start.definition, Arc::clone(&start.name))).collect(),
        );
    }

    /// The latest version of a process that has a version tag.
    pub(crate) fn latest_tagged(
        &self,
        process: &(Tenant, Arc<str>),
        tag: &Arc<str>,
    ) -> Option<ProcessDefinitionKey> {
        let first = (process.clone(), (Arc::clone(tag), ProcessDefinitionKey::default()));
        let tagged = self.tagged.scan(&first, |(of, (with, _))| of == process && with == tag);
        tagged.map(|(_, (_, key))| *key).last()
    }

    /// The children of an element instance from a key on.
    pub(crate) fn children_from(
        &self,
        scope: ElementInstanceKey,
        from: ElementInstanceKey,
    ) -> impl Iterator<Item = ElementInstanceKey> {
        self.children.scan(&(scope, from), move |(parent, _)| *parent == scope).map(|(_, child)| *child)
    }

    /// The flows by which tokens wait at a joining gateway of a scope.
    pub(crate) fn arrived_at(
        &self,
        scope: ElementInstanceKey,
        gateway: ElementNumber,
    ) -> impl Iterator<Item = ((ElementInstanceKey, (u32, u32)), u64)> {
        let at = move |key: &(ElementInstanceKey, (u32, u32))| key.0 == scope && key.1.0 == gateway.0;
        self.arrived.scan(&(scope, (gateway.0, 0)), at).map(|(key, tokens)| (*key, **tokens))
    }

    /// The unresolved incident of an element instance that has no job behind it, or of its job.
    pub(crate) fn incidents_at(&self, element: ElementInstanceKey) -> impl Iterator<Item = IncidentKey> {
        let first = (element, IncidentKey::from_raw(0));
        self.incidents_of.scan(&first, move |(at, _)| *at == element).map(|(_, incident)| *incident)
    }
}

/// Fills an index in the order of its keys, which takes a fraction of the time, and without a list of how to undo it.
fn fill<K: table::Key>(index: &mut Index<K>, mut keys: Vec<K>) {
    const STEP: usize = 4096;
    // Stable, since it knows what is sorted already.
    keys.sort();
    for (at, key) in keys.into_iter().enumerate() {
        index.insert(key);
        if at % STEP == STEP - 1 {
            table::Member::commit(index);
        }
    }
}
