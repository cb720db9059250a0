//! Sorting by a function.

use crate::builtin::Call;
use crate::eval::Eval;
use crate::value::{Function, Value};

pub(super) fn sort(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    match values {
        [Value::List(list), Value::Function(precedes)] => {
            if !precedes.takes(2) {
                return call.fail("the function that orders needs two parameters");
            }
            match merge_sort(call, list, precedes)? {
                Some(sorted) => call.list(sorted),
                None => call.fail("the function that orders did not give a boolean"),
            }
        }
        _ => call.illegal(values),
    }
}

/// A stable merge sort from short runs to long ones; nothing when a comparison gives no boolean.
fn merge_sort(call: &mut Call<'_, '_>, list: &[Value], precedes: &Function) -> Eval<Option<Vec<Value>>> {
    let mut items = list.to_vec();
    let mut width = 1;
    while width < items.len() {
        let mut merged = Vec::with_capacity(items.len());
        for run in items.chunks(width * 2) {
            let (mut left, mut right) = run.split_at(width.min(run.len()));
            while let ([first, left_rest @ ..], [second, right_rest @ ..]) = (left, right) {
                // The right one only goes first if it must, so that equal items keep their order.
                let arguments = vec![second.clone(), first.clone()];
                let result = call.evaluator.invoke_function(precedes, arguments, call.at)?;
                let Some(swapped) = result.as_bool() else { return Ok(None) };
                if swapped {
                    merged.push(second.clone());
                    right = right_rest;
                } else {
                    merged.push(first.clone());
                    left = left_rest;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        items = merged;
        width *= 2;
    }
    Ok(Some(items))
}
