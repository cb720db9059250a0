//! Functions on lists.

mod aggregate;
mod sort;
mod unique;

use std::cmp::Ordering;

use super::{Builtin, Call};
use crate::eval::Eval;
use crate::value::{List, Number, Text, Value, same};

use aggregate::{extreme, mean, median, mode, product, quantified, stddev, sum};
use sort::sort;
use unique::{distinct_values, duplicate_values, union};

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
