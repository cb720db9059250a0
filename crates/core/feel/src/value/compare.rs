//! Equality and order.

use std::cmp::Ordering;

use super::{Context, DateTime, List, Time, Value};
use crate::Dialect;

/// Whether two values are equal; nothing when their types cannot be compared. Null equals null only. Inside of
/// lists and contexts, what cannot be compared is unequal.
pub fn equal(left: &Value, right: &Value) -> Option<bool> {
    equal_in(Dialect::Camunda, left, right)
}

/// As [`equal`], in a dialect.
pub(crate) fn equal_in(dialect: Dialect, left: &Value, right: &Value) -> Option<bool> {
    Some(match (left, right) {
        (Value::Null, other) | (other, Value::Null) => other.is_null(),
        (Value::Number(left), Value::Number(right)) => left == right,
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Boolean(left), Value::Boolean(right)) => left == right,
        (Value::List(left), Value::List(right)) => lists_equal(dialect, left, right),
        (Value::Context(left), Value::Context(right)) => contexts_equal(dialect, left, right),
        (Value::Date(left), Value::Date(right)) => left == right,
        // The standard looks at the instant, to the millisecond.
        (Value::Time(left), Value::Time(right)) if dialect.is_standard() => {
            let ms = |time: &Time| time.utc_nanos().div_euclid(1_000_000);
            return left.order(right).map(|_| ms(left) == ms(right));
        }
        (Value::DateTime(left), Value::DateTime(right)) if dialect.is_standard() => {
            let ms = |moment: &DateTime| moment.to_instant().div_euclid(1_000_000);
            return left.order(right).map(|_| ms(left) == ms(right));
        }
        // Equal are the same clock time in the same zone; the same instant in another zone is not equal.
        (Value::Time(left), Value::Time(right)) => return left.order(right).map(|_| left == right),
        (Value::DateTime(left), Value::DateTime(right)) => return left.order(right).map(|_| left == right),
        (Value::DaysTimeDuration(left), Value::DaysTimeDuration(right)) => left == right,
        (Value::YearsMonthsDuration(left), Value::YearsMonthsDuration(right)) => left == right,
        (Value::Range(left), Value::Range(right)) => {
            left.is_point() == right.is_point()
                && left.start().included == right.start().included
                && left.end().included == right.end().included
                && same(dialect, &left.start().value, &right.start().value)
                && same(dialect, &left.end().value, &right.end().value)
        }
        _ => return None,
    })
}

/// Equality where "cannot be compared" counts as unequal.
pub(crate) fn same(dialect: Dialect, left: &Value, right: &Value) -> bool {
    equal_in(dialect, left, right) == Some(true)
}

fn lists_equal(dialect: Dialect, left: &List, right: &List) -> bool {
    left.len() == right.len() && left.iter().zip(right.iter()).all(|(left, right)| same(dialect, left, right))
}

fn contexts_equal(dialect: Dialect, left: &Context, right: &Context) -> bool {
    left.len() == right.len()
        && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same(dialect, value, other)))
}

/// The order of two values; nothing when they are of different types or of one without order.
pub(crate) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    Some(match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.cmp(right),
        (Value::String(left), Value::String(right)) => by_utf16(left.as_bytes(), right.as_bytes()),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::Time(left), Value::Time(right)) => return left.order(right),
        (Value::DateTime(left), Value::DateTime(right)) => return left.order(right),
        (Value::DaysTimeDuration(left), Value::DaysTimeDuration(right)) => left.cmp(right),
        (Value::YearsMonthsDuration(left), Value::YearsMonthsDuration(right)) => left.cmp(right),
        _ => return None,
    })
}

/// The order of two strings by their UTF-16 units, as on the JVM. It is that of the UTF-8 bytes, but for characters
/// beyond 16 bits, which come before the last ones below.
pub(crate) fn by_utf16(left: &[u8], right: &[u8]) -> Ordering {
    // Pieces are compared many bytes at once.
    const PIECE: usize = 64;
    let equal = left.chunks(PIECE).zip(right.chunks(PIECE)).take_while(|(left, right)| left == right).count();
    let from = (equal * PIECE).min(left.len()).min(right.len());
    let differing = left[from..].iter().zip(&right[from..]).find(|(left, right)| left != right);
    match differing {
        Some((0xee..=0xef, 0xf0..)) => Ordering::Greater,
        Some((0xf0.., 0xee..=0xef)) => Ordering::Less,
        Some((left, right)) => left.cmp(right),
        None => left.len().cmp(&right.len()),
    }
}
