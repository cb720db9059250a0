//! Functions on contexts.

use super::{Builtin, Call};
use crate::eval::Eval;
use crate::value::{Context, Text, Value};

const PUT: &[&[&str]] = &[&["context", "key", "value"], &["context", "keys", "value"]];

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("get value", &[&["context", "key"], &["context", "keys"], &["m", "key"]], get_value),
    Builtin::new("get entries", &[&["context"], &["m"]], get_entries),
    Builtin::new("context put", PUT, put),
    Builtin::new("put", PUT, put),
    Builtin::variadic("context merge", &[&["contexts"]], merge),
    Builtin::variadic("put all", &[&["contexts"]], merge),
    Builtin::new("context", &[&["entries"]], context),
];

fn get_value(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    match values {
        // An entry that is not there is null, without a warning: this is how one asks for it.
        [Value::Context(context), Value::String(key)] => Ok(context.get(key).cloned().unwrap_or_default()),
        [Value::Context(context), Value::List(keys)] => {
            call.charge_steps(keys.len())?;
            let mut current = Value::Context(context.clone());
            for key in keys.iter() {
                current = match (&current, key) {
                    (Value::Context(context), Value::String(key)) => {
                        context.get(key).cloned().unwrap_or_default()
                    }
                    _ => return Ok(Value::Null),
                };
            }
            Ok(if keys.is_empty() { Value::Null } else { current })
        }
        _ => call.illegal(values),
    }
}

fn get_entries(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::Context(context)] = values else { return call.illegal(values) };
    call.charge_steps(context.len())?;
    let mut items = Vec::with_capacity(context.len());
    for (key, value) in context.entries() {
        items.push(call.context(vec![("key".into(), key.clone().into()), ("value".into(), value.clone())])?);
    }
    call.list(items)
}

fn put(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    match values {
        [Value::Context(context), Value::String(key), value] => with_entry(call, context, key, value.clone()),
        [Value::Context(context), Value::List(keys), value] => {
            let mut path = Vec::with_capacity(keys.len());
            for key in keys.iter() {
                let Value::String(key) = key else { return call.illegal(values) };
                path.push(key);
            }
            if path.is_empty() {
                return call.fail("there is no key");
            }
            put_nested(call, context, &path, value)
        }
        _ => call.illegal(values),
    }
}

/// Puts a value at the end of a path of keys. What is missing on the way, or no context, becomes one.
fn put_nested(call: &mut Call<'_, '_>, context: &Context, path: &[&Text], value: &Value) -> Eval {
    let mut levels = vec![context.clone()];
    for key in &path[..path.len() - 1] {
        let next = match levels[levels.len() - 1].get(key) {
            Some(Value::Context(context)) => context.clone(),
            _ if call.evaluator.dialect().is_standard() => {
                return call.fail("there is no context on the way");
            }
            _ => Context::empty(),
        };
        levels.push(next);
    }
    let mut value = value.clone();
    for (context, key) in levels.iter().zip(path).rev() {
        value = with_entry(call, context, key, value)?;
    }
    Ok(value)
}

fn with_entry(call: &mut Call<'_, '_>, context: &Context, key: &Text, value: Value) -> Eval {
    call.charge_steps(context.len())?;
    let mut entries = context.entries().to_vec();
    match context.position(key.as_bytes()) {
        Some(at) => entries[at].1 = value,
        None => entries.push((key.clone(), value)),
    }
    call.context(entries)
}

fn merge(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let contexts = match values {
        [Value::List(contexts)] => contexts.as_slice(),
        several => several,
    };
    let mut entries = Vec::new();
    for context in contexts {
        let Value::Context(context) = context else { return call.illegal(values) };
        call.charge_steps(context.len())?;
        entries.extend_from_slice(context.entries());
    }
    call.context(entries)
}

fn context(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let items = match values {
        [Value::List(items)] => items.as_slice(),
        [Value::Context(_)] => values,
        _ => return call.illegal(values),
    };
    call.charge_steps(items.len())?;
    let mut entries: Vec<(Text, Value)> = Vec::with_capacity(items.len());
    for item in items {
        let Value::Context(item) = item else { return call.illegal(values) };
        match (item.get("key"), item.get("value")) {
            (Some(Value::String(key)), Some(value)) => entries.push((key.clone(), value.clone())),
            _ => return call.fail("each item needs a `key` that is a string, and a `value`"),
        }
    }
    let count = entries.len();
    let context = call.context(entries)?;
    let twins = context.as_context().is_some_and(|context| context.len() < count);
    if twins && call.evaluator.dialect().is_standard() {
        return call.fail("a key comes twice");
    }
    Ok(context)
}
