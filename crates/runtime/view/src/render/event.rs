//! Events.

use coreto_machine::Timestamp;
use coreto_record::event::{
    DeploymentCreated, ElementChanged, FlowTaken, IncidentRecord, InstanceBanned, InstanceCreated,
    JobChanged, JobsActivated, ProcessCreated, ProcessEvent, VariableSet, VariablesUpdated,
};
use coreto_record::protocol::{ValueType, intent};
use coreto_record::{DeployedProcess, Event, Key, ProcessInstanceKey};

use super::json::Object;
use super::{Subject, model};
use crate::definitions::Definitions;

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
pub(super) fn value(event: &Event, definitions: &mut Definitions, record: &mut Object<'_>) {
    record.object("value", |value| match event {
        Event::DeploymentCreated(event) => deployment(event, definitions, value),
        Event::ProcessCreated(event) => process(event, value),
        Event::InstanceCreated(event) => creation(event, definitions, value),
        Event::ResultAwaited(_) | Event::ClockReset(()) => (),
        Event::Element(event) => element(event, definitions, value),
        Event::FlowTaken(event) => flow(event, definitions, value),
        Event::VariableCreated(event) | Event::VariableUpdated(event) => variable(event, definitions, value),
        Event::VariablesUpdated(event) => variables(event, value),
        Event::Job(event) => job(event, definitions, value),
        Event::JobsActivated(event) => job_batch(event, definitions, value),
        Event::ProcessEventTriggering(event) | Event::ProcessEventTriggered(event) => {
            process_event(event, definitions, value);
        }
        Event::IncidentCreated(event) | Event::IncidentResolved(event) => incident(event, definitions, value),
        Event::InstanceBanned(event) => error(event, value),
        Event::ClockPinned(event) => value.number("time", event.at.as_millis()),
    });
}

fn deployment(event: &DeploymentCreated, definitions: &mut Definitions, value: &mut Object<'_>) {
    let mut resources: Vec<&DeployedProcess> = Vec::new();
    for process in &event.processes {
        if !resources.iter().any(|other| other.resource_name == process.resource_name) {
            resources.push(process);
        }
    }
    value.objects("resources", resources, |process, object| {
        let resource = definitions.get(process.key).map(|definition| definition.record.resource.clone());
        object.base64("resource", resource.as_deref().unwrap_or_default());
        object.text("resourceName", &process.resource_name);
    });
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
    });
    for name in ["decisionRequirementsMetadata", "decisionsMetadata", "formMetadata", "resourceMetadata"] {
        value.raw(name, "[]");
    }
    model::tenant(value, event.tenant);
    value.key("deploymentKey", event.key.raw());
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

fn creation(event: &InstanceCreated, definitions: &mut Definitions, value: &mut Object<'_>) {
    model::process(value, definitions, event.definition);
    value.key("processInstanceKey", event.instance.raw());
    value.raw("variables", event.variables.as_str());
    value.raw("startInstructions", "[]");
    value.raw("runtimeInstructions", "[]");
    value.raw("tags", "[]");
    model::tenant(value, event.tenant);
}

/// Nobody called the process.
fn uncalled(value: &mut Object<'_>) {
    value.number("parentProcessInstanceKey", -1);
    value.number("parentElementInstanceKey", -1);
}

/// The way from the process instance down to an element instance.
fn paths(value: &mut Object<'_>, definition: u64, instance: ProcessInstanceKey, element_instance: u64) {
    let inner = (element_instance != instance.raw()).then_some(element_instance);
    value.path("elementInstancePath", std::iter::once(instance.raw()).chain(inner));
    value.numbers("processDefinitionPath", [definition]);
    value.raw("callingElementPath", "[]");
}

fn element(event: &ElementChanged, definitions: &mut Definitions, value: &mut Object<'_>) {
    model::process(value, definitions, event.definition);
    value.key("processInstanceKey", event.instance.raw());
    model::element(value, definitions, event.definition, event.element);
    value.key("flowScopeKey", event.scope.raw());
    uncalled(value);
    model::tenant(value, event.tenant);
    paths(value, event.definition.raw(), event.instance, event.key.raw());
    value.raw("tags", "[]");
}

fn flow(event: &FlowTaken, definitions: &mut Definitions, value: &mut Object<'_>) {
    model::process(value, definitions, event.definition);
    value.key("processInstanceKey", event.instance.raw());
    model::element(value, definitions, event.definition, event.element);
    value.key("flowScopeKey", event.scope.raw());
    uncalled(value);
    model::tenant(value, event.tenant);
    paths(value, event.definition.raw(), event.instance, event.key.raw());
    value.raw("tags", "[]");
}

