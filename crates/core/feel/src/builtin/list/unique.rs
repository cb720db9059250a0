//! Functions that look for items that equal each other.

use super::joined;
use crate::builtin::Call;
use crate::eval::Eval;
use crate::value::{Value, same};

/// The items without those that equal an earlier one, each with how often it came.
fn distinct(call: &mut Call<'_, '_>, items: &[Value]) -> Eval<Vec<(Value, usize)>> {
    let dialect = call.evaluator.dialect();
    let mut kept: Vec<(Value, usize)> = Vec::new();
    for item in items {
        call.charge_steps(1 + kept.len() / 8)?;
        // Equal lists and contexts are walked over, and each is compared with all that were kept.
        if item.depth() > 0 {
            let walk = usize::try_from(item.weight() / 64).unwrap_or(usize::MAX);
            call.charge_steps(walk.saturating_mul(kept.len()))?;
        }
        match kept.iter_mut().find(|(known, _)| same(dialect, known, item)) {
            Some((_, times)) => *times += 1,
            None => kept.push((item.clone(), 1)),
        }
    }
    Ok(kept)
}

pub(super) fn union(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let items = joined(call, values)?;
    let kept = distinct(call, &items)?;
    call.list(kept.into_iter().map(|(item, _)| item).collect())
}

pub(super) fn distinct_values(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list)] = values else { return call.illegal(values) };
    let kept = distinct(call, list)?;
    call.list(kept.into_iter().map(|(item, _)| item).collect())
}

pub(super) fn duplicate_values(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list)] = values else { return call.illegal(values) };
    let kept = distinct(call, list)?;
    call.list(kept.into_iter().filter(|(_, times)| *times > 1).map(|(item, _)| item).collect())
}
