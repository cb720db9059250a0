//! Events: what happened.

use coreto_machine::Timestamp;
use coreto_record::event::{
    DeploymentCreated, ElementChanged, FlowTaken, IncidentRecord, InstanceBanned, InstanceCreated,
    JobChanged, JobsActivated, ProcessCreated, ProcessEvent, VariableSet, VariablesUpdated,
};
use coreto_record::protocol::{ValueType, intent};
use coreto_record::{DeployedProcess, Event, Key, ProcessDefinitionKey, ProcessInstanceKey};

use super::Subject;
use super::json::Object;
use super::model::{self, Model, Models};
use crate::definitions::Unanswered;

/// What an event is about.
pub(super) fn subject(event: &Event) -> Option<Subject> {
    use ValueType as V;
    let (value_type, instance) = match event {
        Event::DeploymentCreated(_) => (V::Deployment, None),
        Event::ProcessCreated(_) => (V::Process, None),
        Event::InstanceCreated(event) => (V::ProcessInstanceCreation, Some(event.instance)),
        Event::ResultAwaited(_) => return None,
        Event::Element(event) => (V::ProcessInstance, Some(event.instance)),
        Event::FlowTaken(event) => (V::ProcessInstance, Some(event.instance)),
        Event::VariableCreated(event) | Event::VariableUpdated(event) => (V::Variable, Some(event.instance)),
        Event::VariablesUpdated(event) => (V::VariableDocument, Some(event.instance)),
        Event::Job(event) => (V::Job, Some(event.instance)),
        Event::JobsActivated(event) => (V::JobBatch, event.jobs.first().map(|job| job.instance)),
        Event::ProcessEventTriggering(event) | Event::ProcessEventTriggered(event) => {
            (V::ProcessEvent, Some(event.instance))
        }
        Event::IncidentCreated(event) | Event::IncidentResolved(event) => (V::Incident, Some(event.instance)),
        Event::InstanceBanned(event) => (V::Error, Some(event.instance)),
        Event::ClockPinned(_) | Event::ClockReset(()) => (V::Clock, None),
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
        Event::Element(event) => (event.to.number(), event.key.raw()),
        Event::FlowTaken(event) => (intent::process_instance::SEQUENCE_FLOW_TAKEN, event.key.raw()),
        Event::VariableCreated(event) => (intent::variable::CREATED, event.key.raw()),
        Event::VariableUpdated(event) => (intent::variable::UPDATED, event.key.raw()),
        Event::VariablesUpdated(event) => (intent::variable_document::UPDATED, event.key),
        Event::Job(event) => (event.to.number(), event.key.raw()),
        Event::JobsActivated(event) => (intent::job_batch::ACTIVATED, event.key),
        Event::ProcessEventTriggering(event) => (intent::process_event::TRIGGERING, event.key),
        Event::ProcessEventTriggered(event) => (intent::process_event::TRIGGERED, event.key),
        Event::IncidentCreated(event) => (intent::incident::CREATED, event.key.raw()),
        Event::IncidentResolved(event) => (intent::incident::RESOLVED, event.key.raw()),
        Event::InstanceBanned(event) => (intent::error::CREATED, event.instance.raw()),
        Event::ClockPinned(_) => (intent::clock::PINNED, 0),
        Event::ClockReset(()) => (intent::clock::RESETTED, 0),
    }
}

/// Writes the member `value`.
pub(super) fn value(event: &Event, models: &mut Models, record: &mut Object<'_>) -> Result<(), Unanswered> {
    let mut object = record.open("value");
    let value = &mut object;
    match event {
        Event::DeploymentCreated(event) => deployment(event, models, value)?,
        Event::ProcessCreated(event) => process(event, value),
        Event::InstanceCreated(event) => creation(event, &*models.get(event.definition)?, value),
        Event::ResultAwaited(_) => (),
        Event::ClockReset(()) => value.number("time", 0),
        Event::Element(event) => element(event, &*models.get(event.definition)?, value),
        Event::FlowTaken(event) => flow(event, &*models.get(event.definition)?, value),
        Event::VariableCreated(event) | Event::VariableUpdated(event) => {
            variable(event, &*models.get(event.definition)?, value);
        }
        Event::VariablesUpdated(event) => variables(event, value),
        Event::Job(event) => job(event, -1, &*models.get(event.definition)?, value),
        Event::JobsActivated(event) => job_batch(event, models, value)?,
        Event::ProcessEventTriggering(event) | Event::ProcessEventTriggered(event) => {
            process_event(event, &*models.get(event.definition)?, value);
        }
        Event::IncidentCreated(event) | Event::IncidentResolved(event) => {
            incident(event, &*models.get(event.definition)?, value);
        }
        Event::InstanceBanned(event) => error(event, value),
        Event::ClockPinned(event) => value.number("time", event.at.as_millis()),
    }
    object.end();
    Ok(())
}

