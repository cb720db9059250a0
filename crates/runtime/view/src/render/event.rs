//! Events: what happened.

use std::sync::Arc;

use coreto_machine::{Tenant, Timestamp};
use coreto_record::command::{EndsAfter, ModifyInstance};
use coreto_record::event::{
    ElementChanged, FlowTaken, IncidentRecord, InstanceBanned, InstanceCreated, JobChanged, JobsActivated,
    Lineage, ProcessCreated, ProcessEvent, TimerChanged, VariableSet, VariablesUpdated,
};
use coreto_record::protocol::{ValueType, intent};
use coreto_record::{ElementNumber, Event, Key, ProcessDefinitionKey};

use super::json::{Object, name};
use super::model::{self, Model, Models};
use super::{Subject, decision, deletion, deployment, distribution, lineage, message, migration, signal};
use crate::definitions::Unanswered;

/// What an event is about.
pub(super) fn subject(event: &Event) -> Option<Subject> {
    use ValueType as V;
    let (value_type, instance) = match event {
        Event::DeploymentCreated(_) => (V::Deployment, None),
        Event::InstanceCreated(event) => (V::ProcessInstanceCreation, Some(event.instance)),
        Event::ResultAwaited(_)
        | Event::InstanceStarted(_)
        | Event::LoopBegun(_)
        | Event::LoopFulfilled(_)
        | Event::OutputCollected(_)
        | Event::DistributionAnswered(_)
        | Event::InstancesCounted(_)
        | Event::DeletionTaken(_)
        | Event::DeploymentTaken(_) => return None,
        Event::ResourceDeleting(_) | Event::ResourceDeleted(_) => (V::ResourceDeletion, None),
        Event::ProcessCreated(_) | Event::ProcessDeleting(_) | Event::ProcessDeleted(_) => (V::Process, None),
        Event::SignalBroadcasted(_) => (V::Signal, None),
        Event::SignalSubscription(event) => {
            (V::SignalSubscription, (!event.instance.is_unset()).then_some(event.instance))
        }
        Event::Message(_) => (V::Message, None),
        Event::MessageSubscription(event) => (V::MessageSubscription, Some(event.instance)),
        Event::ProcessSubscription(event) => (V::ProcessMessageSubscription, Some(event.instance)),
        Event::StartSubscription(event) => {
            (V::MessageStartEventSubscription, (!event.instance.is_unset()).then_some(event.instance))
        }
        Event::Timer(event) => (V::Timer, (!event.instance.is_unset()).then_some(event.instance)),
        Event::Element(event) => (V::ProcessInstance, Some(event.instance)),
        Event::FlowTaken(event) => (V::ProcessInstance, Some(event.instance)),
        Event::VariableCreated(event) | Event::VariableUpdated(event) | Event::VariableMigrated(event) => {
            (V::Variable, Some(event.instance))
        }
        Event::ElementMigrated(event) | Event::AncestorMigrated(event) => {
            (V::ProcessInstance, Some(event.element.instance))
        }
        Event::InstanceMigrated(event) => (V::ProcessInstanceMigration, Some(event.instance)),
        Event::InstanceModified(event) => (V::ProcessInstanceModification, Some(event.instance)),
        Event::VariablesUpdated(event) => (V::VariableDocument, Some(event.instance)),
        Event::Job(event) => (V::Job, Some(event.instance)),
        Event::JobsActivated(event) => (V::JobBatch, event.jobs.first().map(|job| job.instance)),
        Event::ProcessEventTriggering(event) | Event::ProcessEventTriggered(event) => {
            (V::ProcessEvent, Some(event.instance))
        }
        Event::IncidentCreated(event) | Event::IncidentResolved(event) | Event::IncidentMigrated(event) => {
            (V::Incident, Some(event.instance))
        }
        Event::InstanceBanned(event) => (V::Error, Some(event.instance)),
        Event::ClockPinned(_) | Event::ClockReset(()) => (V::Clock, None),
        Event::DistributionStarted(_)
        | Event::DistributionSent(_)
        | Event::DistributionAcknowledged(_)
        | Event::DistributionFinished(_) => (V::CommandDistribution, None),
        Event::RequirementsCreated(_) | Event::RequirementsDeleted(_) => (V::DecisionRequirements, None),
        Event::DecisionCreated(_) | Event::DecisionDeleted(_) => (V::Decision, None),
        Event::DecisionEvaluated(event) | Event::DecisionFailed(event) => {
            (V::DecisionEvaluation, (!event.instance.is_unset()).then_some(event.instance))
        }
    };
    Some(Subject { value_type, instance })
}

