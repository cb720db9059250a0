//! Functions on booleans and on whether there is a value at all.

use super::{Builtin, Call};
use crate::Failure;
use crate::eval::Eval;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("not", &[&["negand"]], not),
    Builtin::new("is defined", &[&["value"]], is_defined),
    Builtin::new("get or else", &[&["value", "default"]], get_or_else),
    Builtin::new("assert", &[&["value", "condition"], &["value", "condition", "cause"]], assert),
];

fn not(_call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    Ok(match values {
        [Value::Boolean(boolean)] => Value::Boolean(!boolean),
        _ => Value::Null,
    })
}

fn is_defined(_call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    Ok(Value::Boolean(values.iter().all(|value| !value.is_null())))
}

fn get_or_else(_call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    Ok(values.iter().find(|value| !value.is_null()).cloned().unwrap_or_default())
}

fn assert(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [value, condition, ..] = values else { return call.illegal(values) };
    if condition.as_bool() == Some(true) {
        return Ok(value.clone());
    }
    let message = match values.get(2) {
        Some(Value::String(cause)) => cause.to_string(),
        _ => "the condition is not fulfilled".to_owned(),
    };
    call.evaluator.stop(Failure::Assert { message, offset: call.at })
}
