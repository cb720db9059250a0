//! Sums, differences, products and quotients of temporal values.

use super::{Date, DateTime, DaysTimeDuration, Time, YearsMonthsDuration, Zone};
use crate::Dialect;
use crate::ast::Operator;
use crate::value::{Number, Value};

/// There is no value that could hold the result.
pub(crate) struct OutOfRange;

/// The result of an operator, if it is one for these types.
pub(crate) fn arithmetic(
    dialect: Dialect,
    operator: Operator,
    left: &Value,
    right: &Value,
) -> Option<Result<Value, OutOfRange>> {
    use Value::{Number as N, YearsMonthsDuration as Months};
    let result = match (operator, left, right) {
        (Operator::Multiply | Operator::Divide, left, right) if dialect.is_standard() => {
            return exact(operator, left, right);
        }
        (Operator::Add, left, right) => return add(left, right).or_else(|| add(right, left)),
        (Operator::Subtract, left, right) => return subtract(dialect, left, right),
        (Operator::Multiply, Months(span), N(factor)) | (Operator::Multiply, N(factor), Months(span)) => {
            factor.to_i64().and_then(|factor| months(span.to_months().checked_mul(factor)?))
        }
        (Operator::Multiply, Value::DaysTimeDuration(span), N(factor))
        | (Operator::Multiply, N(factor), Value::DaysTimeDuration(span)) => {
            factor.to_i64().and_then(|factor| nanos(span.to_nanos().checked_mul(i128::from(factor))?))
        }
        (Operator::Divide, Months(span), N(divisor)) => divide(span.to_months().into(), *divisor)
            .and_then(|whole| i64::try_from(whole).ok())
            .and_then(months),
        (Operator::Divide, Months(left), Months(right)) => {
            left.to_months().checked_div(right.to_months()).map(Value::from)
        }
        (Operator::Divide, Value::DaysTimeDuration(span), N(divisor)) => {
            divide(span.to_nanos(), *divisor).and_then(nanos)
        }
        (Operator::Divide, Value::DaysTimeDuration(left), Value::DaysTimeDuration(right)) => left
            .to_ms()
            .checked_div(right.to_ms())
            .and_then(|quotient| Number::try_from(quotient).ok())
            .map(Value::Number),
        _ => return None,
    };
    Some(result.ok_or(OutOfRange))
}

/// Products and quotients with fractions, as the standard has them.
fn exact(operator: Operator, left: &Value, right: &Value) -> Option<Result<Value, OutOfRange>> {
    enum Span {
        Days,
        Months,
    }
    let span = |value: &Value| match value {
        Value::DaysTimeDuration(span) => Some((Span::Days, Number::try_from(span.to_nanos()).ok()?)),
        Value::YearsMonthsDuration(span) => Some((Span::Months, Number::from_i64(span.to_months()))),
        _ => None,
    };
    let back = |kind: Span, amount: Number| {
        let whole = amount.to_i128()?;
        match kind {
            Span::Days => nanos(whole),
            Span::Months => months(i64::try_from(whole).ok()?),
        }
    };
    let result = match (operator, left, right) {
        (Operator::Multiply, Value::Number(factor), other)
        | (Operator::Multiply, other, Value::Number(factor)) => {
            let (kind, amount) = span(other)?;
            amount.multiply(*factor).and_then(|amount| back(kind, amount))
        }
        (Operator::Divide, dividend, Value::Number(divisor)) => {
            let (kind, amount) = span(dividend)?;
            amount.divide(*divisor).and_then(|amount| back(kind, amount))
        }
        (Operator::Divide, Value::DaysTimeDuration(_), Value::DaysTimeDuration(_))
        | (Operator::Divide, Value::YearsMonthsDuration(_), Value::YearsMonthsDuration(_)) => {
            span(left)?.1.divide(span(right)?.1).map(Value::Number)
        }
        _ => return None,
    };
    Some(result.ok_or(OutOfRange))
}

