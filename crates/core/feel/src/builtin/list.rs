//! Functions on lists.

use std::cmp::Ordering;

use super::{Builtin, Call};
use crate::eval::Eval;
use crate::value::{Function, List, Number, Text, Value, order, same};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("list contains", &[&["list", "element"]], list_contains),
    Builtin::new("count", &[&["list"]], count),
    Builtin::variadic("min", &[&["list"]], |call, values| extreme(call, values, Ordering::Less)),
    Builtin::variadic("max", &[&["list"]], |call, values| extreme(call, values, Ordering::Greater)),
    Builtin::variadic("sum", &[&["list"]], sum),
    Builtin::variadic("product", &[&["list"]], product),
    Builtin::variadic("mean", &[&["list"]], mean),
    Builtin::variadic("median", &[&["list"]], median),
    Builtin::variadic("stddev", &[&["list"]], stddev),
    Builtin::variadic("mode", &[&["list"]], mode),
    Builtin::variadic("all", &[&["list"]], |call, values| quantified(call, values, false)),
    Builtin::variadic("and", &[&["list"]], |call, values| quantified(call, values, false)),
    Builtin::variadic("any", &[&["list"]], |call, values| quantified(call, values, true)),
    Builtin::variadic("or", &[&["list"]], |call, values| quantified(call, values, true)),
    Builtin::new(
        "sublist",
        &[
            &["list", "start position"],
            &["list", "start position", "length"],
            &["list", "start"],
            &["list", "start", "length"],
        ],
        sublist,
    ),
    Builtin::variadic("append", &[&["list", "items"]], append),
    Builtin::variadic("concatenate", &[&["lists"]], concatenate),
    Builtin::new("insert before", &[&["list", "position", "newItem"]], insert_before),
    Builtin::new("remove", &[&["list", "position"]], remove),
    Builtin::new("reverse", &[&["list"]], reverse),
    Builtin::new("index of", &[&["list", "match"]], index_of),
    Builtin::variadic("union", &[&["lists"], &["list"]], union),
    Builtin::new("distinct values", &[&["list"]], distinct_values),
    Builtin::new("duplicate values", &[&["list"]], duplicate_values),
    Builtin::new("flatten", &[&["list"]], flatten),
    Builtin::new("sort", &[&["list", "precedes"]], sort),
    Builtin::new(
        "string join",
        &[&["list"], &["list", "delimiter"], &["list", "delimiter", "prefix", "suffix"]],
        string_join,
    ),
    Builtin::new("is empty", &[&["list"]], is_empty),
    Builtin::new("partition", &[&["list", "size"]], partition),
];

/// The items of one list, or the arguments themselves when there are several or no list.
fn items<'v>(call: &mut Call<'_, '_>, values: &'v [Value]) -> Eval<&'v [Value]> {
    let items = match values {
        [Value::List(list)] => list.as_slice(),
        several => several,
    };
    call.charge_steps(items.len())?;
    Ok(items)
}

fn integer(count: usize) -> Value {
    Value::Number(Number::from_i64(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn list_contains(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list), element] = values else { return call.illegal(values) };
    call.charge_steps(list.len())?;
    call.evaluator.charge_walk(&values[0], call.at)?;
    let dialect = call.evaluator.dialect();
    Ok(Value::Boolean(list.iter().any(|item| same(dialect, item, element))))
}

fn count(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list)] = values else { return call.illegal(values) };
    Ok(integer(list.len()))
}

fn is_empty(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list)] = values else { return call.illegal(values) };
    Ok(Value::Boolean(list.is_empty()))
}