/// The number of what happened, and the key that it is about.
pub(super) fn intent_and_key(event: &Event) -> (u32, u64) {
    match event {
        Event::DeploymentCreated(event) => (intent::deployment::CREATED, event.key.raw()),
        Event::ProcessCreated(event) => (intent::process::CREATED, event.key.raw()),
        Event::InstanceCreated(event) => (intent::process_instance_creation::CREATED, event.key),
        Event::ResultAwaited(event) => (0, event.instance.raw()),
        Event::InstanceStarted(event) => (0, event.instance.raw()),
        Event::LoopBegun(event) => (0, event.key.raw()),
        Event::LoopFulfilled(event) => (0, event.key.raw()),
        Event::OutputCollected(event) => (0, event.key.raw()),
        Event::Timer(event) => (event.to.number(), event.key.raw()),
        Event::SignalBroadcasted(event) => (intent::signal::BROADCASTED, event.key.raw()),
        Event::SignalSubscription(event) => (event.to.number(), event.key.raw()),
        Event::Message(event) => (event.to.number(), event.key.raw()),
        Event::MessageSubscription(event) => (event.to.number(), event.key.raw()),
        Event::ProcessSubscription(event) => (event.to.number(), event.key.raw()),
        Event::StartSubscription(event) => (event.to.number(), event.key.raw()),
        Event::Element(event) => (event.to.number(), event.key.raw()),
        Event::FlowTaken(event) => (intent::process_instance::SEQUENCE_FLOW_TAKEN, event.key.raw()),
        Event::VariableCreated(event) => (intent::variable::CREATED, event.key.raw()),
        Event::VariableUpdated(event) => (intent::variable::UPDATED, event.key.raw()),
        Event::VariablesUpdated(event) => (intent::variable_document::UPDATED, event.key),
        Event::InstanceModified(event) => {
            (intent::process_instance_modification::MODIFIED, event.instance.raw())
        }
        Event::ElementMigrated(event) => {
            (intent::process_instance::ELEMENT_MIGRATED, event.element.key.raw())
        }
        Event::AncestorMigrated(event) => {
            (intent::process_instance::ANCESTOR_MIGRATED, event.element.key.raw())
        }
        Event::VariableMigrated(event) => (intent::variable::MIGRATED, event.key.raw()),
        Event::IncidentMigrated(event) => (intent::incident::MIGRATED, event.key.raw()),
        Event::InstanceMigrated(event) => {
            (intent::process_instance_migration::MIGRATED, event.instance.raw())
        }
        Event::Job(event) => (event.to.number(), event.key.raw()),
        Event::JobsActivated(event) => (intent::job_batch::ACTIVATED, event.key),
        Event::ProcessEventTriggering(event) => (intent::process_event::TRIGGERING, event.key),
        Event::ProcessEventTriggered(event) => (intent::process_event::TRIGGERED, event.key),
        Event::IncidentCreated(event) => (intent::incident::CREATED, event.key.raw()),
        Event::IncidentResolved(event) => (intent::incident::RESOLVED, event.key.raw()),
        Event::InstanceBanned(event) => (intent::error::CREATED, event.instance.raw()),
        Event::ClockPinned(_) => (intent::clock::PINNED, 0),
        Event::ClockReset(()) => (intent::clock::RESETTED, 0),
        Event::RequirementsCreated(event) => (intent::decision_requirements::CREATED, event.key.raw()),
        Event::DecisionCreated(event) => (intent::decision::CREATED, event.key.raw()),
        Event::DecisionEvaluated(event) => (intent::decision_evaluation::EVALUATED, event.key),
        Event::DecisionFailed(event) => (intent::decision_evaluation::FAILED, event.key),
        Event::DistributionStarted(event) => (intent::command_distribution::STARTED, event.key),
        Event::DistributionSent(event) => (intent::command_distribution::DISTRIBUTING, event.key),
        Event::DistributionAcknowledged(event) => (intent::command_distribution::ACKNOWLEDGED, event.key),
        Event::DistributionFinished(event) => (intent::command_distribution::FINISHED, event.key),
        Event::DistributionAnswered(event) => (0, event.key),
        Event::DeploymentTaken(event) => (0, event.deployment.key.raw()),
        Event::ResourceDeleting(event) => (intent::resource_deletion::DELETING, event.key),
        Event::ResourceDeleted(event) => (intent::resource_deletion::DELETED, event.key),
        Event::ProcessDeleting(event) => (intent::process::DELETING, event.definition.raw()),
        Event::ProcessDeleted(event) => (intent::process::DELETED, event.definition.raw()),
        Event::RequirementsDeleted(event) => {
            (intent::decision_requirements::DELETED, event.requirements.raw())
        }
        Event::DecisionDeleted(event) => (intent::decision::DELETED, event.key.raw()),
        Event::InstancesCounted(event) => (0, event.definition.raw()),
        Event::DeletionTaken(event) => (0, event.resource),
    }
}