fn add(left: &Value, right: &Value) -> Option<Result<Value, OutOfRange>> {
    let result = match (left, right) {
        (Value::Date(date), Value::DaysTimeDuration(span)) => shift_date(*date, span.to_nanos()),
        (Value::Date(date), Value::YearsMonthsDuration(span)) => {
            date.plus_months(span.to_months()).map(Value::Date)
        }
        (Value::Time(time), Value::DaysTimeDuration(span)) => {
            Some(Value::Time(time.plus_nanos(span.to_nanos())))
        }
        (Value::DateTime(moment), Value::DaysTimeDuration(span)) => {
            moment.plus_nanos(span.to_nanos()).map(Value::DateTime)
        }
        (Value::DateTime(moment), Value::YearsMonthsDuration(span)) => {
            moment.plus_months(span.to_months()).map(Value::DateTime)
        }
        (Value::DaysTimeDuration(left), Value::DaysTimeDuration(right)) => {
            left.plus(*right).map(Value::DaysTimeDuration)
        }
        (Value::YearsMonthsDuration(left), Value::YearsMonthsDuration(right)) => {
            months(left.to_months() + right.to_months())
        }
        _ => return None,
    };
    Some(result.ok_or(OutOfRange))
}

fn subtract(dialect: Dialect, left: &Value, right: &Value) -> Option<Result<Value, OutOfRange>> {
    let result = match (left, right) {
        (left, Value::DaysTimeDuration(span)) => match span.negate() {
            Some(span) => return add(left, &Value::DaysTimeDuration(span)),
            None => None,
        },
        (left, Value::YearsMonthsDuration(span)) => match span.negate() {
            Some(span) => return add(left, &Value::YearsMonthsDuration(span)),
            None => None,
        },
        (Value::Time(left), Value::Time(right)) => {
            left.order(right)?;
            nanos(i128::from(left.utc_nanos()) - i128::from(right.utc_nanos()))
        }
        (Value::Date(_) | Value::DateTime(_), Value::Date(_) | Value::DateTime(_)) => {
            let (left, right) = match (left, right) {
                (Value::Date(_), Value::DateTime(_)) | (Value::DateTime(_), Value::Date(_)) => {
                    // The standard takes a date as its midnight in UTC, so it has no distance from a local moment.
                    if !dialect.is_standard() {
                        return None;
                    }
                    (moment(left, Zone::UTC)?, moment(right, Zone::UTC)?)
                }
                _ => (moment(left, Zone::Local)?, moment(right, Zone::Local)?),
            };
            left.order(&right)?;
            nanos(left.to_instant() - right.to_instant())
        }
        _ => return None,
    };
    Some(result.ok_or(OutOfRange))
}

/// A date as its midnight.
fn moment(value: &Value, midnight: Zone) -> Option<DateTime> {
    match value {
        Value::Date(date) => Some(DateTime::new(*date, Time::from_nanos(0, midnight)?)),
        Value::DateTime(moment) => Some(*moment),
        _ => None,
    }
}

/// A date stays a date: the sum is taken from its start, and the time of day of the result is cut.
fn shift_date(date: Date, nanos: i128) -> Option<Value> {
    let days = nanos.div_euclid(i128::from(super::NANOS_PER_DAY));
    date.plus_days(i64::try_from(days).ok()?).map(Value::Date)
}

fn nanos(nanos: i128) -> Option<Value> {
    DaysTimeDuration::from_nanos(nanos).map(Value::DaysTimeDuration)
}

fn months(months: i64) -> Option<Value> {
    YearsMonthsDuration::from_months(months).map(Value::YearsMonthsDuration)
}

/// A quotient, cut towards zero.
fn divide(dividend: i128, divisor: Number) -> Option<i128> {
    Number::try_from(dividend).ok()?.divide(divisor)?.to_i128()
}
