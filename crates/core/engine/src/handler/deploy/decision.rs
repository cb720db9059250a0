//! Decisions of a deployment, and the graphs that they stand in.

use std::sync::Arc;

use coreto_dmn::{Model, Options, Severity};
use coreto_machine::Txn;
use coreto_record::command::{Deploy, Resource};
use coreto_record::event::{DecisionCreated, RequirementsCreated};
use coreto_record::{
    DecisionKey, DecisionRequirementsKey, DeployedDecision, DeployedRequirements, DeploymentKey, Event,
};

use super::faults::{DECISION_ID, Faults, REQUIREMENTS_ID};
use crate::engine::Engine;
use crate::state::State;
use crate::{decision, keys};

/// A DMN file of the request, checked.
pub(super) struct Candidate<'a> {
    resource: &'a Resource,
    checksum: [u8; 16],
    id: Arc<str>,
    model: Model,
}

/// Reads a DMN file; all that is wrong with it is reported.
pub(super) fn read<'a>(resource: &'a Resource, faults: &mut Faults) -> Option<Candidate<'a>> {
    let (model, diagnostics) = Model::read(&resource.content, &Options::default());
    let Some(model) = model else {
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error) {
            faults.add(&resource.name, &diagnostic.to_string());
        }
        return None;
    };
    let Some(id) = model.id().map(Arc::from) else {
        faults.add(&resource.name, "the `definitions` have no `id`, by which their versions are counted");
        return None;
    };
    faults.check_unique(&resource.name, REQUIREMENTS_ID, &id);
    for decision in model.decisions() {
        faults.check_unique(&resource.name, DECISION_ID, &decision.id().into());
    }
    Some(Candidate { resource, checksum: md5::compute(&resource.content).0, id, model })
}

/// The latest version of the graph, if its resource has the same content and name.
pub(super) fn known(
    state: &State,
    command: &Deploy,
    candidate: &Candidate<'_>,
) -> Option<DecisionRequirementsKey> {
    let latest = state.latest_requirements.get(&(command.tenant, Arc::clone(&candidate.id)))?;
    let record = &state.requirements.peek(&latest)?.record;
    let same = record.checksum == candidate.checksum && record.resource_name == candidate.resource.name;
    same.then_some(*latest)
}

/// The graph as it is deployed, with its decisions: new versions, unless the whole deployment is known.
pub(super) fn deploy(
    txn: &mut Txn<'_, Engine>,
    command: &Deploy,
    candidate: &Candidate<'_>,
    deployment: DeploymentKey,
    duplicate: bool,
) -> (DeployedRequirements, Vec<DeployedDecision>) {
    let latest = if duplicate { known(txn.state(), command, candidate) } else { None };
    let key = latest.unwrap_or_else(|| create(txn, command, candidate, deployment));
    let state = txn.state();
    let graph = state.requirements.get(&key).expect("it is there, or was created just now");
    let decisions = decision::of_graph(state, key).map(|record| DeployedDecision {
        key: record.key,
        id: Arc::clone(&record.id),
        name: Arc::clone(&record.name),
        version: record.version,
        version_tag: Arc::clone(&record.version_tag),
        requirements: key,
        requirements_id: Arc::clone(&candidate.id),
        duplicate,
    });
    let requirements = DeployedRequirements {
        key,
        id: Arc::clone(&candidate.id),
        name: Arc::clone(&graph.record.name),
        version: graph.record.version,
        namespace: Arc::clone(&graph.record.namespace),
        resource_name: Arc::clone(&candidate.resource.name),
        duplicate,
        checksum: candidate.checksum,
    };
    (requirements, decisions.collect())
}

fn create(
    txn: &mut Txn<'_, Engine>,
    command: &Deploy,
    candidate: &Candidate<'_>,
    deployment: DeploymentKey,
) -> DecisionRequirementsKey {
    let state = txn.state();
    let before = state.latest_requirements.get(&(command.tenant, Arc::clone(&candidate.id)));
    let before = before.and_then(|key| Some(state.requirements.peek(&key)?.record.version));
    let key = keys::next(txn);
    txn.emit(&Event::RequirementsCreated(RequirementsCreated {
        key,
        tenant: command.tenant,
        id: Arc::clone(&candidate.id),
        name: candidate.model.name().into(),
        version: before.unwrap_or(0) + 1,
        namespace: candidate.model.namespace().into(),
        resource_name: Arc::clone(&candidate.resource.name),
        resource: Arc::clone(&candidate.resource.content),
        checksum: candidate.checksum,
        deployment,
    }));
    for decision in candidate.model.decisions() {
        let id: Arc<str> = decision.id().into();
        let state = txn.state();
        let before = state.latest_decisions.get(&(command.tenant, Arc::clone(&id)));
        let before = before.and_then(|key| Some(state.decisions.peek(&key)?.version));
        let decision_key: DecisionKey = keys::next(txn);
        txn.emit(&Event::DecisionCreated(DecisionCreated {
            key: decision_key,
            tenant: command.tenant,
            id,
            name: decision.name().into(),
            version: before.unwrap_or(0) + 1,
            version_tag: decision.version_tag().unwrap_or_default().into(),
            requirements: key,
            requirements_id: Arc::clone(&candidate.id),
            deployment,
        }));
    }
    key
}
