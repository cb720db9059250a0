//! Input and output mappings of an element instance.

use std::borrow::Cow;

use coreto_feel::{Budget, Env};
use coreto_machine::{Head, Txn};
use coreto_record::Key;

use super::Visit;
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::state::State;
use crate::variables::{self, Visible};

/// Evaluates something with the variables that are visible from the element instance.
pub(crate) fn with_variables<T>(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    evaluate: impl FnOnce(&Visible<'_>, &Env<'_>) -> T,
) -> T {
    with_env(txn, head, visit.key.raw(), |state, env| evaluate(&Visible { state, scope: visit.key }, env))
}

/// Evaluates something that belongs to what has this key.
pub(crate) fn with_env<T>(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    key: u64,
    evaluate: impl FnOnce(&State, &Env<'_>) -> T,
) -> T {
    let (state, env) = txn.state_and_env();
    let env = Env {
        now_ms: head.now.as_millis(),
        zone: &env.zone,
        seed: head.seed ^ u128::from(key),
        budget: Budget::default(),
    };
    evaluate(state, &env)
}

/// Input mappings make local variables.
pub(super) fn inputs(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    let Some(inputs) = &visit.element().inputs else { return Ok(()) };
    let mapped = with_variables(txn, head, visit, |scope, env| inputs.evaluate(scope, env))
        .map_err(|error| Trouble::mapping("input", &error))?;
    let entries = mapped.variables.iter().map(|(name, value)| (Cow::Borrowed(&**name), &**value));
    variables::merge_local(txn, &visit.instance, visit.key, entries);
    Ok(())
}

/// Output mappings propagate their results from the scope around the element; those of a repetition from itself, so that
/// its result may stay inside. Says whether there are any.
pub(super) fn outputs(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<bool, Trouble> {
    let Some(outputs) = &visit.element().outputs else { return Ok(false) };
    let mapped = with_variables(txn, head, visit, |scope, env| outputs.evaluate(scope, env))
        .map_err(|error| Trouble::mapping("output", &error))?;
    let entries = mapped.variables.iter().map(|(name, value)| (Cow::Borrowed(&**name), &**value));
    let Visit { key, instance, .. } = visit;
    let from = if instance.loop_counter > 0 { *key } else { instance.scope };
    variables::propagate(txn, instance, from, entries);
    Ok(true)
}