/// Writes the member `value`.
pub(super) fn value(event: &Event, models: &mut Models, record: &mut Object<'_>) -> Result<(), Unanswered> {
    let mut object = record.open(name!("value"));
    let value = &mut object;
    match event {
        Event::DeploymentCreated(event) => deployment::created(event, models, value)?,
        Event::ProcessCreated(event) => process(event, value),
        Event::InstanceCreated(event) => creation(event, &*models.get(event.definition)?, value),
        Event::ResultAwaited(_)
        | Event::InstanceStarted(_)
        | Event::LoopBegun(_)
        | Event::LoopFulfilled(_)
        | Event::OutputCollected(_)
        | Event::DistributionAnswered(_)
        | Event::InstancesCounted(_)
        | Event::DeletionTaken(_)
        | Event::DeploymentTaken(_) => (),
        Event::ResourceDeleting(event) | Event::ResourceDeleted(event) => {
            deletion::resource(event.resource, event.tenant, value);
        }
        Event::ProcessDeleting(it) | Event::ProcessDeleted(it) => deletion::process(it, models, value)?,
        Event::RequirementsDeleted(event) => deletion::requirements(event, models, value)?,
        Event::Timer(event) => timer(event, &*models.get(event.definition)?, value),
        Event::DistributionStarted(event) => distribution::started(event, value),
        Event::DistributionSent(event)
        | Event::DistributionAcknowledged(event)
        | Event::DistributionFinished(event) => distribution::step(event, value),
        Event::SignalBroadcasted(event) => signal::broadcasted(event, value),
        Event::SignalSubscription(event) => {
            signal::subscription(event, &*models.get(event.definition)?, value);
        }
        Event::Message(event) => message::message(event, value),
        Event::MessageSubscription(event) => message::message_subscription(event, value),
        Event::ProcessSubscription(event) => {
            message::process_subscription(event, &*models.get(event.definition)?, value);
        }
        Event::StartSubscription(event) => {
            message::start_subscription(event, &*models.get(event.definition)?, value);
        }
        Event::ClockReset(()) => value.number(name!("time"), 0),
        Event::Element(event) => element(event, models, value)?,
        Event::FlowTaken(event) => flow(event, models, value)?,
        Event::ElementMigrated(event) | Event::AncestorMigrated(event) => {
            element(&event.element, models, value)?;
        }
        Event::InstanceMigrated(event) => migration::migration(event, value),
        Event::VariableCreated(event) | Event::VariableUpdated(event) | Event::VariableMigrated(event) => {
            variable(event, &*models.get(event.definition)?, value);
        }
        Event::VariablesUpdated(event) => variables(event, value),
        Event::InstanceModified(event) => modification(event, value),
        Event::Job(event) => job(event, -1, &*models.get(event.definition)?, value),
        Event::JobsActivated(event) => job_batch(event, models, value)?,
        Event::ProcessEventTriggering(event) | Event::ProcessEventTriggered(event) => {
            process_event(event, &*models.get(event.definition)?, value);
        }
        Event::IncidentCreated(event) | Event::IncidentResolved(event) | Event::IncidentMigrated(event) => {
            incident(event, &*models.get(event.definition)?, value);
            lineage::calls(&event.lineage, event.definition, models, value)?;
        }
        Event::InstanceBanned(event) => error(event, value),
        Event::ClockPinned(event) => value.number(name!("time"), event.at.as_millis()),
        Event::RequirementsCreated(event) => decision::requirements(event, value),
        Event::DecisionCreated(event) | Event::DecisionDeleted(event) => decision::decision(event, value),
        Event::DecisionEvaluated(event) | Event::DecisionFailed(event) => {
            decision::evaluation(event, models, value)?;
        }
    }
    object.end();
    Ok(())
}