fn deployment(
    event: &DeploymentCreated,
    models: &mut Models,
    value: &mut Object<'_>,
) -> Result<(), Unanswered> {
    let mut resources: Vec<&DeployedProcess> = Vec::new();
    for process in &event.processes {
        if !resources.iter().any(|other| other.resource_name == process.resource_name) {
            resources.push(process);
        }
    }
    value.objects("resources", resources, |process, object| {
        let definition = models.definition(process.key)?;
        object.base64("resource", definition.as_ref().map_or(&[], |definition| &definition.record.resource));
        object.text("resourceName", &process.resource_name);
        Ok(())
    })?;
    value.objects("processesMetadata", &event.processes, |process, object| {
        object.text("bpmnProcessId", &process.id);
        object.number("version", i64::from(process.version));
        object.key("processDefinitionKey", process.key.raw());
        object.text("resourceName", &process.resource_name);
        object.base64("checksum", &process.checksum);
        object.boolean("duplicate", process.duplicate);
        model::tenant(object, event.tenant);
        object.key("deploymentKey", event.key.raw());
        object.text("versionTag", &process.version_tag);
        Ok(())
    })?;
    without_other_resources(value);
    model::tenant(value, event.tenant);
    value.key("deploymentKey", event.key.raw());
    Ok(())
}

