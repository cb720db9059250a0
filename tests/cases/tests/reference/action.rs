//! What clients do, to the model and to the engine.

use coreto_record::command::{
    Activation, BroadcastSignal, CancelInstance, CompleteJob, CreateInstance, FailJob, ModifyInstance,
    PublishMessage, ResolveIncident, ScopedVariables, SetVariables, ThrowError,
};
use coreto_record::{Command, Document, ElementInstanceKey, Key, ProcessInstanceKey};

use crate::model::{Change, Id, Model};
use crate::seen::Sight;
use crate::spec::Values;

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Create(Values),
    Cancel(Id),
    Complete(Id, Values),
    Fail(Id, Values),
    Throw(Id, &'static str, Values),
    Resolve(Id),
    Set(Id, bool, Values),
    Publish {
        name: &'static str,
        key: String,
        ttl: i64,
        values: Values,
    },
    Signal(&'static str, Values),
    Change(Id, Change),
    /// Time passes.
    Pass(i64),
}

impl Action {
    /// Says whether it is accepted.
    pub(crate) fn apply(&self, model: &mut Model) -> bool {
        match self.clone() {
            Self::Create(values) => model.create(values),
            Self::Cancel(root) => model.cancel(root),
            Self::Complete(task, values) => model.complete(task, values),
            Self::Fail(task, values) => model.fail(task, values),
            Self::Throw(task, code, values) => model.throw(task, code, values),
            Self::Resolve(id) => model.resolve(id),
            Self::Set(scope, local, values) => model.set(scope, local, values),
            Self::Publish { name, key, ttl, values } => model.publish(name, &key, ttl, values),
            Self::Signal(name, values) => model.signal(name, &values),
            Self::Change(root, change) => return model.change(root, &change),
            Self::Pass(millis) => model.pass(millis),
        }
        true
    }

    /// The command that says the same to the engine; time is none.
    pub(crate) fn command(&self, model: &Model, sight: &Sight) -> Option<Command> {
        let key = |id: &Id| model.nodes[id].key.expect("what runs has a key");
        let instance = |id: &Id| ProcessInstanceKey::from_raw(key(id));
        let seen = |id: &Id| &sight.nodes[&key(id)];
        let job = |id: &Id| seen(id).job.expect("it has a job");
        Some(match self {
            Self::Create(values) => {
                let variables = document(values);
                Command::CreateInstance(CreateInstance {
                    process: "main".into(),
                    variables,
                    ..CreateInstance::default()
                })
            }
            Self::Cancel(root) => Command::CancelInstance(CancelInstance { instance: instance(root) }),
            Self::Complete(task, values) => {
                Command::CompleteJob(CompleteJob { job: job(task), variables: document(values) })
            }
            Self::Fail(task, values) => {
                let variables = document(values);
                Command::FailJob(FailJob { job: job(task), retries: 1, variables, ..FailJob::default() })
            }
            Self::Throw(task, code, values) => Command::ThrowError(ThrowError {
                job: job(task),
                code: (*code).into(),
                variables: document(values),
                ..ThrowError::default()
            }),
            Self::Resolve(id) => {
                let incident = seen(id).incident.expect("it has an incident");
                Command::ResolveIncident(ResolveIncident { incident })
            }
            Self::Set(scope, local, values) => {
                let scope = ElementInstanceKey::from_raw(key(scope));
                Command::SetVariables(SetVariables { scope, variables: document(values), local: *local })
            }
            Self::Publish { name, key, ttl, values } => Command::PublishMessage(PublishMessage {
                name: (*name).into(),
                correlation_key: key.as_str().into(),
                ttl: *ttl,
                variables: document(values),
                ..PublishMessage::default()
            }),
            Self::Signal(name, values) => Command::BroadcastSignal(BroadcastSignal {
                name: (*name).into(),
                variables: document(values),
                ..BroadcastSignal::default()
            }),
            Self::Change(root, change) => Command::ModifyInstance(modify(model, *root, change)),
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

fn document(values: &Values) -> Document {
    let entries: Vec<String> = values.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    Document::parse(&format!("{{{}}}", entries.join(","))).expect("it is an object")
}
