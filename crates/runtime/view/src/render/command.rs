//! Rejected commands: what the client had wished for.

use coreto_machine::Tenant;
use coreto_record::{Command, Document, Key, ProcessInstanceKey};

use super::json::Object;
use super::model;

/// The process instance that a command names.
pub(super) fn instance(command: &Command) -> Option<ProcessInstanceKey> {
    match command {
        Command::CancelInstance(cancel) => Some(cancel.instance),
        Command::ActivateElement(activate) => Some(activate.instance),
        _ => None,
    }
}

/// A job of which only the command's part is known.
#[derive(Default)]
struct Job<'a> {
    retries: i64,
    backoff: i64,
    timeout: i64,
    error_message: &'a str,
    error_code: &'a str,
    variables: Document,
}

/// Writes the member `value`.
pub(super) fn value(command: &Command, record: &mut Object<'_>) {
    record.object("value", |value| match command {
        Command::Deploy(deploy) => {
            value.objects("resources", &deploy.resources, |resource, object| {
                object.base64("resource", &resource.content);
                object.text("resourceName", &resource.name);
            });
            model::tenant(value, deploy.tenant);
        }
        Command::CreateInstance(create) => {
            value.text("bpmnProcessId", &create.process);
            value.number("version", create.version.map_or(-1, i64::from));
            value.key("processDefinitionKey", create.definition.map_or(0, Key::raw));
            value.number("processInstanceKey", -1);
            value.raw("variables", create.variables.as_str());
            value.raw("startInstructions", "[]");
            model::tenant(value, create.tenant);
        }
        Command::CancelInstance(cancel) => element(value, cancel.instance.raw(), 0),
        Command::ActivateElement(activate) => element(value, activate.instance.raw(), activate.scope.raw()),
        Command::CompleteElement(_) | Command::TerminateElement(_) | Command::TerminateChildren(_) => {
            element(value, 0, 0);
        }
        Command::SetVariables(set) => {
            value.key("scopeKey", set.scope.raw());
            value.text("updateSemantics", if set.local { "LOCAL" } else { "PROPAGATE" });
            value.raw("variables", set.variables.as_str());
            model::tenant(value, Tenant::DEFAULT);
        }
        Command::ActivateJobs(activate) => {
            value.text("type", &activate.job_type);
            value.text("worker", &activate.worker);
            value.number("timeout", activate.timeout);
            value.number("maxJobsToActivate", i64::from(activate.max));
            value.raw("jobKeys", "[]");
            value.raw("jobs", "[]");
            value.boolean("truncated", false);
        }
        Command::CompleteJob(complete) => {
            job(value, &Job { variables: complete.variables.clone(), ..Job::default() });
        }
        Command::FailJob(fail) => job(
            value,
            &Job {
                retries: i64::from(fail.retries),
                backoff: fail.backoff,
                error_message: &fail.message,
                variables: fail.variables.clone(),
                ..Job::default()
            },
        ),
        Command::ThrowError(throw) => job(
            value,
            &Job {
                error_code: &throw.code,
                error_message: &throw.message,
                variables: throw.variables.clone(),
                ..Job::default()
            },
        ),
        Command::UpdateJobRetries(update) => {
            job(value, &Job { retries: i64::from(update.retries), ..Job::default() });
        }
        Command::UpdateJobTimeout(update) => job(value, &Job { timeout: update.timeout, ..Job::default() }),
        Command::YieldJob(_) | Command::Tick(()) => job(value, &Job::default()),
        Command::ResolveIncident(_) => {
            value.text("errorType", "UNKNOWN");
            value.text("errorMessage", "");
            value.number("processInstanceKey", -1);
            value.number("jobKey", -1);
            model::tenant(value, Tenant::DEFAULT);
        }
        Command::PinClock(pin) => value.number("time", pin.at.as_millis()),
        Command::ResetClock(()) => (),
    });
}

fn element(value: &mut Object<'_>, instance: u64, scope: u64) {
    value.text("bpmnProcessId", "");
    value.number("version", -1);
    value.number("processDefinitionKey", -1);
    value.key("processInstanceKey", instance);
    value.text("elementId", "");
    value.key("flowScopeKey", scope);
    value.text("bpmnElementType", "UNSPECIFIED");
    value.text("bpmnEventType", "UNSPECIFIED");
    value.number("parentProcessInstanceKey", -1);
    value.number("parentElementInstanceKey", -1);
    model::tenant(value, Tenant::DEFAULT);
}

fn job(value: &mut Object<'_>, job: &Job<'_>) {
    value.text("type", "");
    value.text("elementId", "");
    value.number("elementInstanceKey", -1);
    value.text("bpmnProcessId", "");
    value.number("processDefinitionVersion", -1);
    value.number("processDefinitionKey", -1);
    value.number("processInstanceKey", -1);
    value.raw("customHeaders", "{}");
    value.text("worker", "");
    value.number("retries", job.retries);
    value.number("retryBackoff", job.backoff);
    value.number("recurringTime", -1);
    value.number("deadline", -1);
    value.number("timeout", job.timeout);
    value.raw("variables", job.variables.as_str());
    value.text("errorMessage", job.error_message);
    value.text("errorCode", job.error_code);
    value.text("jobKind", "BPMN_ELEMENT");
    value.text("jobListenerEventType", "UNSPECIFIED");
    model::tenant(value, Tenant::DEFAULT);
}
