//! Properties of temporal values and ranges, as in `date.year`.

use super::{DaysTimeDuration, Time, YearsMonthsDuration};
use crate::value::{Number, Value};

impl Value {
    /// A property of a value that is no context; nothing if its type has none of this name.
    pub(crate) fn property(&self, name: &str) -> Option<Self> {
        match self {
            Self::Date(date) => date_property(*date, name),
            Self::Time(time) => time_property(*time, name),
            Self::DateTime(moment) => {
                date_property(moment.date(), name).or_else(|| time_property(moment.time(), name))
            }
            Self::DaysTimeDuration(span) => days_property(*span, name),
            Self::YearsMonthsDuration(span) => months_property(*span, name),
            Self::Range(range) => Some(match name {
                "start" => range.start().value.clone(),
                "end" => range.end().value.clone(),
                "start included" => Self::Boolean(range.start().included),
                "end included" => Self::Boolean(range.end().included),
                _ => return None,
            }),
            Self::Null
            | Self::Boolean(_)
            | Self::Number(_)
            | Self::String(_)
            | Self::List(_)
            | Self::Context(_)
            | Self::Function(_) => None,
        }
    }

    /// The value of a temporal literal; null if the text is none.
    pub(crate) fn temporal(text: &str) -> Self {
        use super::{Date, DateTime};
        DaysTimeDuration::parse(text)
            .map(Self::DaysTimeDuration)
            .or_else(|| YearsMonthsDuration::parse(text).map(Self::YearsMonthsDuration))
            .or_else(|| Date::parse(text).map(Self::Date))
            .or_else(|| Time::parse(text).map(Self::Time))
            .or_else(|| DateTime::parse(text).map(Self::DateTime))
            .unwrap_or_default()
    }
}

fn number(integer: impl Into<i64>) -> Value {
    Value::Number(Number::from_i64(integer.into()))
}

fn date_property(date: super::Date, name: &str) -> Option<Value> {
    Some(match name {
        "year" => number(date.year()),
        "month" => number(date.month()),
        "day" => number(date.day()),
        "weekday" => number(date.weekday()),
        _ => return None,
    })
}

fn time_property(time: Time, name: &str) -> Option<Value> {
    Some(match name {
        "hour" => number(time.hour()),
        "minute" => number(time.minute()),
        "second" => number(time.second()),
        "time offset" => time
            .zone()
            .offset()
            .map(|seconds| Value::DaysTimeDuration(DaysTimeDuration::from_seconds(seconds.into())))
            .unwrap_or_default(),
        "timezone" => time.zone().name().map(Value::from).unwrap_or_default(),
        _ => return None,
    })
}

fn days_property(span: DaysTimeDuration, name: &str) -> Option<Value> {
    let [days, hours, minutes, seconds] = span.parts();
    Some(match name {
        "days" => number(days),
        "hours" => number(hours),
        "minutes" => number(minutes),
        "seconds" => number(seconds),
        _ => return None,
    })
}

fn months_property(span: YearsMonthsDuration, name: &str) -> Option<Value> {
    Some(match name {
        "years" => number(span.to_months() / 12),
        "months" => number(span.to_months() % 12),
        _ => return None,
    })
}