/// Nothing but processes is deployed.
pub(super) fn without_other_resources(value: &mut Object<'_>) {
    value.members(r#""decisionRequirementsMetadata":[],"decisionsMetadata":[],"formMetadata":[]"#);
    value.members(r#""resourceMetadata":[]"#);
}

fn process(event: &ProcessCreated, value: &mut Object<'_>) {
    value.text("bpmnProcessId", &event.id);
    value.number("version", i64::from(event.version));
    value.key("processDefinitionKey", event.key.raw());
    value.text("resourceName", &event.resource_name);
    value.base64("resource", &event.resource);
    value.base64("checksum", &event.checksum);
    value.boolean("duplicate", false);
    model::tenant(value, event.tenant);
    value.key("deploymentKey", event.deployment.raw());
    value.text("versionTag", &event.version_tag);
}

fn creation(event: &InstanceCreated, model: &Model, value: &mut Object<'_>) {
    model.process(value);
    value.key("processInstanceKey", event.instance.raw());
    value.raw("variables", event.variables.as_str());
    without_instructions(value);
    model::tenant(value, event.tenant);
}

/// Instances begin at their start event, and run on as the model says.
pub(super) fn without_instructions(value: &mut Object<'_>) {
    value.members(r#""startInstructions":[],"runtimeInstructions":[],"tags":[]"#);
}

/// The way from the process instance down to an element instance.
fn paths(
    definition: ProcessDefinitionKey,
    instance: ProcessInstanceKey,
    element_instance: u64,
    value: &mut Object<'_>,
) {
    // A wish may not say where it leads.
    if definition.is_unset() {
        value.members(r#""elementInstancePath":[],"processDefinitionPath":[],"callingElementPath":[]"#);
        return;
    }
    let inner = (element_instance != instance.raw()).then_some(element_instance);
    value.path("elementInstancePath", std::iter::once(instance.raw()).chain(inner));
    value.keys("processDefinitionPath", [definition.raw()]);
    value.members(r#""callingElementPath":[]"#);
}

pub(super) fn element(event: &ElementChanged, model: &Model, value: &mut Object<'_>) {
    model.process(value);
    value.key("processInstanceKey", event.instance.raw());
    model.element_members(event.element, value);
    value.key("flowScopeKey", event.scope.raw());
    uncalled(value);
    model::tenant(value, event.tenant);
    paths(event.definition, event.instance, event.key.raw(), value);
}

fn flow(event: &FlowTaken, model: &Model, value: &mut Object<'_>) {
    model.process(value);
    value.key("processInstanceKey", event.instance.raw());
    model.element_members(event.element, value);
    value.key("flowScopeKey", event.scope.raw());
    uncalled(value);
    model::tenant(value, event.tenant);
    paths(event.definition, event.instance, event.key.raw(), value);
}

/// Nobody called the process.
fn uncalled(value: &mut Object<'_>) {
    value.members(r#""parentProcessInstanceKey":-1,"parentElementInstanceKey":-1,"tags":[]"#);
}

fn variable(event: &VariableSet, model: &Model, value: &mut Object<'_>) {
    value.text("name", &event.name);
    value.text("value", &event.value);
    value.key("scopeKey", event.scope.raw());
    value.key("processInstanceKey", event.instance.raw());
    value.key("processDefinitionKey", event.definition.raw());
    model.process_id(value);
    model::tenant(value, event.tenant);
}

fn variables(event: &VariablesUpdated, value: &mut Object<'_>) {
    document_update(event.scope.raw(), event.local, event.variables.as_str(), value);
    model::tenant(value, event.tenant);
}

/// What an update of variables and the wish for one have in common.
pub(super) fn document_update(scope: u64, local: bool, variables: &str, value: &mut Object<'_>) {
    value.key("scopeKey", scope);
    value.word("updateSemantics", if local { "LOCAL" } else { "PROPAGATE" });
    value.raw("variables", variables);
}

/// `timeout` in milliseconds is what a worker asked for, or −1.
pub(super) fn job(event: &JobChanged, timeout: i64, model: &Model, value: &mut Object<'_>) {
    value.text("type", &event.job_type);
    model.element_id("elementId", event.element, value);
    value.key("elementInstanceKey", event.element_instance.raw());
    model.process_of_job(value);
    value.key("processInstanceKey", event.instance.raw());
    model.headers(event.element, value);
    value.text("worker", &event.worker);
    value.number("retries", i64::from(event.retries));
    value.number("retryBackoff", event.backoff);
    value.number("recurringTime", event.recurs_at.map_or(-1, Timestamp::as_millis));
    value.number("deadline", event.deadline.map_or(-1, Timestamp::as_millis));
    value.number("timeout", timeout);
    value.raw("variables", event.variables.as_str());
    value.text("errorMessage", &event.error_message);
    value.text("errorCode", &event.error_code);
    // Every job is that of an element so far: there are no listeners.
    value.members(
        r#""jobKind":"BPMN_ELEMENT","jobListenerEventType":"UNSPECIFIED","changedAttributes":[],"tags":[]"#,
    );
    model.element_type(event.element, value);
    model::tenant(value, event.tenant);
}

fn job_batch(event: &JobsActivated, models: &mut Models, value: &mut Object<'_>) -> Result<(), Unanswered> {
    value.text("type", &event.job_type);
    value.text("worker", &event.worker);
    value.number("timeout", event.timeout);
    value.number("maxJobsToActivate", i64::from(event.max));
    value.keys("jobKeys", event.jobs.iter().map(|job| job.key.raw()));
    let mut changed = JobChanged {
        job_type: event.job_type.clone(),
        worker: event.worker.clone(),
        deadline: Some(event.deadline),
        ..JobChanged::default()
    };
    value.objects("jobs", &event.jobs, |taken, object| {
        changed.retries = taken.retries;
        changed.element_instance = taken.element_instance;
        changed.element = taken.element;
        changed.instance = taken.instance;
        changed.definition = taken.definition;
        changed.tenant = taken.tenant;
        job(&changed, -1, &*models.get(taken.definition)?, object);
        Ok(())
    })?;
    value.boolean("truncated", event.truncated);
    value.members(r#""tenantIds":["<default>"]"#);
    Ok(())
}

fn process_event(event: &ProcessEvent, model: &Model, value: &mut Object<'_>) {
    value.key("scopeKey", event.scope.raw());
    value.key("processInstanceKey", event.instance.raw());
    value.key("processDefinitionKey", event.definition.raw());
    model.element_id("targetElementId", event.element, value);
    value.raw("variables", event.variables.as_str());
    model::tenant(value, event.tenant);
}

pub(super) fn incident(event: &IncidentRecord, model: &Model, value: &mut Object<'_>) {
    value.word("errorType", event.kind.name());
    value.text("errorMessage", &event.message);
    model.process_id(value);
    value.key("processDefinitionKey", event.definition.raw());
    value.key("processInstanceKey", event.instance.raw());
    model.element_id("elementId", event.element, value);
    value.key("elementInstanceKey", event.element_instance.raw());
    value.key("jobKey", event.job.map_or(0, Key::raw));
    value.key("variableScopeKey", event.variable_scope.raw());
    model::tenant(value, event.tenant);
    paths(event.definition, event.instance, event.element_instance.raw(), value);
}

fn error(event: &InstanceBanned, value: &mut Object<'_>) {
    value.text("exceptionMessage", &event.message);
    value.text("stacktrace", "");
    value.number("errorEventPosition", -1);
    value.key("processInstanceKey", event.instance.raw());
}
