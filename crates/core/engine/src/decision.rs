//! Finding a decision, and evaluating it.

use std::collections::BTreeSet;
use std::sync::Arc;

use coreto_dmn::{EvaluatedInput, EvaluatedOutput, Evaluation, Model};
use coreto_feel::{Env, Scope, Value};
use coreto_machine::Tenant;
use coreto_record::event::{
    DecisionCreated, DecisionEvaluation, EvaluatedDecision, EvaluatedValue, MatchedRule,
};
use coreto_record::{DecisionKey, DecisionRequirementsKey, DeploymentKey, Key};

use crate::state::State;

/// The decision with this key.
pub(crate) fn by_key(state: &State, key: DecisionKey) -> Option<Arc<DecisionCreated>> {
    state.decisions.get(&key).filter(|decision| !state.is_deleted(decision.requirements))
}

/// The latest version of a decision.
pub(crate) fn latest(state: &State, tenant: Tenant, id: &str) -> Option<Arc<DecisionCreated>> {
    by_key(state, *state.latest_decisions.get(&(tenant, id.into()))?)
}

/// The latest version that has a version tag.
pub(crate) fn tagged(state: &State, tenant: Tenant, id: &str, tag: &str) -> Option<Arc<DecisionCreated>> {
    by_key(state, *state.tagged_decisions.get(&((tenant, id.into()), tag.into()))?)
}

/// The version that a deployment made.
pub(crate) fn deployed_with(
    state: &State,
    deployment: DeploymentKey,
    id: &str,
) -> Option<Arc<DecisionCreated>> {
    // Bound: what a deployment makes gets the keys that follow its own.
    let made = state.decisions.range(DecisionKey::from_raw(deployment.raw())..);
    let mut made = made
        .take_while(|(_, decision)| decision.deployment == deployment)
        .filter(|(_, decision)| !state.is_deleted(decision.requirements));
    made.find(|(_, decision)| &*decision.id == id).map(|(_, decision)| Arc::clone(decision))
}

/// The decisions of one version of a graph, in document order.
pub(crate) fn of_graph(
    state: &State,
    requirements: DecisionRequirementsKey,
) -> impl Iterator<Item = &Arc<DecisionCreated>> {
    // Bound: the decisions of a graph get the keys that follow its own.
    let own = state.decisions.range(DecisionKey::from_raw(requirements.raw())..);
    own.take_while(move |(_, decision)| decision.requirements == requirements).map(|(_, decision)| decision)
}

/// A graph and all that it imports, at once or through others; imported ones come first, since they were made first.
fn with_imports(state: &State, requirements: DecisionRequirementsKey) -> BTreeSet<DecisionRequirementsKey> {
    let mut found = BTreeSet::from([requirements]);
    let mut open = vec![requirements];
    // Bound: each graph is opened once.
    while let Some(requirements) = open.pop().and_then(|key| state.requirements.peek(&key)) {
        open.extend(requirements.record.imports.iter().filter(|import| found.insert(**import)));
    }
    found
}

/// A graph, ready to be evaluated; it is compiled at first use.
fn model(state: &State, requirements: DecisionRequirementsKey) -> Option<&Model> {
    let wanted = state.requirements.peek(&requirements)?;
    if !wanted.is_compiled() {
        for key in with_imports(state, requirements) {
            let graph = state.requirements.peek(&key)?;
            let imported = |import| state.requirements.peek(import)?.model().cloned();
            let imports: Option<Vec<Model>> = graph.record.imports.iter().map(imported).collect();
            graph.compile(&imports?);
        }
    }
    wanted.model()
}

/// Evaluates a decision; nothing when what was deployed cannot be read any more.
pub(crate) fn evaluate(
    state: &State,
    decision: &DecisionCreated,
    variables: &dyn Scope,
    env: &Env<'_>,
) -> Option<DecisionEvaluation> {
    let evaluated = model(state, decision.requirements)?.evaluate(&decision.id, variables, env);
    let record = DecisionEvaluation {
        decision: decision.key,
        id: Arc::clone(&decision.id),
        name: Arc::clone(&decision.name),
        version: decision.version,
        requirements: decision.requirements,
        requirements_id: Arc::clone(&decision.requirements_id),
        tenant: decision.tenant,
        ..DecisionEvaluation::default()
    };
    Some(match evaluated {
        Ok(Evaluation { output, decisions }) => DecisionEvaluation {
            output: json(&output),
            evaluated: told(state, decision.requirements, &decisions),
            ..record
        },
        Err(failure) => DecisionEvaluation {
            output: "null".into(),
            evaluated: told(state, decision.requirements, &failure.decisions),
            failure: failure.to_string().into(),
            failed: Arc::clone(&failure.decision),
            ..record
        },
    })
}

/// The decisions of an evaluation, with the keys and versions that they have here.
fn told(
    state: &State,
    requirements: DecisionRequirementsKey,
    decisions: &[coreto_dmn::EvaluatedDecision],
) -> Vec<EvaluatedDecision> {
    // No identifier stands twice in a deployment, so it tells decisions of imported graphs, too.
    let known: Vec<_> =
        with_imports(state, requirements).into_iter().flat_map(|key| of_graph(state, key)).collect();
    let tell = |decision: &coreto_dmn::EvaluatedDecision| {
        let known = known.iter().find(|known| known.id == decision.id);
        EvaluatedDecision {
            key: known.map(|known| known.key).unwrap_or_default(),
            id: Arc::clone(&decision.id),
            name: Arc::clone(&decision.name),
            version: known.map_or(0, |known| known.version),
            kind: decision.kind.name().into(),
            output: json(&decision.output),
            inputs: decision.inputs.iter().map(input).collect(),
            rules: decision.rules.iter().map(rule).collect(),
        }
    };
    decisions.iter().map(tell).collect()
}

fn rule(rule: &coreto_dmn::MatchedRule) -> MatchedRule {
    MatchedRule {
        id: rule.id.clone().unwrap_or_default(),
        index: rule.index,
        outputs: rule.outputs.iter().map(output).collect(),
    }
}

fn input(input: &EvaluatedInput) -> EvaluatedValue {
    let id = input.id.clone().unwrap_or_default();
    EvaluatedValue { id, name: Arc::clone(&input.name), value: json(&input.value) }
}

fn output(output: &EvaluatedOutput) -> EvaluatedValue {
    let id = output.id.clone().unwrap_or_default();
    EvaluatedValue { id, name: Arc::clone(&output.name), value: json(&output.value) }
}

fn json(value: &Value) -> Arc<str> {
    value.to_json().into()
}
