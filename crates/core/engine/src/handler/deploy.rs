//! Deploying resources: all of them, or none.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use coreto_bpmn::{Diagnostic, Purpose, Severity};
use coreto_machine::{Head, Outcome, Txn};
use coreto_record::command::{Deploy, Resource};
use coreto_record::event::{DeploymentCreated, ProcessCreated};
use coreto_record::{DeployedProcess, DeploymentKey, Event, ProcessDefinitionKey, Rejection, Reply, reply};

use super::Handled;
use crate::engine::Engine;
use crate::keys;
use crate::limits::Limits;

/// A process of the request, checked.
struct Candidate<'a> {
    resource: &'a Resource,
    checksum: [u8; 16],
    id: Arc<str>,
    version_tag: Arc<str>,
}

/// Deploys resources. When all of them are what is the latest already, nothing is created; when one is new or
/// changed, all get new versions, so that the deployment is complete in itself.
pub(crate) fn deploy(txn: &mut Txn<'_, Engine>, _head: &Head, command: &Deploy) -> Handled {
    let candidates = check(command, &txn.env().limits)?;
    let all_known = candidates.iter().all(|candidate| known(txn, command, candidate).is_some());
    let deployment: DeploymentKey = keys::next(txn);
    let mut processes = Vec::with_capacity(candidates.len());
    for candidate in &candidates {
        let latest = if all_known { known(txn, command, candidate) } else { None };
        let (key, version) = match latest {
            Some(latest) => latest,
            None => create(txn, command, candidate, deployment),
        };
        processes.push(DeployedProcess {
            key,
            id: Arc::clone(&candidate.id),
            version,
            resource_name: Arc::clone(&candidate.resource.name),
            duplicate: all_known,
            checksum: candidate.checksum,
            version_tag: Arc::clone(&candidate.version_tag),
        });
    }
    let created = DeploymentCreated { key: deployment, tenant: command.tenant, processes: processes.clone() };
    txn.emit(&Event::DeploymentCreated(created));
    Ok(Outcome::Now(Reply::Deployed(reply::Deployed { key: deployment, processes, tenant: command.tenant })))
}

/// The latest version of the process, if its resource has the same content and name.
fn known(
    txn: &Txn<'_, Engine>,
    command: &Deploy,
    candidate: &Candidate<'_>,
) -> Option<(ProcessDefinitionKey, u32)> {
    let latest = txn.state().latest.get(&(command.tenant, Arc::clone(&candidate.id)))?;
    let record = &txn.state().definitions.peek(&latest.key)?.record;
    let same = record.checksum == candidate.checksum && record.resource_name == candidate.resource.name;
    same.then_some((latest.key, latest.version))
}

fn create(
    txn: &mut Txn<'_, Engine>,
    command: &Deploy,
    candidate: &Candidate<'_>,
    deployment: DeploymentKey,
) -> (ProcessDefinitionKey, u32) {
    let latest = txn.state().latest.get(&(command.tenant, Arc::clone(&candidate.id)));
    let version = latest.map_or(0, |latest| latest.version) + 1;
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

/// Checks all resources and reports all that is wrong with them at once.
fn check<'a>(command: &'a Deploy, limits: &Limits) -> Result<Vec<Candidate<'a>>, Rejection> {
    if command.resources.is_empty() {
        return Err(Rejection::invalid_argument(
            "there is nothing to deploy; at least one resource is needed",
        ));
    }
    let mut candidates = Vec::new();
    let mut faults = String::new();
    let mut ids = BTreeSet::new();
    for resource in &command.resources {
        let sound = limits.check_name(&resource.name).and_then(|()| check_suffix(&resource.name));
        if let Err(fault) = sound {
            add(&mut faults, &resource.name, &fault);
            continue;
        }
        let (read, diagnostics) =
            coreto_bpmn::read(&resource.content, Purpose::Deploy, &coreto_bpmn::Limits::default());
        let Some(read) = read else {
            add_diagnostics(&mut faults, &resource.name, &diagnostics);
            continue;
        };
        let checksum = md5::compute(&resource.content).0;
        for process in read.processes {
            if !ids.insert(Arc::clone(&process.id)) {
                let fault = format!("the process id `{}` stands in the request more than once", process.id);
                add(&mut faults, &resource.name, &fault);
            }
            let version_tag = process.version_tag.unwrap_or_default();
            candidates.push(Candidate { resource, checksum, id: process.id, version_tag });
        }
    }
    if faults.is_empty() { Ok(candidates) } else { Err(Rejection::invalid_argument(faults)) }
}

fn check_suffix(name: &str) -> Result<(), String> {
    let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    match suffix {
        "bpmn" | "xml" => Ok(()),
        "dmn" => Err("not implemented: decisions (DMN)".to_owned()),
        "form" => Err("not implemented: forms".to_owned()),
        _ => Err("not implemented: resources other than BPMN".to_owned()),
    }
}

fn add(faults: &mut String, name: &str, fault: &str) {
    if !faults.is_empty() {
        faults.push('\n');
    }
    write!(faults, "{}: {fault}", super::quoted(name)).expect("writing to a string does not fail");
}

fn add_diagnostics(faults: &mut String, name: &str, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error) {
        add(faults, name, &diagnostic.to_string());
    }
}
