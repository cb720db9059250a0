//! Rejected commands: what was wished for. What a command does not say is −1 or empty.

use std::sync::Arc;

use coreto_machine::Tenant;
use coreto_record::command::{ActivateJobs, CreateInstance, Deploy, FailJob, ThrowError};
use coreto_record::event::{ElementChanged, IncidentRecord, JobChanged};
use coreto_record::{Command, ElementInstanceKey, Key, ProcessDefinitionKey, ProcessInstanceKey};

use super::json::{Object, name};
use super::model::{self, Model};
use super::{decision, deletion, deployment, distribution, event, message, migration, signal};

/// The process instance that a command names.
pub(super) fn instance(command: &Command) -> Option<ProcessInstanceKey> {
    match command {
        Command::CancelInstance(cancel) => Some(cancel.instance),
        Command::ModifyInstance(modify) => Some(modify.instance),
        Command::MigrateInstance(migrate) => Some(migrate.instance),
        Command::ActivateElement(activate) => Some(activate.instance),
        Command::OpenMessageSubscription(open) => Some(open.instance),
        Command::Deploy(_)
        | Command::CreateInstance(_)
        | Command::SetVariables(_)
        | Command::ActivateJobs(_)
        | Command::CompleteJob(_)
        | Command::FailJob(_)
        | Command::ThrowError(_)
        | Command::UpdateJobRetries(_)
        | Command::UpdateJobTimeout(_)
        | Command::ResolveIncident(_)
        | Command::EvaluateDecision(_)
        | Command::PinClock(_)
        | Command::ResetClock(())
        | Command::YieldJob(_)
        | Command::CompleteElement(_)
        | Command::TerminateElement(_)
        | Command::ContinueTermination(_)
        | Command::TerminateChildren(_)
        | Command::ActivateChildren(_)
        | Command::Distribute(_)
        | Command::TakeDeployment(_)
        | Command::AcknowledgeDistribution(_)
        | Command::PublishMessage(_)
        | Command::DeleteResource(_)
        | Command::TakeDeletion(_)
        | Command::CountInstances(_)
        | Command::BroadcastSignal(_)
        | Command::SpreadSignal(_)
        | Command::OpenedProcessSubscription(_)
        | Command::CorrelateProcessSubscription(_)
        | Command::CorrelateMessageSubscription(_)
        | Command::RejectMessageSubscription(_)
        | Command::CloseMessageSubscription(_)
        | Command::ClosedProcessSubscription(_)
        | Command::MigrateMessageSubscription(_)
        | Command::MigratedProcessSubscription(_)
        | Command::Tick(()) => None,
    }
}

