//! What clients do, to the model and to the engine.

use coreto_record::command::{
    Activation, BroadcastSignal, CancelInstance, CompleteJob, CreateInstance, Deploy, ElementMapping,
    FailJob, MigrateInstance, ModifyInstance, PublishMessage, ResolveIncident, ScopedVariables, SetVariables,
    ThrowError, UpdateJobRetries,
};
use coreto_record::{Command, Document, ElementInstanceKey, Key, ProcessInstanceKey};

use crate::bpmn;
use crate::model::{Change, Id, Model};
use crate::seen::Sight;
use crate::spec::{At, Values};

#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// An instance on a partition, perhaps with elements at which it begins.
    Create(u32, Vec<At>, Values),
    Cancel(Id),
    Complete(Id, Values),
    /// An attempt fails, perhaps the last.
    Fail(Id, bool, Values),
    Throw(Id, &'static str, Values),
    /// Gives a job another attempt; its incident stays.
    Retry(Id),
    Resolve(Id),
    Set(Id, bool, Values),
    Publish {
        name: &'static str,
        key: String,
        id: &'static str,
        ttl: i64,
        values: Values,
    },
    /// At a partition.
    Signal(u32, &'static str, Values),
    Change(Id, Change),
    /// Another version of the first process comes.
    Deploy,
    /// An instance moves to it, or back; these events are not mapped.
    Migrate(Id, Vec<At>),
    /// Time passes.
    Pass(i64),
}

impl Action {
    /// Says whether it is accepted.
    pub(crate) fn apply(&self, model: &mut Model) -> bool {
        match self.clone() {
            Self::Create(home, starts, values) => return model.create(home, &starts, values),
            Self::Cancel(root) => model.cancel(root),
            Self::Complete(task, values) => model.complete(task, values),
            Self::Fail(task, is_last, values) => model.fail(task, is_last, values),
            Self::Throw(task, code, values) => model.throw(task, code, values),
            Self::Retry(task) => model.retry(task),
            Self::Resolve(id) => return model.resolve(id),
            Self::Set(scope, local, values) => model.set(scope, local, values),
            Self::Publish { name, key, id, ttl, values } => {
                return model.publish((name, &key, id), ttl, values);
            }
            Self::Signal(home, name, values) => model.signal(home, name, &values),
            Self::Change(root, change) => return model.change(root, &change),
            Self::Deploy => model.deploy_again(),
            Self::Migrate(root, unmapped) => return model.migrate(root, &unmapped),
            Self::Pass(millis) => model.pass(millis),
        }
        true
    }

    /// The command that says the same to the engine, and the partition that gets it; time is none.
    pub(crate) fn command(&self, model: &Model, sight: &Sight) -> Option<(u32, Command)> {
        let home = match self {
            Self::Create(home, ..) | Self::Signal(home, ..) => *home,
            Self::Publish { key, .. } => model.partition_of(key),
            Self::Cancel(id)
            | Self::Complete(id, _)
            | Self::Fail(id, ..)
            | Self::Throw(id, ..)
            | Self::Retry(id)
            | Self::Resolve(id)
            | Self::Set(id, ..)
            | Self::Change(id, _)
            | Self::Migrate(id, _) => model.nodes[id].home,
            Self::Deploy => 1,
            Self::Pass(_) => return None,
        };
        Some((home, self.said(model, sight)?))
    }

    fn said(&self, model: &Model, sight: &Sight) -> Option<Command> {
        let key = |id: &Id| model.nodes[id].key.expect("what runs has a key");
        let instance = |id: &Id| ProcessInstanceKey::from_raw(key(id));
        let seen = |id: &Id| &sight.nodes[&key(id)];
        let job = |id: &Id| seen(id).job.expect("it has a job");
        Some(match self {
            Self::Create(_, starts, values) => {
                let elements = &model.processes[0].elements;
                let starts = starts.iter().map(|at| elements[*at].id.as_str().into()).collect();
                let (process, variables) = ("main".into(), document(values));
                Command::CreateInstance(CreateInstance {
                    process,
                    variables,
                    starts,
                    ..CreateInstance::default()
                })
            }
            Self::Cancel(root) => Command::CancelInstance(CancelInstance { instance: instance(root) }),
            Self::Complete(task, values) => {
                Command::CompleteJob(CompleteJob { job: job(task), variables: document(values) })
            }
            Self::Fail(task, is_last, values) => {
                let (variables, retries) = (document(values), i32::from(!is_last));
                Command::FailJob(FailJob { job: job(task), retries, variables, ..FailJob::default() })
            }
            Self::Throw(task, code, values) => Command::ThrowError(ThrowError {
                job: job(task),
                code: (*code).into(),
                variables: document(values),
                ..ThrowError::default()
            }),
            Self::Retry(task) => Command::UpdateJobRetries(UpdateJobRetries { job: job(task), retries: 2 }),
            Self::Resolve(id) => {
                let incident = seen(id).incident.expect("it has an incident");
                Command::ResolveIncident(ResolveIncident { incident })
            }
            Self::Set(scope, local, values) => {
                let scope = ElementInstanceKey::from_raw(key(scope));
                Command::SetVariables(SetVariables { scope, variables: document(values), local: *local })
            }
            Self::Publish { name, key, id, ttl, values } => Command::PublishMessage(PublishMessage {
                name: (*name).into(),
                correlation_key: key.as_str().into(),
                id: (*id).into(),
                ttl: *ttl,
                variables: document(values),
                ..PublishMessage::default()
            }),
            Self::Signal(_, name, values) => Command::BroadcastSignal(BroadcastSignal {
                name: (*name).into(),
                variables: document(values),
                ..BroadcastSignal::default()
            }),
            Self::Change(root, change) => Command::ModifyInstance(modify(model, *root, change)),
            Self::Deploy => {
                let second = model.processes.last().expect("there are two versions");
                let resources = vec![bpmn::resource(&model.processes, second)];
                Command::Deploy(Deploy { resources, ..Deploy::default() })
            }
            Self::Migrate(root, unmapped) => Command::MigrateInstance(migrate(model, sight, *root, unmapped)),
            Self::Pass(_) => return None,
        })
    }
}

fn modify(model: &Model, root: Id, change: &Change) -> ModifyInstance {
    let key = |id: &Id| model.nodes[id].key.expect("what runs has a key");
    let process = &model.processes[model.nodes[&root].process];
    let enter = change.enter.iter().map(|(at, within, values)| {
        let element: std::sync::Arc<str> = process.elements[*at].id.as_str().into();
        let given = ScopedVariables { scope: element.clone(), variables: document(values) };
        let variables = if values.is_empty() { Vec::new() } else { vec![given] };
        Activation {
            element,
            ancestor: within.as_ref().map(|id| ElementInstanceKey::from_raw(key(id))),
            variables,
        }
    });
    ModifyInstance {
        instance: ProcessInstanceKey::from_raw(key(&root)),
        activate: enter.collect(),
        terminate: change.end.iter().map(|id| ElementInstanceKey::from_raw(key(id))).collect(),
    }
}

fn migrate(model: &Model, sight: &Sight, root: Id, unmapped: &[At]) -> MigrateInstance {
    let node = &model.nodes[&root];
    let (from, to) = (&model.processes[node.process], model.other_version(node.process));
    let mapped = (1..from.elements.len()).filter(|at| !unmapped.contains(at));
    let same = |at: At| {
        let id: std::sync::Arc<str> = from.elements[at].id.as_str().into();
        ElementMapping { source: id.clone(), target: id }
    };
    MigrateInstance {
        instance: ProcessInstanceKey::from_raw(node.key.expect("what runs has a key")),
        target: sight.versions[usize::from(to != 0)],
        mappings: mapped.map(same).collect(),
    }
}

fn document(values: &Values) -> Document {
    let entries: Vec<String> = values.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    Document::parse(&format!("{{{}}}", entries.join(","))).expect("it is an object")
}
