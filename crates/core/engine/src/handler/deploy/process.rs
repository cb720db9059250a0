//! Processes of a deployment.

use std::sync::Arc;

use coreto_bpmn::{
    Binding, CalledDecision, CalledElement, Element, Kind, Limits, Process, Purpose, Rule, Severity, Text,
};
use coreto_machine::{Head, Tenant, Txn};
use coreto_record::command::{Deploy, Resource};
use coreto_record::event::ProcessCreated;
use coreto_record::{DeployedProcess, DeploymentKey, ElementNumber, Event, ProcessDefinitionKey, Rejection};

use super::faults::{DECISION_ID, Faults, PROCESS_ID};
use crate::engine::Engine;
use crate::keys;
use crate::state::{State, Versioned};
use crate::subscription::{Wanted, start};

/// A process of the request, checked.
pub(super) struct Candidate<'a> {
    resource: &'a Resource,
    checksum: [u8; 16],
    id: Arc<str>,
    version_tag: Arc<str>,
    process: Process,
    /// What must be deployed together with it: kinds and ids.
    bound: Vec<(&'static str, Arc<str>)>,
}

/// Reads the processes of a BPMN file; all that is wrong with it is reported.
pub(super) fn read<'a>(resource: &'a Resource, faults: &mut Faults<'_>) -> Vec<Candidate<'a>> {
    let (read, diagnostics) = coreto_bpmn::read(&resource.content, Purpose::Deploy, &Limits::default());
    let Some(read) = read else {
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error) {
            faults.add(&resource.name, &diagnostic.to_string());
        }
        return Vec::new();
    };
    let checksum = md5::compute(&resource.content).0;
    let mut candidates = Vec::with_capacity(read.processes.len());
    for process in read.processes {
        faults.check_id(&resource.name, PROCESS_ID, &process.id);
        let (id, version_tag) = (Arc::clone(&process.id), process.version_tag.clone().unwrap_or_default());
        let bound = process.elements.iter().filter_map(bound).collect();
        candidates.push(Candidate { resource, checksum, id, version_tag, process, bound });
    }
    candidates
}

/// What an element takes from its own deployment, as far as the model tells: its kind, and its id.
fn bound(element: &Element) -> Option<(&'static str, Arc<str>)> {
    let (kind, id, binding) = match &element.kind {
        Kind::BusinessRuleTask(rule) => match &**rule {
            Rule::Decision(CalledDecision { decision, binding, .. }) => (DECISION_ID, decision, binding),
            Rule::Job(_) => return None,
        },
        Kind::CallActivity(called) => {
            let CalledElement { process, binding, .. } = &**called;
            (PROCESS_ID, process, binding)
        }
        _ => return None,
    };
    match (id, binding) {
        (Text::Static(id), Binding::Deployment) => Some((kind, Arc::clone(id))),
        _ => None,
    }
}

/// What a process takes from its own deployment stands in the request.
pub(super) fn check_bound(candidate: &Candidate<'_>, faults: &mut Faults<'_>) {
    for (kind, id) in &candidate.bound {
        if !faults.knows(kind, id) {
            let kind = if *kind == PROCESS_ID { "process" } else { "decision" };
            let fault = format!(
                "the process `{}` binds to the {kind} `{id}` of its deployment, which is not in the request",
                candidate.id
            );
            faults.add(&candidate.resource.name, &fault);
        }
    }
}

/// The latest version of the process, if its resource has the same content and name.
pub(super) fn known(
    state: &State,
    command: &Deploy,
    candidate: &Candidate<'_>,
) -> Option<(ProcessDefinitionKey, u32)> {
    let latest = state.latest.get(&(command.tenant, Arc::clone(&candidate.id)))?;
    let record = &state.definitions.peek(&latest.key)?.record;
    let same = record.checksum == candidate.checksum && record.resource_name == candidate.resource.name;
    same.then_some((latest.key, latest.version))
}

/// What starts instances of a new version of a process.
pub(super) struct Starts {
    wanted: Vec<(ElementNumber, Wanted)>,
    /// The version of which instances were started until now.
    before: Option<ProcessDefinitionKey>,
}

/// Understands what starts instances of the process, before anything is done.
pub(super) fn starts(
    state: &State,
    head: &Head,
    zone: &str,
    command: &Deploy,
    candidate: &Candidate<'_>,
) -> Result<Starts, Rejection> {
    let wanted = start::understand(head, zone, &candidate.process).map_err(|(kind, trouble)| {
        let reason = format!("cannot deploy the process `{}`: {}", candidate.id, trouble.message);
        Rejection::new(kind, reason)
    })?;
    let before = state.latest.get(&(command.tenant, Arc::clone(&candidate.id))).map(|latest| latest.key);
    Ok(Starts { wanted, before })
}

/// Lets what starts instances start those of a new version, and no older one.
pub(super) fn restart(txn: &mut Txn<'_, Engine>, tenant: Tenant, starts: Starts, created: &DeployedProcess) {
    if let Some(before) = starts.before {
        start::close(txn, before);
    }
    start::open(txn, created.key, tenant, &created.id, starts.wanted);
}

/// The process as it is deployed: a new version, unless the whole deployment is known.
pub(super) fn deploy(
    txn: &mut Txn<'_, Engine>,
    command: &Deploy,
    candidate: &Candidate<'_>,
    deployment: DeploymentKey,
    duplicate: bool,
) -> DeployedProcess {
    let latest = if duplicate { known(txn.state(), command, candidate) } else { None };
    let (key, version) = latest.unwrap_or_else(|| create(txn, command, candidate, deployment));
    DeployedProcess {
        key,
        id: Arc::clone(&candidate.id),
        version,
        resource_name: Arc::clone(&candidate.resource.name),
        duplicate,
        checksum: candidate.checksum,
        version_tag: Arc::clone(&candidate.version_tag),
    }
}

fn create(
    txn: &mut Txn<'_, Engine>,
    command: &Deploy,
    candidate: &Candidate<'_>,
    deployment: DeploymentKey,
) -> (ProcessDefinitionKey, u32) {
    let id = (command.tenant, Arc::clone(&candidate.id));
    let latest = txn.state().latest.get(&id).map(|latest| latest.version);
    let version = txn.state().next_version(Versioned::Process, &id, latest);
    let key = keys::next(txn);
    txn.emit(&Event::ProcessCreated(ProcessCreated {
        key,
        tenant: command.tenant,
        id: Arc::clone(&candidate.id),
        version,
        version_tag: Arc::clone(&candidate.version_tag),
        resource_name: Arc::clone(&candidate.resource.name),
        resource: Arc::clone(&candidate.resource.content),
        checksum: candidate.checksum,
        deployment,
    }));
    (key, version)
}