fn variable(event: &VariableSet, definitions: &mut Definitions, value: &mut Object<'_>) {
    value.text("name", &event.name);
    value.text("value", &event.value);
    value.key("scopeKey", event.scope.raw());
    value.key("processInstanceKey", event.instance.raw());
    value.key("processDefinitionKey", event.definition.raw());
    let id = definitions.get(event.definition).map(|definition| definition.record.id.clone());
    value.text("bpmnProcessId", id.as_deref().unwrap_or_default());
    model::tenant(value, event.tenant);
}

fn variables(event: &VariablesUpdated, value: &mut Object<'_>) {
    value.key("scopeKey", event.scope.raw());
    value.text("updateSemantics", if event.local { "LOCAL" } else { "PROPAGATE" });
    value.raw("variables", event.variables.as_str());
    model::tenant(value, event.tenant);
}

fn job(event: &JobChanged, definitions: &mut Definitions, value: &mut Object<'_>) {
    value.text("type", &event.job_type);
    model::element_id(value, "elementId", definitions, event.definition, event.element);
    value.key("elementInstanceKey", event.element_instance.raw());
    model::process_of_job(value, definitions, event.definition);
    value.key("processInstanceKey", event.instance.raw());
    headers(value, definitions, event);
    value.text("worker", &event.worker);
    value.number("retries", i64::from(event.retries));
    value.number("retryBackoff", event.backoff);
    value.number("recurringTime", event.recurs_at.map_or(-1, Timestamp::as_millis));
    value.number("deadline", event.deadline.map_or(-1, Timestamp::as_millis));
    value.number("timeout", -1);
    value.raw("variables", event.variables.as_str());
    value.text("errorMessage", &event.error_message);
    value.text("errorCode", &event.error_code);
    kind(value);
    value.raw("changedAttributes", "[]");
    value.raw("tags", "[]");
    model::tenant(value, event.tenant);
}

/// Every job is that of an element so far.
fn kind(value: &mut Object<'_>) {
    value.text("jobKind", "BPMN_ELEMENT");
    value.text("jobListenerEventType", "UNSPECIFIED");
}

fn headers(value: &mut Object<'_>, definitions: &mut Definitions, event: &JobChanged) {
    let element = definitions.get(event.definition).and_then(|definition| definition.element(event.element));
    let headers = match element.map(|element| &element.kind) {
        Some(coreto_bpmn::Kind::ServiceTask(job)) => &*job.headers_json,
        _ => "{}",
    };
    value.raw("customHeaders", headers);
}

fn job_batch(event: &JobsActivated, definitions: &mut Definitions, value: &mut Object<'_>) {
    value.text("type", &event.job_type);
    value.text("worker", &event.worker);
    value.number("timeout", event.timeout);
    value.number("maxJobsToActivate", i64::from(event.max));
    value.numbers("jobKeys", event.jobs.iter().map(|job| job.key.raw()));
    value.objects("jobs", &event.jobs, |taken, object| {
        let changed = JobChanged {
            key: taken.key,
            job_type: event.job_type.clone(),
            worker: event.worker.clone(),
            retries: taken.retries,
            deadline: Some(event.deadline),
            element_instance: taken.element_instance,
            element: taken.element,
            instance: taken.instance,
            definition: taken.definition,
            tenant: taken.tenant,
            ..JobChanged::default()
        };
        job(&changed, definitions, object);
    });
    value.boolean("truncated", event.truncated);
    value.raw("tenantIds", r#"["<default>"]"#);
}

fn process_event(event: &ProcessEvent, definitions: &mut Definitions, value: &mut Object<'_>) {
    value.key("scopeKey", event.scope.raw());
    value.key("processInstanceKey", event.instance.raw());
    value.key("processDefinitionKey", event.definition.raw());
    model::element_id(value, "targetElementId", definitions, event.definition, event.element);
    value.raw("variables", event.variables.as_str());
    model::tenant(value, event.tenant);
}

fn incident(event: &IncidentRecord, definitions: &mut Definitions, value: &mut Object<'_>) {
    value.text("errorType", event.kind.name());
    value.text("errorMessage", &event.message);
    let id = definitions.get(event.definition).map(|definition| definition.record.id.clone());
    value.text("bpmnProcessId", id.as_deref().unwrap_or_default());
    value.key("processDefinitionKey", event.definition.raw());
    value.key("processInstanceKey", event.instance.raw());
    model::element_id(value, "elementId", definitions, event.definition, event.element);
    value.key("elementInstanceKey", event.element_instance.raw());
    value.key("jobKey", event.job.map_or(0, Key::raw));
    value.key("variableScopeKey", event.variable_scope.raw());
    model::tenant(value, event.tenant);
    paths(value, event.definition.raw(), event.instance, event.element_instance.raw());
}

fn error(event: &InstanceBanned, value: &mut Object<'_>) {
    value.text("exceptionMessage", &event.message);
    value.text("stacktrace", "");
    value.number("errorEventPosition", -1);
    value.key("processInstanceKey", event.instance.raw());
}
