//! Decisions of a deployment, and the graphs that they stand in.

use std::collections::BTreeMap;
use std::sync::Arc;

use coreto_dmn::{Diagnostic, Model, Options, Severity};
use coreto_machine::Txn;
use coreto_record::command::{Deploy, Resource};
use coreto_record::event::{DecisionCreated, RequirementsCreated};
use coreto_record::{
    DecisionKey, DecisionRequirementsKey, DeployedDecision, DeployedRequirements, DeploymentKey, Event,
};

use super::faults::{DECISION_ID, Faults, REQUIREMENTS_ID};
use crate::engine::Engine;
use crate::state::{State, Versioned};
use crate::{decision, keys};

/// A DMN file of the request, checked.
pub(super) struct Candidate<'a> {
    resource: &'a Resource,
    checksum: [u8; 16],
    id: Arc<str>,
    model: Model,
    /// The ids of the graphs that it imports, which stand in the same request.
    imports: Vec<Arc<str>>,
}

/// Reads all DMN files of the request, which may import each other; all that is wrong with them is reported. Files
/// that are imported come before those that import them.
pub(super) fn read_all<'a>(resources: &[&'a Resource], faults: &mut Faults<'_>) -> Vec<Candidate<'a>> {
    let contents: Vec<&[u8]> = resources.iter().map(|resource| &*resource.content).collect();
    let read = coreto_dmn::read_all(&contents, &Options::default());
    let mut candidates: Vec<Candidate<'a>> = resources
        .iter()
        .zip(read)
        .filter_map(|(resource, (model, diagnostics))| candidate(resource, model, &diagnostics, faults))
        .collect();
    candidates.sort_by_key(|candidate| candidate.model.import_depth());
    // A namespace that is imported stands in one file only.
    let ids: BTreeMap<String, Arc<str>> = candidates
        .iter()
        .map(|candidate| (candidate.model.namespace().to_owned(), Arc::clone(&candidate.id)))
        .collect();
    for candidate in &mut candidates {
        let imports = candidate.model.imports();
        candidate.imports = imports.filter_map(|namespace| ids.get(namespace).cloned()).collect();
    }
    candidates
}

fn candidate<'a>(
    resource: &'a Resource,
    model: Option<Model>,
    diagnostics: &[Diagnostic],
    faults: &mut Faults,
) -> Option<Candidate<'a>> {
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
    faults.check_id(&resource.name, REQUIREMENTS_ID, &id);
    for decision in model.decisions() {
        faults.check_id(&resource.name, DECISION_ID, &decision.id().into());
    }
    Some(Candidate { resource, checksum: md5::compute(&resource.content).0, id, model, imports: Vec::new() })
}

/// The latest version of the graph, if its resource has the same content and name, and what it imports is the latest.
pub(super) fn known(
    state: &State,
    command: &Deploy,
    candidate: &Candidate<'_>,
) -> Option<DecisionRequirementsKey> {
    let latest = state.latest_requirements.get(&(command.tenant, Arc::clone(&candidate.id)))?;
    let record = &state.requirements.peek(&latest)?.record;
    let same = record.checksum == candidate.checksum && record.resource_name == candidate.resource.name;
    (same && record.imports == imports(state, command, candidate)).then_some(*latest)
}

/// The latest versions of the graphs that a graph imports.
fn imports(state: &State, command: &Deploy, candidate: &Candidate<'_>) -> Vec<DecisionRequirementsKey> {
    let latest = |id: &Arc<str>| state.latest_requirements.get(&(command.tenant, Arc::clone(id)));
    candidate.imports.iter().filter_map(latest).map(|key| *key).collect()
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
    let id = (command.tenant, Arc::clone(&candidate.id));
    let version = state.next_version(Versioned::Requirements, &id, before);
    // They were created just now, or the whole deployment would not be new.
    let imports = imports(state, command, candidate);
    let key = keys::next(txn);
    txn.emit(&Event::RequirementsCreated(RequirementsCreated {
        key,
        tenant: command.tenant,
        id: Arc::clone(&candidate.id),
        name: candidate.model.name().into(),
        version,
        namespace: candidate.model.namespace().into(),
        resource_name: Arc::clone(&candidate.resource.name),
        resource: Arc::clone(&candidate.resource.content),
        checksum: candidate.checksum,
        deployment,
        imports,
    }));
    for decision in candidate.model.decisions() {
        let id: Arc<str> = decision.id().into();
        let state = txn.state();
        let before = state.latest_decisions.get(&(command.tenant, Arc::clone(&id)));
        let before = before.and_then(|key| Some(state.decisions.peek(&key)?.version));
        let of = (command.tenant, Arc::clone(&id));
        let version = state.next_version(Versioned::Decision, &of, before);
        let decision_key: DecisionKey = keys::next(txn);
        txn.emit(&Event::DecisionCreated(DecisionCreated {
            key: decision_key,
            tenant: command.tenant,
            id,
            name: decision.name().into(),
            version,
            version_tag: decision.version_tag().unwrap_or_default().into(),
            requirements: key,
            requirements_id: Arc::clone(&candidate.id),
            deployment,
        }));
    }
    key
}
