//! What fields of requests must look like, and how the engine's words look on the wire.

use std::fmt::Display;
use std::sync::Arc;

use coreto_engine::Limits;
use coreto_machine::Tenant;
use coreto_protocol::gateway as pb;
use coreto_record::{Document, Key, RejectionKind, reply};

use crate::status::Failure;

/// The name of the default tenant on the wire.
pub(crate) const DEFAULT_TENANT: &str = "<default>";

/// A tenant of a request. While there is only the default one, naming another is an error.
pub(crate) fn tenant(field: &'static str, id: &str) -> Result<Tenant, Failure> {
    if id.is_empty() || id == DEFAULT_TENANT {
        return Ok(Tenant::DEFAULT);
    }
    let reason =
        format!("tenant `{id}` is unknown, for multi-tenancy is off; leave it out or say `<default>`");
    Err(Failure::invalid(field, reason))
}

/// The tenants of a request for jobs.
pub(crate) fn tenants(ids: &[String], filter: i32) -> Result<Arc<[Tenant]>, Failure> {
    match pb::TenantFilter::try_from(filter) {
        Ok(pb::TenantFilter::Provided) => (),
        Ok(pb::TenantFilter::Assigned) => return Err(Failure::Unbuilt { what: "tenantFilter ASSIGNED" }),
        Err(_) => return Err(Failure::invalid("tenantFilter", format!("{filter} is not a filter"))),
    }
    for id in ids {
        tenant("tenantIds", id)?;
    }
    Ok(Arc::from([Tenant::DEFAULT]))
}

pub(crate) fn tenant_id(tenant: Tenant) -> String {
    if tenant == Tenant::DEFAULT { DEFAULT_TENANT.to_owned() } else { tenant.raw().to_string() }
}

/// The key of an existing thing. Keys are positive, so anything else names nothing.
pub(crate) fn key<K: Key>(raw: i64, intent: &'static str, what: impl Display) -> Result<K, Failure> {
    match u64::try_from(raw) {
        Ok(raw) if raw > 0 => Ok(K::from_raw(raw)),
        Ok(_) | Err(_) => Err(Failure::Rejected {
            intent,
            kind: RejectionKind::NotFound,
            reason: format!("no {what} has the key {raw}; keys are positive"),
        }),
    }
}

/// A key that may be left out, as 0 or −1.
pub(crate) fn optional_key<K: Key>(field: &'static str, raw: i64) -> Result<Option<K>, Failure> {
    match raw {
        -1 | 0 => Ok(None),
        1.. => Ok(Some(K::from_raw(raw.unsigned_abs()))),
        ..-1 => Err(Failure::invalid(field, format!("{raw} is no key; keys are positive, −1 is none"))),
    }
}

/// A key on the wire.
pub(crate) fn text(text: &str) -> String {
    text.to_owned()
}

pub(crate) fn raw(key: impl Key) -> i64 {
    key.raw().cast_signed()
}

/// A JSON object.
pub(crate) fn document(field: &'static str, text: &str) -> Result<Document, Failure> {
    Document::parse(text).map_err(|error| Failure::invalid(field, error.to_string()))
}

pub(crate) fn operation_reference(reference: Option<u64>) -> Result<Option<u64>, Failure> {
    if reference == Some(0) {
        return Err(Failure::invalid("operationReference", "it must be more than 0"));
    }
    Ok(reference)
}

pub(crate) fn not_blank(field: &'static str, text: &str) -> Result<(), Failure> {
    if text.trim().is_empty() { Err(Failure::invalid(field, "it must not be blank")) } else { Ok(()) }
}

pub(crate) fn at_least_one(field: &'static str, number: i64) -> Result<(), Failure> {
    if number < 1 {
        return Err(Failure::invalid(field, format!("it must be at least 1, and is {number}")));
    }
    Ok(())
}

/// Refuses a field that asks for what is not built.
pub(crate) fn unbuilt(asked: bool, what: &'static str) -> Result<(), Failure> {
    if asked { Err(Failure::Unbuilt { what }) } else { Ok(()) }
}

/// Refuses lease tokens; nothing that has one can have been given out by this server.
pub(crate) fn no_lease(token: Option<&str>) -> Result<(), Failure> {
    unbuilt(token.is_some_and(|token| !token.is_empty()), "leaseToken")
}

