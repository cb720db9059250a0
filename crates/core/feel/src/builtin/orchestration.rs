//! Functions that process models use beside the language: timer cycles, and values that an agent fills in.

use super::{Builtin, Call};
use crate::eval::Eval;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("cycle", &[&["interval"], &["repetitions", "interval"]], cycle),
    Builtin::new(
        "fromAi",
        &[
            &["value"],
            &["value", "description"],
            &["value", "description", "type"],
            &["value", "description", "type", "schema"],
            &["value", "description", "type", "schema", "options"],
        ],
        from_ai,
    ),
];

fn cycle(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let (repetitions, interval) = match values {
        [interval] | [Value::Null, interval] => (String::new(), interval),
        [Value::Number(count), interval] => match count.to_i64() {
            Some(count) => (count.to_string(), interval),
            None => return call.illegal(values),
        },
        _ => return call.illegal(values),
    };
    let interval = match interval {
        Value::DaysTimeDuration(span) => span.to_string(),
        Value::YearsMonthsDuration(span) => span.to_string(),
        _ => return call.illegal(values),
    };
    call.string(format!("R{repetitions}/{interval}"))
}

/// The value itself: the other arguments describe it to an agent, who reads them from the model.
fn from_ai(_call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    Ok(values.first().cloned().unwrap_or_default())
}
