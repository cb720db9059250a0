//! Functions that make one value of all items.

use std::cmp::Ordering;

use super::items;
use crate::builtin::Call;
use crate::eval::Eval;
use crate::value::{Number, Value, order};

pub(super) fn extreme(call: &mut Call<'_, '_>, values: &[Value], wanted: Ordering) -> Eval {
    if let [Value::Null] = values {
        return call.illegal(values);
    }
    let items = items(call, values)?;
    let Some((first, rest)) = items.split_first() else { return Ok(Value::Null) };
    if order(first, first).is_none() {
        return call.fail(format_args!("a {} has no order", first.type_name()));
    }
    let mut best = first;
    for item in rest {
        call.evaluator.charge_walk(item, call.at)?;
        match order(item, best) {
            Some(found) if found == wanted => best = item,
            Some(_) => (),
            None => {
                let (left, right) = (item.type_name(), best.type_name());
                return call.fail(format_args!("cannot compare {left} with {right}"));
            }
        }
    }
    Ok(best.clone())
}

/// All items as numbers; nothing, with a warning, if there is anything else.
fn numbers(call: &mut Call<'_, '_>, values: &[Value]) -> Eval<Option<Vec<Number>>> {
    let items = items(call, values)?;
    let mut numbers = Vec::with_capacity(items.len());
    for item in items {
        let Value::Number(number) = item else {
            call.fail(format_args!("expected numbers only, found {}", item.type_name()))?;
            return Ok(None);
        };
        numbers.push(*number);
    }
    Ok(Some(numbers))
}

/// The result of arithmetic; a warning if it is out of range.
fn computed(call: &mut Call<'_, '_>, result: Option<Number>) -> Eval {
    match result {
        Some(number) => Ok(Value::Number(number)),
        None => call.fail("the result is out of range"),
    }
}

fn total(numbers: &[Number]) -> Option<Number> {
    numbers.iter().try_fold(Number::ZERO, |sum, number| sum.add(*number))
}

pub(super) fn sum(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let items = items(call, values)?;
    let Some((first, rest)) = items.split_first() else { return Ok(Value::Null) };
    match first {
        Value::Number(number) => {
            let mut sum = *number;
            for item in rest {
                let Value::Number(number) = item else {
                    return call.fail(format_args!("expected numbers only, found {}", item.type_name()));
                };
                match sum.add(*number) {
                    Some(next) => sum = next,
                    None => return computed(call, None),
                }
            }
            Ok(Value::Number(sum))
        }
        Value::DaysTimeDuration(span) => {
            let mut sum = *span;
            for item in rest {
                match item {
                    Value::DaysTimeDuration(span) => match sum.plus(*span) {
                        Some(next) => sum = next,
                        None => return computed(call, None),
                    },
                    _ => {
                        return call
                            .fail(format_args!("expected durations only, found {}", item.type_name()));
                    }
                }
            }
            Ok(Value::DaysTimeDuration(sum))
        }
        other => call.fail(format_args!("expected numbers only, found {}", other.type_name())),
    }
}

pub(super) fn product(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let Some(numbers) = numbers(call, values)? else { return Ok(Value::Null) };
    if numbers.is_empty() {
        return Ok(Value::Null);
    }
    let product = numbers.iter().try_fold(Number::ONE, |product, number| product.multiply(*number));
    computed(call, product)
}

fn average(numbers: &[Number]) -> Option<Number> {
    total(numbers)?.divide(Number::from_i64(i64::try_from(numbers.len()).ok()?))
}

pub(super) fn mean(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let Some(numbers) = numbers(call, values)? else { return Ok(Value::Null) };
    if numbers.is_empty() {
        return Ok(Value::Null);
    }
    let mean = average(&numbers);
    computed(call, mean)
}

pub(super) fn median(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let Some(mut numbers) = numbers(call, values)? else { return Ok(Value::Null) };
    if numbers.is_empty() {
        return Ok(Value::Null);
    }
    numbers.sort_unstable();
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 {
        return Ok(Value::Number(numbers[middle]));
    }
    let median = numbers[middle - 1].add(numbers[middle]).and_then(|sum| sum.divide(Number::from_i64(2)));
    computed(call, median)
}

/// The deviation of a sample, so at least two numbers are needed.
pub(super) fn stddev(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let Some(numbers) = numbers(call, values)? else { return Ok(Value::Null) };
    if numbers.len() < 2 {
        return Ok(Value::Null);
    }
    let deviation = average(&numbers).and_then(|mean| {
        let squares = numbers.iter().map(|number| {
            let distance = number.subtract(mean)?;
            distance.multiply(distance)
        });
        let squares: Option<Vec<Number>> = squares.collect();
        let count = Number::from_i64(i64::try_from(numbers.len() - 1).ok()?);
        total(&squares?)?.divide(count)?.square_root()
    });
    computed(call, deviation)
}

pub(super) fn mode(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let Some(mut numbers) = numbers(call, values)? else { return Ok(Value::Null) };
    numbers.sort();
    let most = numbers.chunk_by(|left, right| left == right).map(<[Number]>::len).max().unwrap_or(0);
    let modes = numbers.chunk_by(|left, right| left == right).filter(|group| group.len() == most);
    let modes = modes.map(|group| Value::Number(group[0])).collect();
    call.list(modes)
}

pub(super) fn quantified(call: &mut Call<'_, '_>, values: &[Value], decisive: bool) -> Eval {
    let mut unknown = false;
    for item in items(call, values)? {
        match item {
            Value::Boolean(boolean) if *boolean == decisive => return Ok(Value::Boolean(decisive)),
            Value::Boolean(_) => (),
            _ => unknown = true,
        }
    }
    Ok(if unknown { Value::Null } else { Value::Boolean(!decisive) })
}