/// A name that is kept: while its request waits, or in state.
pub(crate) fn name(limits: &Limits, field: &'static str, text: String) -> Result<Arc<str>, Failure> {
    limits.check_name(&text).map_err(|wrong| Failure::invalid(field, wrong))?;
    Ok(text.into())
}

/// The names of variables that are asked for.
pub(crate) fn fetch(
    limits: &Limits,
    field: &'static str,
    names: Vec<String>,
) -> Result<Vec<Arc<str>>, Failure> {
    let names: Vec<Arc<str>> = names.into_iter().map(Into::into).collect();
    limits.check_fetch(&names).map_err(|wrong| Failure::invalid(field, wrong))?;
    Ok(names)
}

pub(crate) fn version(version: u32) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}

pub(crate) fn job(job: &reply::ActivatedJob) -> pb::ActivatedJob {
    pb::ActivatedJob {
        key: raw(job.key),
        r#type: job.job_type.as_ref().to_owned(),
        process_instance_key: raw(job.instance),
        bpmn_process_id: job.process.as_ref().to_owned(),
        process_definition_version: version(job.version),
        process_definition_key: raw(job.definition),
        element_id: job.element.as_ref().to_owned(),
        element_instance_key: raw(job.element_instance),
        custom_headers: if job.headers.is_empty() {
            "{}".to_owned()
        } else {
            job.headers.as_ref().to_owned()
        },
        worker: job.worker.as_ref().to_owned(),
        retries: job.retries,
        deadline: job.deadline.as_millis(),
        variables: job.variables.as_str().to_owned(),
        tenant_id: tenant_id(job.tenant),
        user_task: None,
        kind: pb::activated_job::JobKind::BpmnElement.into(),
        // The zero value would say that a listener for assignments is asked for.
        listener_event_type: pb::activated_job::ListenerEventType::Unspecified.into(),
        tags: Vec::new(),
        priority: 0,
        business_id: String::new(),
        lease_token: None,
        physical_tenant_id: String::new(),
    }
}

pub(crate) fn process(process: &reply::DeployedProcess, tenant: Tenant) -> pb::ProcessMetadata {
    pb::ProcessMetadata {
        bpmn_process_id: text(&process.id),
        version: version(process.version),
        process_definition_key: raw(process.key),
        resource_name: process.resource_name.as_ref().to_owned(),
        tenant_id: tenant_id(tenant),
    }
}

pub(crate) fn decision(decision: &reply::DeployedDecision, tenant: Tenant) -> pb::DecisionMetadata {
    pb::DecisionMetadata {
        dmn_decision_id: text(&decision.id),
        dmn_decision_name: text(&decision.name),
        version: version(decision.version),
        decision_key: raw(decision.key),
        dmn_decision_requirements_id: text(&decision.requirements_id),
        decision_requirements_key: raw(decision.requirements),
        tenant_id: tenant_id(tenant),
    }
}

pub(crate) fn requirements(
    graph: &reply::DeployedRequirements,
    tenant: Tenant,
) -> pb::DecisionRequirementsMetadata {
    pb::DecisionRequirementsMetadata {
        dmn_decision_requirements_id: text(&graph.id),
        dmn_decision_requirements_name: text(&graph.name),
        version: version(graph.version),
        decision_requirements_key: raw(graph.key),
        resource_name: text(&graph.resource_name),
        tenant_id: tenant_id(tenant),
    }
}

pub(crate) fn instance_created(created: &reply::InstanceCreated) -> pb::CreateProcessInstanceResponse {
    pb::CreateProcessInstanceResponse {
        process_definition_key: raw(created.definition),
        bpmn_process_id: created.process.as_ref().to_owned(),
        version: version(created.version),
        process_instance_key: raw(created.key),
        tenant_id: tenant_id(created.tenant),
        tags: Vec::new(),
        business_id: None,
    }
}

pub(crate) fn instance_completed(
    completed: &reply::InstanceCompleted,
) -> pb::CreateProcessInstanceWithResultResponse {
    let created = &completed.created;
    pb::CreateProcessInstanceWithResultResponse {
        process_definition_key: raw(created.definition),
        bpmn_process_id: created.process.as_ref().to_owned(),
        version: version(created.version),
        process_instance_key: raw(created.key),
        variables: completed.variables.as_str().to_owned(),
        tenant_id: tenant_id(created.tenant),
        tags: Vec::new(),
        business_id: None,
    }
}
