//! What the engine answers, as it goes over the wire.

use coreto_engine::{
    Answer, DefinitionView, ElementView, IncidentView, InstanceDetails, InstanceView, JobStateView, JobView,
    VariableView,
};
use coreto_machine::Timestamp;
use coreto_protocol::inspect as pb;
use coreto_protocol::inspect::query_response::Answer as Told;
use coreto_record::{Key, Lifecycle};

use crate::convert::{raw, tenant_id, text, version};
use crate::status::Failure;

/// A page of a list.
pub(super) fn list(answer: Answer) -> Result<Told, Failure> {
    match answer {
        Answer::Definitions(found, next) => Ok(Told::Definitions(pb::DefinitionsAnswer {
            definitions: found.iter().map(definition).collect(),
            next: behind(next),
        })),
        Answer::Instances(found, next) => Ok(Told::Instances(pb::InstancesAnswer {
            instances: found.iter().map(instance_view).collect(),
            next: behind(next),
        })),
        Answer::Jobs(found, next) => {
            Ok(Told::Jobs(pb::JobsAnswer { jobs: found.iter().map(job).collect(), next: behind(next) }))
        }
        Answer::Incidents(found, next) => Ok(Told::Incidents(pb::IncidentsAnswer {
            incidents: found.iter().map(incident).collect(),
            next: behind(next),
        })),
        Answer::Status(_) | Answer::Definition(_) | Answer::Requirements(_) | Answer::Instance(_) => {
            Err(Failure::Mismatch { call: "a question for a list" })
        }
    }
}

/// Whether a page says where to go on.
pub(super) fn goes_on(page: &Told) -> bool {
    match page {
        Told::Definitions(list) => list.next != 0,
        Told::Instances(list) => list.next != 0,
        Told::Jobs(list) => list.next != 0,
        Told::Incidents(list) => list.next != 0,
        Told::Instance(_) | Told::Status(_) => false,
    }
}

/// Whether a page at the end of a partition has entries; and the page, which goes on at the next partition.
pub(super) fn ends(mut page: Told, partition: u32) -> (bool, Told) {
    // No key of this partition is larger.
    let largest = coreto_record::JobKey::issue(partition, (1 << 51) - 1);
    let (found, next) = match &mut page {
        Told::Definitions(list) => (!list.definitions.is_empty(), &mut list.next),
        Told::Instances(list) => (!list.instances.is_empty(), &mut list.next),
        Told::Jobs(list) => (!list.jobs.is_empty(), &mut list.next),
        Told::Incidents(list) => (!list.incidents.is_empty(), &mut list.next),
        Told::Instance(_) | Told::Status(_) => return (true, page),
    };
    *next = raw(largest);
    (found, page)
}

fn behind(next: Option<u64>) -> i64 {
    next.map_or(0, u64::cast_signed)
}

/// An instance with all that it holds.
pub(super) fn instance(details: &InstanceDetails) -> pb::InstanceAnswer {
    pb::InstanceAnswer {
        instance: Some(instance_view(&details.instance)),
        element_instances: details.elements.iter().map(element).collect(),
        variables: details.variables.iter().map(variable).collect(),
        jobs: details.jobs.iter().map(job).collect(),
        incidents: details.incidents.iter().map(incident).collect(),
        truncated: details.truncated,
    }
}

fn instance_view(view: &InstanceView) -> pb::Instance {
    let state = match (view.terminating, view.incidents) {
        (true, _) => pb::InstanceState::Terminating,
        (false, 0) => pb::InstanceState::Active,
        (false, _) => pb::InstanceState::Incident,
    };
    pb::Instance {
        key: raw(view.key),
        process_id: text(&view.process),
        version: version(view.version),
        process_definition_key: raw(view.definition),
        tenant_id: tenant_id(view.tenant),
        state: state.into(),
        started_at: view.started.as_millis(),
        incidents: view.incidents,
    }
}

fn element(view: &ElementView) -> pb::ElementInstance {
    let state = match view.state {
        Lifecycle::Activating => pb::ElementState::Activating,
        Lifecycle::Activated => pb::ElementState::Activated,
        Lifecycle::Completing => pb::ElementState::Completing,
        Lifecycle::Terminating => pb::ElementState::Terminating,
        // What has ended is not kept.
        Lifecycle::Completed | Lifecycle::Terminated => pb::ElementState::Unspecified,
    };
    pb::ElementInstance {
        key: raw(view.key),
        scope_key: raw(view.scope),
        element_id: text(&view.element),
        element_type: view.element_type.to_owned(),
        state: state.into(),
    }
}

fn variable(view: &VariableView) -> pb::Variable {
    pb::Variable {
        key: raw(view.key),
        scope_key: raw(view.scope),
        name: text(&view.name),
        value: text(&view.value),
    }
}

fn job(view: &JobView) -> pb::Job {
    let state = match view.state {
        JobStateView::Activatable => pb::JobState::Activatable,
        JobStateView::Activated => pb::JobState::Activated,
        JobStateView::BackingOff => pb::JobState::BackingOff,
        JobStateView::Failed => pb::JobState::Failed,
        JobStateView::ErrorThrown => pb::JobState::ErrorThrown,
    };
    pb::Job {
        key: raw(view.key),
        r#type: text(&view.job_type),
        state: state.into(),
        process_instance_key: raw(view.instance),
        element_instance_key: raw(view.element_instance),
        process_id: text(&view.process),
        element_id: text(&view.element),
        retries: view.retries,
        worker: text(&view.worker),
        deadline: view.deadline.map_or(0, Timestamp::as_millis),
        error_message: text(&view.error_message),
        tenant_id: tenant_id(view.tenant),
    }
}

fn incident(view: &IncidentView) -> pb::Incident {
    pb::Incident {
        key: raw(view.key),
        error_type: view.kind.name().to_owned(),
        error_message: text(&view.message),
        process_instance_key: raw(view.instance),
        element_instance_key: raw(view.element_instance),
        process_id: text(&view.process),
        element_id: text(&view.element),
        job_key: view.job.map_or(0, raw),
        created_at: view.at.as_millis(),
        tenant_id: tenant_id(view.tenant),
    }
}

fn definition(view: &DefinitionView) -> pb::Definition {
    pb::Definition {
        key: raw(view.key),
        process_id: text(&view.process),
        version: version(view.version),
        version_tag: text(&view.version_tag),
        resource_name: text(&view.resource_name),
        // The state does not keep it; the records do.
        deployed_at: 0,
        tenant_id: tenant_id(view.tenant),
    }
}
