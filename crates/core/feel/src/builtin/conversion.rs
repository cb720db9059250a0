//! Functions from one type to another.

pub(super) mod text;

use super::{Builtin, Call};
use crate::eval::Eval;
use crate::value::temporal::Zone;
use crate::value::{Date, DateTime, DaysTimeDuration, Number, Time, Value, YearsMonthsDuration};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("string", &[&["from"]], string),
    Builtin::new(
        "number",
        &[&["from"], &["from", "grouping separator"], &["from", "grouping separator", "decimal separator"]],
        number,
    ),
    Builtin::new("date", &[&["from"], &["year", "month", "day"]], date),
    Builtin::new(
        "time",
        &[&["from"], &["hour", "minute", "second"], &["hour", "minute", "second", "offset"]],
        time,
    ),
    Builtin::new("date and time", &[&["from"], &["date", "time"], &["date", "timezone"]], date_and_time),
    Builtin::new("duration", &[&["from"]], duration),
    Builtin::new("years and months duration", &[&["from", "to"]], years_and_months_duration),
    Builtin::new("from json", &[&["value"]], from_json),
    Builtin::new("to json", &[&["value"]], to_json),
];

fn string(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    match values {
        [Value::Null] => Ok(Value::Null),
        [text @ Value::String(_)] => Ok(text.clone()),
        [value] => {
            let mut out = String::new();
            text::write(call.evaluator.dialect(), value, &mut out, &mut |bytes| {
                call.evaluator.charge_bytes(bytes, call.at)
            })?;
            Ok(Value::String(out.into()))
        }
        _ => call.illegal(values),
    }
}

fn number(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let separator = |value: Option<&Value>, allowed: &str| match value {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) => {
            let mut characters = text.chars();
            let only = characters.next().filter(|&c| allowed.contains(c) && characters.next().is_none());
            only.map(Some)
        }
        Some(_) => None,
    };
    let Some(Value::String(text)) = values.first() else { return call.illegal(values) };
    let (Some(grouping), Some(decimal)) = (separator(values.get(1), " ,."), separator(values.get(2), ",."))
    else {
        return call.fail("separators are ` ` (between groups only), `,` and `.`");
    };
    if grouping.is_some() && grouping == decimal {
        return call.fail("the two separators are the same");
    }
    call.charge_steps(text.as_bytes().len() / 16)?;
    let plain: String = text
        .chars()
        .filter(|&c| Some(c) != grouping)
        .map(|c| if Some(c) == decimal { '.' } else { c })
        .collect();
    match plain.trim().parse::<Number>() {
        Ok(number) => Ok(Value::Number(number)),
        Err(reason) => call.fail(format_args!("`{}` is {reason}", shown(text))),
    }
}

/// The start of a text, for messages.
fn shown(text: &str) -> String {
    text.chars().take(50).collect()
}

/// A part of a date or time as an integer.
fn part<T: TryFrom<i64>>(number: &Number) -> Option<T> {
    T::try_from(number.to_i64()?).ok()
}

fn unreadable(call: &mut Call<'_, '_>, text: &str, what: &str) -> Eval {
    call.fail(format_args!("`{}` is not a {what}", shown(text)))
}

pub(super) fn date_of_text(text: &str) -> Option<Value> {
    Date::parse(text).map(Value::Date)
}

fn date(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    match values {
        [Value::String(text)] => match date_of_text(text) {
            Some(date) => Ok(date),
            None => unreadable(call, text, "date"),
        },
        [date @ Value::Date(_)] => Ok(date.clone()),
        [Value::DateTime(moment)] => Ok(Value::Date(moment.date())),
        [Value::Number(year), Value::Number(month), Value::Number(day)] => {
            let date = part(year).zip(part(month)).zip(part(day));
            match date.and_then(|((year, month), day)| Date::new(year, month, day)) {
                Some(date) => Ok(Value::Date(date)),
                None => call.fail(format_args!("there is no date {year}-{month}-{day}")),
            }
        }
        _ => call.illegal(values),
    }
}

pub(super) fn time_of_text(text: &str) -> Option<Value> {
    Time::parse(text).map(Value::Time)
}

