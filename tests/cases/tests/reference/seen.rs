//! What is seen of the engine: what its records say that runs.

use std::collections::BTreeMap;

use coreto_cases::names::Names;
use coreto_record::event::{
    ElementChanged, JobChanged, JobIntent, ProcessSubscription, ProcessSubscriptionIntent,
    SignalSubscription, SignalSubscriptionIntent, TimerChanged, TimerIntent, VariableSet,
};
use coreto_record::{ElementInstanceKey, Event, IncidentKey, JobKey, Key, Lifecycle, ProcessDefinitionKey};

/// An element instance.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) id: String,
    /// The scope around it, or the call of its process.
    pub(crate) around: Option<u64>,
    pub(crate) state: Lifecycle,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) job: Option<JobKey>,
    pub(crate) incident: Option<IncidentKey>,
    /// What is waited for, by what tells one from another.
    pub(crate) waits: BTreeMap<String, String>,
}

/// All that runs, by key.
#[derive(Default)]
pub(crate) struct Sight {
    pub(crate) nodes: BTreeMap<u64, Seen>,
    /// Timers of start events.
    pub(crate) starts: BTreeMap<u64, String>,
    /// How many process instances have completed and how many were terminated.
    pub(crate) ended: (usize, usize),
    /// Definitions of the first process, by version.
    pub(crate) versions: Vec<ProcessDefinitionKey>,
    names: Names,
}

impl Sight {
    pub(crate) fn learn(&mut self, event: &Event) {
        self.names.learn(event);
        match event {
            Event::ProcessCreated(process) if &*process.id == "main" => self.versions.push(process.key),
            Event::Element(changed) => self.element(changed),
            Event::VariableCreated(set) | Event::VariableUpdated(set) => self.variable(set),
            Event::Job(job) => self.job(job),
            Event::Timer(timer) => self.timer(timer),
            Event::ProcessSubscription(subscription) => self.message(subscription),
            Event::SignalSubscription(subscription) => self.signal(subscription),
            Event::IncidentCreated(incident) => {
                self.with(incident.element_instance, |node| node.incident = Some(incident.key));
            }
            Event::IncidentResolved(incident) => {
                self.with(incident.element_instance, |node| node.incident = None);
            }
            _ => (),
        }
    }

    fn with(&mut self, key: ElementInstanceKey, change: impl FnOnce(&mut Seen)) {
        if let Some(node) = self.nodes.get_mut(&key.raw()) {
            change(node);
        }
    }

    fn element(&mut self, changed: &ElementChanged) {
        let key = changed.key.raw();
        if changed.to.is_over() {
            self.nodes.remove(&key);
            if changed.scope.is_unset() && changed.lineage.call().is_none() {
                let (completed, terminated) = &mut self.ended;
                *(if changed.to == Lifecycle::Completed { completed } else { terminated }) += 1;
            }
            return;
        }
        let around = if changed.scope.is_unset() {
            changed.lineage.call().map(|call| call.caller().raw())
        } else {
            Some(changed.scope.raw())
        };
        let id = self.names.element_id(changed.definition, changed.element).to_owned();
        let (variables, waits) = Default::default();
        let (job, incident, state) = (None, None, changed.to);
        let new = Seen { id, around, state, variables, job, incident, waits };
        // Variables are created before the element that they belong to is.
        let node = self.nodes.entry(key).or_insert_with(|| new.clone());
        (node.id, node.around, node.state) = (new.id, new.around, new.state);
    }

    fn variable(&mut self, set: &VariableSet) {
        let node = self.nodes.entry(set.scope.raw()).or_insert_with(|| Seen {
            id: String::new(),
            around: None,
            state: Lifecycle::Activating,
            variables: BTreeMap::new(),
            job: None,
            incident: None,
            waits: BTreeMap::new(),
        });
        node.variables.insert(set.name.to_string(), set.value.to_string());
    }

    fn job(&mut self, job: &JobChanged) {
        let is_gone = match job.to {
            JobIntent::Completed | JobIntent::Canceled => true,
            JobIntent::ErrorThrown => !job.incident,
            _ => false,
        };
        self.with(job.element_instance, |node| node.job = (!is_gone).then_some(job.key));
    }

    fn timer(&mut self, timer: &TimerChanged) {
        let id = self.names.element_id(timer.definition, timer.element);
        let text = format!("{id} at {} left {}", timer.due.as_millis(), timer.repetitions);
        let is_new = matches!(timer.to, TimerIntent::Created | TimerIntent::Migrated);
        if timer.element_instance.is_unset() {
            if is_new {
                self.starts.insert(timer.key.raw(), text);
            } else {
                self.starts.remove(&timer.key.raw());
            }
            return;
        }
        self.with(timer.element_instance, |node| set(node, timer.key.to_string(), text, is_new));
    }

    fn message(&mut self, subscription: &ProcessSubscription) {
        let id = self.names.element_id(subscription.definition, subscription.element);
        let text = format!("{id} message {} {}", subscription.name, subscription.correlation_key);
        let name = subscription.name.to_string();
        let is_open = match subscription.to {
            ProcessSubscriptionIntent::Correlated => !subscription.interrupting,
            ProcessSubscriptionIntent::Deleting | ProcessSubscriptionIntent::Deleted => false,
            _ => true,
        };
        self.with(subscription.element_instance, |node| set(node, format!("message {name}"), text, is_open));
    }

    fn signal(&mut self, subscription: &SignalSubscription) {
        let id = self.names.element_id(subscription.definition, subscription.element);
        let text = format!("{id} signal {}", subscription.name);
        let is_open = subscription.to != SignalSubscriptionIntent::Deleted;
        let name = subscription.name.to_string();
        self.with(subscription.element_instance, |node| set(node, format!("signal {name}"), text, is_open));
    }
}

fn set(node: &mut Seen, name: String, text: String, is_open: bool) {
    if is_open {
        node.waits.insert(name, text);
    } else {
        node.waits.remove(&name);
    }
}
