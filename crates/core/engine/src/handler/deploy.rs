//! Deploying resources: all of them, or none.

mod decision;
mod faults;
mod process;

use std::sync::Arc;

use coreto_machine::{Head, Txn};
use coreto_record::command::Deploy;
use coreto_record::event::DeploymentCreated;
use coreto_record::protocol::{ValueType, intent};
use coreto_record::{DeploymentKey, Event, Key, Rejection, Reply, reply};

use self::faults::Faults;
use super::Handled;
use crate::distribution;
use crate::engine::Engine;
use crate::keys;
use crate::limits::Limits;

/// What a request holds, checked.
#[derive(Default)]
struct Checked<'a> {
    processes: Vec<process::Candidate<'a>>,
    graphs: Vec<decision::Candidate<'a>>,
}

/// Deploys resources. When all of them are what is the latest already, nothing is created; when one is new or
/// changed, all get new versions, so that the deployment is complete in itself.
pub(crate) fn deploy(txn: &mut Txn<'_, Engine>, head: &Head, command: &Deploy) -> Handled {
    let Checked { processes, graphs } = check(command, &txn.env().limits)?;
    let state = txn.state();
    let duplicate = processes.iter().all(|candidate| process::known(state, command, candidate).is_some())
        && graphs.iter().all(|candidate| decision::known(state, command, candidate).is_some());
    let zone = Arc::clone(&txn.env().zone);
    let mut starts = Vec::new();
    for process in processes.iter().filter(|_| !duplicate) {
        starts.push(process::starts(txn.state(), head, &zone, command, process)?);
    }
    let key: DeploymentKey = keys::next(txn);
    let mut created = DeploymentCreated { key, tenant: command.tenant, ..DeploymentCreated::default() };
    for graph in &graphs {
        let (requirements, decisions) = decision::deploy(txn, command, graph, key, duplicate);
        created.requirements.push(requirements);
        created.decisions.extend(decisions);
    }
    for process in &processes {
        created.processes.push(process::deploy(txn, command, process, key, duplicate));
    }
    let deployed = reply::Deployed {
        key,
        processes: created.processes.clone(),
        tenant: command.tenant,
        requirements: created.requirements.clone(),
        decisions: created.decisions.clone(),
    };
    txn.emit(&Event::DeploymentCreated(created));
    for (starts, process) in starts.into_iter().zip(&deployed.processes) {
        process::restart(txn, command.tenant, starts, process);
    }
    let about = (ValueType::Deployment, intent::deployment::CREATE);
    Ok(distribution::begin(txn, head, key.raw(), about, Reply::Deployed(deployed)))
}

/// Checks all resources and reports all that is wrong with them at once.
fn check<'a>(command: &'a Deploy, limits: &Limits) -> Result<Checked<'a>, Rejection> {
    if command.resources.is_empty() {
        return Err(Rejection::invalid_argument(
            "there is nothing to deploy; at least one resource is needed",
        ));
    }
    let mut checked = Checked::default();
    let mut faults = Faults::new(limits);
    let mut decisions = Vec::new();
    for resource in &command.resources {
        if let Err(fault) = limits.check_name(&resource.name) {
            faults.add(&resource.name, &fault);
            continue;
        }
        // The suffix of its name says what a resource is.
        match resource.name.rsplit_once('.').map_or("", |(_, suffix)| suffix) {
            "bpmn" | "xml" => checked.processes.extend(process::read(resource, &mut faults)),
            "dmn" => decisions.push(resource),
            "form" => faults.add(&resource.name, "not implemented: forms"),
            _ => faults.add(&resource.name, "not implemented: resources other than BPMN and DMN"),
        }
    }
    checked.graphs = decision::read_all(&decisions, &mut faults);
    for process in &checked.processes {
        process::check_bound(process, &mut faults);
    }
    faults.finish()?;
    Ok(checked)
}