fn time(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    match values {
        [Value::String(text)] => match time_of_text(text) {
            Some(time) => Ok(time),
            None => unreadable(call, text, "time"),
        },
        [time @ Value::Time(_)] => Ok(time.clone()),
        [Value::DateTime(moment)] => Ok(Value::Time(moment.time())),
        [Value::Date(_)] => Ok(Time::from_nanos(0, Zone::UTC).map(Value::Time).unwrap_or_default()),
        [Value::Number(hour), Value::Number(minute), Value::Number(second), offset @ ..] => {
            let zone = match offset {
                [] | [Value::Null] => Some(Zone::Local),
                [Value::DaysTimeDuration(offset)] => {
                    i32::try_from(offset.to_ms() / 1000).ok().and_then(Zone::from_offset)
                }
                _ => return call.illegal(values),
            };
            let time = zone.and_then(|zone| clock(hour, minute, second, zone));
            match time {
                Some(time) => Ok(Value::Time(time)),
                None => call.fail(format_args!("there is no time {hour}:{minute}:{second} with this offset")),
            }
        }
        _ => call.illegal(values),
    }
}

/// Seconds may have a fraction, which is cut to nanoseconds.
fn clock(hour: &Number, minute: &Number, second: &Number, zone: Zone) -> Option<Time> {
    let nanos = second.multiply(Number::from_i64(1_000_000_000))?.to_i64().filter(|&nanos| nanos >= 0)?;
    let fraction = u32::try_from(nanos % 1_000_000_000).ok()?;
    Time::new(part(hour)?, part(minute)?, part(second)?, fraction, zone)
}

pub(super) fn date_time_of_text(text: &str) -> Option<Value> {
    DateTime::parse(text).map(Value::DateTime)
}

fn date_and_time(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let joined = |date: Date, time: Time| Ok(Value::DateTime(DateTime::new(date, time)));
    match values {
        [Value::String(text)] => match date_time_of_text(text) {
            Some(moment) => Ok(moment),
            None => unreadable(call, text, "date and time"),
        },
        [moment @ Value::DateTime(_)] => Ok(moment.clone()),
        [Value::Date(date), Value::Time(time)] => joined(*date, *time),
        [Value::DateTime(moment), Value::Time(time)] => joined(moment.date(), *time),
        [Value::DateTime(moment), Value::String(name)] => {
            match Zone::from_name(name).and_then(|zone| moment.in_zone(zone)) {
                Some(moment) => Ok(Value::DateTime(moment)),
                None => call.fail(format_args!("there is no zone `{}`", shown(name))),
            }
        }
        _ => call.illegal(values),
    }
}

pub(super) fn duration_of_text(text: &str) -> Option<Value> {
    let months = YearsMonthsDuration::parse(text).map(Value::YearsMonthsDuration);
    months.or_else(|| DaysTimeDuration::parse(text).map(Value::DaysTimeDuration))
}

fn duration(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    match values {
        [Value::String(text)] => match duration_of_text(text) {
            Some(duration) => Ok(duration),
            None => unreadable(call, text, "duration"),
        },
        [duration @ (Value::DaysTimeDuration(_) | Value::YearsMonthsDuration(_))] => Ok(duration.clone()),
        _ => call.illegal(values),
    }
}

fn years_and_months_duration(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let day = |value: &Value| match value {
        Value::Date(date) => Some(*date),
        Value::DateTime(moment) => Some(moment.date()),
        _ => None,
    };
    let [from, to] = values else { return call.illegal(values) };
    let (Some(from), Some(to)) = (day(from), day(to)) else { return call.illegal(values) };
    let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
    let between = months(to) - months(from);
    // A month that is not over does not count.
    let between = match between {
        1.. if to.day() < from.day() => between - 1,
        ..=-1 if to.day() > from.day() => between + 1,
        whole => whole,
    };
    Ok(YearsMonthsDuration::from_months(between).map(Value::YearsMonthsDuration).unwrap_or_default())
}

fn from_json(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::String(text)] = values else { return call.illegal(values) };
    let length = text.as_bytes().len();
    call.charge_steps(length / 8)?;
    // Two bytes of text, as in `[1,1,1]`, may become a value.
    call.evaluator.charge_bytes(length.saturating_mul(size_of::<Value>() / 2), call.at)?;
    match Value::from_json(text.as_bytes()) {
        Ok(value) => Ok(value),
        Err(error) => call.fail(error),
    }
}

fn to_json(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [value] = values else { return call.illegal(values) };
    let text = value.to_json_text(&mut |bytes| call.evaluator.charge_bytes(bytes, call.at))?;
    Ok(Value::String(text.into()))
}
