//! Finding a decision, and evaluating it.

use std::sync::Arc;

use coreto_dmn::{EvaluatedInput, EvaluatedOutput, Evaluation};
use coreto_feel::{Env, Scope, Value};
use coreto_machine::Tenant;
use coreto_record::event::{
    DecisionCreated, DecisionEvaluation, EvaluatedDecision, EvaluatedValue, MatchedRule,
};
use coreto_record::{DecisionKey, DecisionRequirementsKey, DeploymentKey, Key};

use crate::state::State;

/// The decision with this key.
pub(crate) fn by_key(state: &State, key: DecisionKey) -> Option<Arc<DecisionCreated>> {
    state.decisions.get(&key)
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
    let mut made = made.take_while(|(_, decision)| decision.deployment == deployment);
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

/// Evaluates a decision; nothing when what was deployed cannot be read any more.
pub(crate) fn evaluate(
    state: &State,
    decision: &DecisionCreated,
    variables: &dyn Scope,
    env: &Env<'_>,
) -> Option<DecisionEvaluation> {
    let requirements = state.requirements.peek(&decision.requirements)?;
    let evaluated = requirements.model()?.evaluate(&decision.id, variables, env);
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
    let own: Vec<_> = of_graph(state, requirements).collect();
    let tell = |decision: &coreto_dmn::EvaluatedDecision| {
        let known = own.iter().find(|own| own.id == decision.id);
        EvaluatedDecision {
            key: known.map(|own| own.key).unwrap_or_default(),
            id: Arc::clone(&decision.id),
            name: Arc::clone(&decision.name),
            version: known.map_or(0, |own| own.version),
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
