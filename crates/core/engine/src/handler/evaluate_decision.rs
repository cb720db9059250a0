//! Evaluating a decision outside of a process.

use std::sync::Arc;

use coreto_feel::{Budget, Env};
use coreto_machine::{Head, Outcome, Txn};
use coreto_record::command::EvaluateDecision;
use coreto_record::event::{DecisionCreated, DecisionEvaluation};
use coreto_record::{Event, Rejection, Reply};

use super::{Handled, quoted};
use crate::engine::Engine;
use crate::state::State;
use crate::variables::Given;
use crate::{decision, keys};

/// Evaluates a decision. One that fails is no rejection: the answer says why.
pub(crate) fn evaluate_decision(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    command: &EvaluateDecision,
) -> Handled {
    let found = find(txn.state(), head, command)?;
    let (state, env) = txn.state_and_env();
    let env =
        Env { now_ms: head.now.as_millis(), zone: &env.zone, seed: head.seed, budget: Budget::default() };
    let evaluated = decision::evaluate(state, &found, &Given::new(&command.variables), &env);
    let Some(evaluated) = evaluated else {
        return Err(Rejection::invalid_state(format!("the decision {} cannot be loaded", found.key)));
    };
    let key = keys::next_raw(txn);
    let evaluation = DecisionEvaluation { key, variables: command.variables.clone(), ..evaluated };
    txn.emit(&if evaluation.failed.is_empty() {
        Event::DecisionEvaluated(evaluation.clone())
    } else {
        Event::DecisionFailed(evaluation.clone())
    });
    Ok(Outcome::Now(Reply::DecisionEvaluated(evaluation)))
}

fn find(state: &State, head: &Head, command: &EvaluateDecision) -> Result<Arc<DecisionCreated>, Rejection> {
    let visible =
        |found: &Arc<DecisionCreated>| head.caller.sees(found.tenant) && found.tenant == command.tenant;
    match (command.decision, command.id.is_empty()) {
        (Some(key), true) => decision::by_key(state, key)
            .filter(visible)
            .ok_or_else(|| Rejection::not_found(format!("no decision with key {key} is deployed"))),
        (None, false) => {
            decision::latest(state, command.tenant, &command.id).filter(visible).ok_or_else(|| {
                Rejection::not_found(format!("no decision with id {} is deployed", quoted(&command.id)))
            })
        }
        _ => {
            Err(Rejection::invalid_argument("say which decision: its key or its id is needed, and not both"))
        }
    }
}
