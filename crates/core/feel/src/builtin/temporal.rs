//! Functions on dates and times.

use super::{Builtin, Call};
use crate::eval::Eval;
use crate::value::temporal::Zone;
use crate::value::{Date, DateTime, Number, Value};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("now", &[&[]], |call, _| Ok(moment(call).map(Value::DateTime).unwrap_or_default())),
    Builtin::new("today", &[&[]], |call, _| {
        Ok(moment(call).map(|now| Value::Date(now.date())).unwrap_or_default())
    }),
    Builtin::new("day of year", &[&["date"]], |call, values| {
        of_date(call, values, |date| number(date.day_of_year()))
    }),
    Builtin::new("day of week", &[&["date"]], |call, values| of_date(call, values, day_of_week)),
    Builtin::new("month of year", &[&["date"]], |call, values| of_date(call, values, month_of_year)),
    Builtin::new("week of year", &[&["date"]], |call, values| {
        of_date(call, values, |date| number(date.week_of_year()))
    }),
    Builtin::new("last day of month", &[&["date"]], |call, values| {
        of_date(call, values, |date| Value::Date(date.last_day_of_month()))
    }),
];

fn moment(call: &Call<'_, '_>) -> Option<DateTime> {
    let env = call.evaluator.env();
    let zone = Zone::from_name(env.zone).unwrap_or(Zone::UTC);
    DateTime::from_instant(i128::from(env.now_ms) * 1_000_000, zone)
}

fn of_date(call: &mut Call<'_, '_>, values: &[Value], compute: fn(Date) -> Value) -> Eval {
    match values {
        [Value::Date(date)] => Ok(compute(*date)),
        [Value::DateTime(moment)] => Ok(compute(moment.date())),
        _ => call.illegal(values),
    }
}

fn number(integer: impl Into<u32>) -> Value {
    Value::Number(Number::from(integer.into()))
}

fn day_of_week(date: Date) -> Value {
    const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    NAMES[usize::from(date.weekday()) - 1].into()
}

fn month_of_year(date: Date) -> Value {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    NAMES[usize::from(date.month()) - 1].into()
}