/// Writes the member `value`.
pub(super) fn value(command: &Command, record: &mut Object<'_>) {
    let mut object = record.open(name!("value"));
    let value = &mut object;
    match command {
        Command::Deploy(deploy) => deployment::wished(deploy, value),
        Command::EvaluateDecision(evaluate) => decision::wished(evaluate, value),
        Command::CreateInstance(create) => creation(create, value),
        Command::CancelInstance(it) => {
            element(&ElementChanged { instance: it.instance, ..ElementChanged::default() }, value);
        }
        Command::ActivateElement(activate) => element(
            &ElementChanged {
                key: activate.key,
                scope: activate.scope,
                instance: activate.instance,
                ..ElementChanged::default()
            },
            value,
        ),
        Command::CompleteElement(_) | Command::TerminateElement(_) | Command::ContinueTermination(_) => {
            element(&ElementChanged::default(), value);
        }
        Command::TerminateChildren(terminate) => batch(terminate.scope, terminate.from.raw(), value),
        Command::ActivateChildren(activate) => batch(activate.scope, u64::from(activate.from), value),
        Command::SetVariables(set) => {
            event::document_update(set.scope.raw(), set.local, set.variables.as_str(), value);
            model::tenant(value, Tenant::DEFAULT);
        }
        Command::ModifyInstance(modify) => event::modification(modify, value),
        Command::MigrateInstance(migrate) => migration::migration(migrate, value),
        Command::ActivateJobs(activate) => job_batch(activate, value),
        Command::CompleteJob(complete) => {
            job(&JobChanged { variables: complete.variables.clone(), ..unset() }, -1, value);
        }
        Command::FailJob(fail) => job(&failed(fail), -1, value),
        Command::ThrowError(throw) => job(&thrown(throw), -1, value),
        Command::UpdateJobRetries(it) => job(&JobChanged { retries: it.retries, ..unset() }, -1, value),
        Command::UpdateJobTimeout(update) => job(&unset(), update.timeout, value),
        Command::YieldJob(give) => job(&JobChanged { deadline: Some(give.deadline), ..unset() }, -1, value),
        Command::Distribute(distribute) => distribution::wished(distribute.partition, value),
        Command::AcknowledgeDistribution(given) => distribution::wished(given.partition, value),
        Command::TakeDeployment(take) => {
            deployment::wished(&Deploy { tenant: take.deployment.tenant, ..Deploy::default() }, value);
        }
        Command::Tick(()) => job(&unset(), -1, value),
        Command::DeleteResource(delete) => deletion::resource(delete.resource, Tenant::DEFAULT, value),
        Command::TakeDeletion(take) => deletion::resource(take.resource, Tenant::DEFAULT, value),
        Command::CountInstances(count) => deletion::resource(count.definition.raw(), Tenant::DEFAULT, value),
        Command::BroadcastSignal(it) => signal::wished(&it.name, it.variables.as_str(), it.tenant, value),
        Command::SpreadSignal(it) => signal::wished(&it.name, it.variables.as_str(), it.tenant, value),
        Command::PublishMessage(publish) => message::wished(publish, value),
        Command::OpenMessageSubscription(_)
        | Command::CorrelateMessageSubscription(_)
        | Command::RejectMessageSubscription(_)
        | Command::CloseMessageSubscription(_)
        | Command::OpenedProcessSubscription(_)
        | Command::CorrelateProcessSubscription(_)
        | Command::ClosedProcessSubscription(_)
        | Command::MigrateMessageSubscription(_)
        | Command::MigratedProcessSubscription(_) => message::wished_subscription(command, value),
        Command::ResolveIncident(_) => {
            event::incident(&IncidentRecord::default(), &unknown(), value);
            value.members(r#","processDefinitionPath":[],"callingElementPath":[]"#);
        }
        Command::PinClock(pin) => value.number(name!("time"), pin.at.as_millis()),
        Command::ResetClock(()) => value.number(name!("time"), 0),
    }
    object.end();
}

/// A command does not say of which definition it speaks.
fn unknown() -> Model {
    Model::unknown(ProcessDefinitionKey::default())
}

fn creation(create: &CreateInstance, value: &mut Object<'_>) {
    value.text(name!("bpmnProcessId"), &create.process);
    value.number(name!("version"), create.version.map_or(-1, i64::from));
    value.key(name!("processDefinitionKey"), create.definition.map_or(0, Key::raw));
    value.number(name!("processInstanceKey"), -1);
    value.raw(name!("variables"), create.variables.as_str());
    event::instructions(&create.starts, create.ends_after.as_deref(), value);
    model::tenant(value, create.tenant);
}

fn element(wish: &ElementChanged, value: &mut Object<'_>) {
    unknown().uncalled(wish.element, value);
    event::element_instance(wish, value);
}

fn batch(scope: ElementInstanceKey, from: u64, value: &mut Object<'_>) {
    value.number(name!("processInstanceKey"), -1);
    value.key(name!("batchElementInstanceKey"), scope.raw());
    value.key(name!("index"), from);
    model::tenant(value, Tenant::DEFAULT);
}

fn job_batch(activate: &ActivateJobs, value: &mut Object<'_>) {
    value.text(name!("type"), &activate.job_type);
    value.text(name!("worker"), &activate.worker);
    value.number(name!("timeout"), activate.timeout);
    value.number(name!("maxJobsToActivate"), i64::from(activate.max));
    value.members(r#","jobKeys":[],"jobs":[],"truncated":false,"tenantIds":["<default>"]"#);
}

/// A job of which nothing is said.
fn unset() -> JobChanged {
    JobChanged { retries: -1, ..JobChanged::default() }
}

fn job(wish: &JobChanged, timeout: i64, value: &mut Object<'_>) {
    event::job(wish, timeout, &unknown(), value);
}

fn failed(fail: &FailJob) -> JobChanged {
    JobChanged {
        retries: fail.retries,
        backoff: fail.backoff,
        error_message: Arc::clone(&fail.message),
        variables: fail.variables.clone(),
        ..unset()
    }
}

fn thrown(throw: &ThrowError) -> JobChanged {
    JobChanged {
        error_code: Arc::clone(&throw.code),
        error_message: Arc::clone(&throw.message),
        variables: throw.variables.clone(),
        ..unset()
    }
}