pub(super) fn process(event: &ProcessCreated, value: &mut Object<'_>) {
    value.text(name!("bpmnProcessId"), &event.id);
    value.number(name!("version"), i64::from(event.version));
    value.key(name!("processDefinitionKey"), event.key.raw());
    value.text(name!("resourceName"), &event.resource_name);
    value.base64(name!("resource"), &event.resource);
    value.base64(name!("checksum"), &event.checksum);
    value.boolean(name!("duplicate"), false);
    model::tenant(value, event.tenant);
    value.key(name!("deploymentKey"), event.deployment.raw());
    value.text(name!("versionTag"), &event.version_tag);
}

fn creation(event: &InstanceCreated, model: &Model, value: &mut Object<'_>) {
    model.process(value);
    value.key(name!("processInstanceKey"), event.instance.raw());
    value.raw(name!("variables"), event.variables.as_str());
    instructions(&event.starts, event.ends_after.as_deref(), value);
    model::tenant(value, event.tenant);
}

/// Where an instance begins, unless at its start event, and what ends it, unless its last token does.
pub(super) fn instructions(starts: &[Arc<str>], ends_after: Option<&EndsAfter>, value: &mut Object<'_>) {
    value.list(name!("startInstructions"), starts, |start, object| {
        object.text(name!("elementId"), start);
    });
    let ends_after = ends_after.map_or(&[][..], |it| &it.elements);
    value.list(name!("runtimeInstructions"), ends_after, |element, object| {
        object.text(name!("type"), "TERMINATE_PROCESS_INSTANCE");
        object.text(name!("afterElementId"), element);
    });
    value.members(r#","tags":[]"#);
}

fn element(event: &ElementChanged, models: &mut Models, value: &mut Object<'_>) -> Result<(), Unanswered> {
    place(event.element, event.definition, &event.lineage, models, value)?;
    element_instance(event, value);
    Ok(())
}

/// What an element instance and the wish for one have in common.
pub(super) fn element_instance(event: &ElementChanged, value: &mut Object<'_>) {
    value.key(name!("processInstanceKey"), event.instance.raw());
    value.key(name!("flowScopeKey"), event.scope.raw());
    lineage::instances(&event.lineage, event.instance, event.key.raw(), value);
    model::tenant(value, event.tenant);
}

fn flow(event: &FlowTaken, models: &mut Models, value: &mut Object<'_>) -> Result<(), Unanswered> {
    place(event.element, event.definition, &event.lineage, models, value)?;
    value.key(name!("processInstanceKey"), event.instance.raw());
    value.key(name!("flowScopeKey"), event.scope.raw());
    lineage::instances(&event.lineage, event.instance, event.key.raw(), value);
    model::tenant(value, event.tenant);
    Ok(())
}

/// The element in its model, and the calls that led to its process instance.
fn place(
    element: ElementNumber,
    definition: ProcessDefinitionKey,
    lineage: &Lineage,
    models: &mut Models,
    value: &mut Object<'_>,
) -> Result<(), Unanswered> {
    let model = models.get(definition)?;
    if lineage.call().is_none() {
        model.uncalled(element, value);
        return Ok(());
    }
    model.called(element, value);
    lineage::caller(lineage, value);
    lineage::calls(lineage, definition, models, value)
}

fn variable(event: &VariableSet, model: &Model, value: &mut Object<'_>) {
    value.text(name!("name"), &event.name);
    value.text(name!("value"), &event.value);
    value.key(name!("scopeKey"), event.scope.raw());
    value.key(name!("processInstanceKey"), event.instance.raw());
    model.process_of_variable(value);
    model::tenant(value, event.tenant);
}

/// A change by hand, or the wish for one.
pub(super) fn modification(modify: &ModifyInstance, value: &mut Object<'_>) {
    value.key(name!("processInstanceKey"), modify.instance.raw());
    value.list(name!("terminateInstructions"), &modify.terminate, |key, object| {
        object.key(name!("elementInstanceKey"), key.raw());
    });
    value.list(name!("activateInstructions"), &modify.activate, |activation, object| {
        object.text(name!("elementId"), &activation.element);
        object.key(name!("ancestorScopeKey"), activation.ancestor.map_or(0, Key::raw));
        object.list(name!("variableInstructions"), &activation.variables, |given, object| {
            object.text(name!("elementId"), &given.scope);
            object.raw(name!("variables"), given.variables.as_str());
        });
        object.keys(name!("ancestorScopeKeys"), []);
    });
    value.keys(name!("ancestorScopeKeys"), []);
    model::tenant(value, Tenant::DEFAULT);
}

fn variables(event: &VariablesUpdated, value: &mut Object<'_>) {
    document_update(event.scope.raw(), event.local, event.variables.as_str(), value);
    model::tenant(value, event.tenant);
}

/// What an update of variables and the wish for one have in common.
pub(super) fn document_update(scope: u64, local: bool, variables: &str, value: &mut Object<'_>) {
    value.key(name!("scopeKey"), scope);
    value.word(name!("updateSemantics"), if local { "LOCAL" } else { "PROPAGATE" });
    value.raw(name!("variables"), variables);
}

/// `timeout` in milliseconds is what a worker asked for, or −1.
pub(super) fn job(event: &JobChanged, timeout: i64, model: &Model, value: &mut Object<'_>) {
    model.job(event.element, value);
    value.text(name!("type"), &event.job_type);
    value.key(name!("elementInstanceKey"), event.element_instance.raw());
    value.key(name!("processInstanceKey"), event.instance.raw());
    value.text(name!("worker"), &event.worker);
    value.number(name!("retries"), i64::from(event.retries));
    value.number(name!("retryBackoff"), event.backoff);
    value.number(name!("recurringTime"), event.recurs_at.map_or(-1, Timestamp::as_millis));
    value.number(name!("deadline"), event.deadline.map_or(-1, Timestamp::as_millis));
    value.number(name!("timeout"), timeout);
    value.raw(name!("variables"), event.variables.as_str());
    value.text(name!("errorMessage"), &event.error_message);
    value.text(name!("errorCode"), &event.error_code);
    model::tenant(value, event.tenant);
}

fn job_batch(event: &JobsActivated, models: &mut Models, value: &mut Object<'_>) -> Result<(), Unanswered> {
    value.text(name!("type"), &event.job_type);
    value.text(name!("worker"), &event.worker);
    value.number(name!("timeout"), event.timeout);
    value.number(name!("maxJobsToActivate"), i64::from(event.max));
    value.keys(name!("jobKeys"), event.jobs.iter().map(|job| job.key.raw()));
    let mut changed = JobChanged {
        job_type: event.job_type.clone(),
        worker: event.worker.clone(),
        deadline: Some(event.deadline),
        ..JobChanged::default()
    };
    value.objects(name!("jobs"), &event.jobs, |taken, object| {
        changed.retries = taken.retries;
        changed.element_instance = taken.element_instance;
        changed.element = taken.element;
        changed.instance = taken.instance;
        changed.definition = taken.definition;
        changed.tenant = taken.tenant;
        job(&changed, -1, &*models.get(taken.definition)?, object);
        Ok(())
    })?;
    value.boolean(name!("truncated"), event.truncated);
    value.members(r#","tenantIds":["<default>"]"#);
    Ok(())
}

fn timer(event: &TimerChanged, model: &Model, value: &mut Object<'_>) {
    value.key(name!("elementInstanceKey"), event.element_instance.raw());
    value.key(name!("processInstanceKey"), event.instance.raw());
    model.process_of_variable(value);
    value.number(name!("dueDate"), event.due.as_millis());
    model.element_id(name!("targetElementId"), event.element, value);
    value.number(name!("repetitions"), i64::from(event.repetitions));
    model::tenant(value, event.tenant);
}

fn process_event(event: &ProcessEvent, model: &Model, value: &mut Object<'_>) {
    value.key(name!("scopeKey"), event.scope.raw());
    value.key(name!("processInstanceKey"), event.instance.raw());
    value.key(name!("processDefinitionKey"), event.definition.raw());
    model.element_id(name!("targetElementId"), event.element, value);
    value.raw(name!("variables"), event.variables.as_str());
    model::tenant(value, event.tenant);
}

pub(super) fn incident(event: &IncidentRecord, model: &Model, value: &mut Object<'_>) {
    value.word(name!("errorType"), event.kind.name());
    value.text(name!("errorMessage"), &event.message);
    model.process_of_variable(value);
    value.key(name!("processInstanceKey"), event.instance.raw());
    model.element_id(name!("elementId"), event.element, value);
    value.key(name!("elementInstanceKey"), event.element_instance.raw());
    value.key(name!("jobKey"), event.job.map_or(0, Key::raw));
    value.key(name!("variableScopeKey"), event.variable_scope.raw());
    model::tenant(value, event.tenant);
    lineage::instances(&event.lineage, event.instance, event.element_instance.raw(), value);
}

fn error(event: &InstanceBanned, value: &mut Object<'_>) {
    value.text(name!("exceptionMessage"), &event.message);
    value.text(name!("stacktrace"), "");
    value.number(name!("errorEventPosition"), -1);
    value.key(name!("processInstanceKey"), event.instance.raw());
}