fn extreme(call: &mut Call<'_, '_>, values: &[Value], wanted: Ordering) -> Eval {
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

fn sum(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
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

fn product(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
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

fn mean(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let Some(numbers) = numbers(call, values)? else { return Ok(Value::Null) };
    if numbers.is_empty() {
        return Ok(Value::Null);
    }
    let mean = average(&numbers);
    computed(call, mean)
}

fn median(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
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
fn stddev(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
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

fn mode(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let Some(mut numbers) = numbers(call, values)? else { return Ok(Value::Null) };
    numbers.sort();
    let most = numbers.chunk_by(|left, right| left == right).map(<[Number]>::len).max().unwrap_or(0);
    let modes = numbers.chunk_by(|left, right| left == right).filter(|group| group.len() == most);
    let modes = modes.map(|group| Value::Number(group[0])).collect();
    call.list(modes)
}

fn quantified(call: &mut Call<'_, '_>, values: &[Value], decisive: bool) -> Eval {
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

/// The index before which a position lies that counts from 1, or from -1 backwards; at most the length. A position
/// beyond an end is that end. Nothing for position 0.
fn index(position: Number, length: usize) -> Option<usize> {
    let position = position.to_i128()?;
    let distance = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
    match position {
        0 => None,
        1.. => Some((distance - 1).min(length)),
        _ => Some(length.saturating_sub(distance)),
    }
}

fn no_position(call: &mut Call<'_, '_>, position: Number) -> Eval {
    call.fail(format_args!("there is no position {position}"))
}

fn sublist(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let (list, start, length) = match values {
        [Value::List(list), Value::Number(start)] => (list, start, None),
        [Value::List(list), Value::Number(start), Value::Number(length)] => (list, start, Some(length)),
        _ => return call.illegal(values),
    };
    call.charge_steps(list.len())?;
    let Some(first) = index(*start, list.len()) else { return no_position(call, *start) };
    let count = match length.map(|length| length.to_i128()) {
        None => usize::MAX,
        Some(Some(length)) => usize::try_from(length.max(0)).unwrap_or(usize::MAX),
        Some(None) => return call.fail("the length is out of range"),
    };
    let end = first.saturating_add(count).min(list.len());
    call.list(list[first..end].to_vec())
}

fn append(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list), items @ ..] = values else { return call.illegal(values) };
    call.charge_steps(list.len())?;
    // The items may also come as one argument by name.
    call.list(list.iter().chain(items).cloned().collect())
}

/// All lists of the arguments, or of one list of lists, one after the other. What is no list counts as a list of it.
fn joined(call: &mut Call<'_, '_>, values: &[Value]) -> Eval<Vec<Value>> {
    let mut joined = Vec::new();
    for list in items(call, values)? {
        match list {
            Value::List(list) => {
                call.charge_steps(list.len())?;
                call.evaluator.check_length(joined.len() + list.len(), call.at)?;
                joined.extend_from_slice(list);
            }
            single => joined.push(single.clone()),
        }
    }
    Ok(joined)
}

fn concatenate(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let items = joined(call, values)?;
    call.list(items)
}

fn insert_before(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list), Value::Number(position), item] = values else { return call.illegal(values) };
    call.charge_steps(list.len())?;
    let Some(at) = index(*position, list.len()) else { return no_position(call, *position) };
    let mut items = list.to_vec();
    items.insert(at, item.clone());
    call.list(items)
}

fn remove(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list), Value::Number(position)] = values else { return call.illegal(values) };
    call.charge_steps(list.len())?;
    let Some(at) = index(*position, list.len()) else { return no_position(call, *position) };
    let mut items = list.to_vec();
    if at < items.len() {
        items.remove(at);
    }
    call.list(items)
}

fn reverse(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list)] = values else { return call.illegal(values) };
    call.charge_steps(list.len())?;
    call.list(list.iter().rev().cloned().collect())
}

fn index_of(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list), wanted] = values else { return call.illegal(values) };
    call.charge_steps(list.len())?;
    call.evaluator.charge_walk(&values[0], call.at)?;
    let dialect = call.evaluator.dialect();
    let positions = list.iter().enumerate().filter(|(_, item)| same(dialect, item, wanted));
    let positions = positions.map(|(at, _)| integer(at + 1)).collect();
    call.list(positions)
}

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

fn union(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let items = joined(call, values)?;
    let kept = distinct(call, &items)?;
    call.list(kept.into_iter().map(|(item, _)| item).collect())
}

fn distinct_values(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list)] = values else { return call.illegal(values) };
    let kept = distinct(call, list)?;
    call.list(kept.into_iter().map(|(item, _)| item).collect())
}

fn duplicate_values(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list)] = values else { return call.illegal(values) };
    let kept = distinct(call, list)?;
    call.list(kept.into_iter().filter(|(_, times)| *times > 1).map(|(item, _)| item).collect())
}

fn flatten(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list)] = values else { return call.illegal(values) };
    let mut flat = Vec::new();
    collect_flat(call, list, &mut flat)?;
    call.list(flat)
}

/// Lists are only so deep, so the recursion is, too.
fn collect_flat(call: &mut Call<'_, '_>, list: &List, flat: &mut Vec<Value>) -> Eval<()> {
    call.charge_steps(list.len())?;
    for item in list.iter() {
        match item {
            Value::List(inner) => collect_flat(call, inner, flat)?,
            other => flat.push(other.clone()),
        }
    }
    call.evaluator.check_length(flat.len(), call.at)
}

fn sort(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
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

fn string_join(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let text = |value: Option<&Value>| match value {
        None | Some(Value::Null) => Some(Text::EMPTY),
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => None,
    };
    let (Some(Value::List(list)), Some(delimiter), Some(prefix), Some(suffix)) =
        (values.first(), text(values.get(1)), text(values.get(2)), text(values.get(3)))
    else {
        return call.illegal(values);
    };
    call.charge_steps(list.len())?;
    let mut out = String::from(prefix.as_str());
    let mut first = true;
    for item in list.iter() {
        let item = match item {
            Value::String(item) => item,
            Value::Null => continue,
            other => return call.fail(format_args!("expected strings only, found {}", other.type_name())),
        };
        if !first {
            out.push_str(&delimiter);
        }
        first = false;
        out.push_str(item);
        call.evaluator.charge_bytes(item.as_bytes().len() + delimiter.as_bytes().len(), call.at)?;
    }
    out.push_str(&suffix);
    call.string(out)
}

fn partition(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::List(list), Value::Number(size)] = values else { return call.illegal(values) };
    let Some(size) = size.to_i64().and_then(|size| usize::try_from(size).ok()).filter(|&size| size > 0)
    else {
        return call.fail("the size must be at least 1");
    };
    call.charge_steps(list.len())?;
    let mut parts = Vec::with_capacity(list.len().div_ceil(size));
    for part in list.chunks(size) {
        parts.push(call.list(part.to_vec())?);
    }
    call.list(parts)
}
