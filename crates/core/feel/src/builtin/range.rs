//! How points and ranges lie to each other. A point counts as the range from itself to itself.

use std::cmp::Ordering;

use super::{Builtin, Call};
use crate::WarningKind;
use crate::eval::Eval;
use crate::value::{Bound, Value, order};

const ANY: &[&[&str]] =
    &[&["point1", "point2"], &["point", "range"], &["range", "point"], &["range1", "range2"]];
const RANGES: &[&[&str]] = &[&["range1", "range2"]];
const POINT_FIRST: &[&[&str]] = &[&["point", "range"], &["range1", "range2"]];
const RANGE_FIRST: &[&[&str]] = &[&["range", "point"], &["range1", "range2"]];
const ALIKE: &[&[&str]] = &[&["point1", "point2"], &["range1", "range2"]];

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("before", ANY, |call, values| relate(call, values, &[PP, PR, RP, RR], before)),
    Builtin::new("after", ANY, |call, values| relate(call, values, &[PP, PR, RP, RR], |a, b| before(b, a))),
    Builtin::new("meets", RANGES, |call, values| relate(call, values, &[RR], meets)),
    Builtin::new("met by", RANGES, |call, values| relate(call, values, &[RR], |a, b| meets(b, a))),
    Builtin::new("overlaps", RANGES, |call, values| relate(call, values, &[RR], overlaps)),
    Builtin::new("overlaps before", RANGES, |call, values| relate(call, values, &[RR], overlaps_before)),
    Builtin::new("overlaps after", RANGES, |call, values| {
        relate(call, values, &[RR], |a, b| overlaps_before(b, a))
    }),
    Builtin::new("finishes", POINT_FIRST, |call, values| relate(call, values, &[PR, RR], finishes)),
    Builtin::new("finished by", RANGE_FIRST, |call, values| {
        relate(call, values, &[RP, RR], |a, b| finishes(b, a))
    }),
    Builtin::new("includes", RANGE_FIRST, |call, values| relate(call, values, &[RP, RR], includes)),
    Builtin::new("during", POINT_FIRST, |call, values| {
        relate(call, values, &[PR, RR], |a, b| includes(b, a))
    }),
    Builtin::new("starts", POINT_FIRST, |call, values| relate(call, values, &[PR, RR], starts)),
    Builtin::new("started by", RANGE_FIRST, |call, values| {
        relate(call, values, &[RP, RR], |a, b| starts(b, a))
    }),
    Builtin::new("coincides", ALIKE, |call, values| relate(call, values, &[PP, RR], coincides)),
];

/// Which of the two are ranges.
type Shape = (bool, bool);
const PP: Shape = (false, false);
const PR: Shape = (false, true);
const RP: Shape = (true, false);
const RR: Shape = (true, true);

/// Two bounds, from the lower to the upper one.
struct Span<'v> {
    start: &'v Value,
    starts_there: bool,
    end: &'v Value,
    ends_there: bool,
    is_point: bool,
}

impl<'v> Span<'v> {
    fn of(value: &'v Value) -> Self {
        let Value::Range(range) = value else {
            return Self { start: value, starts_there: true, end: value, ends_there: true, is_point: true };
        };
        let bound = |bound: &'v Bound| (&bound.value, bound.included);
        let ((start, starts_there), (end, ends_there)) = (bound(range.start()), bound(range.end()));
        Self { start, starts_there, end, ends_there, is_point: false }
    }
}

fn relate(
    call: &mut Call<'_, '_>,
    values: &[Value],
    shapes: &[Shape],
    holds: fn(&Span<'_>, &Span<'_>) -> Option<bool>,
) -> Eval {
    let [left, right] = values else { return call.illegal(values) };
    let is_range = |value: &Value| matches!(value, Value::Range(_));
    if !shapes.contains(&(is_range(left), is_range(right))) || left.is_null() || right.is_null() {
        return call.illegal(values);
    }
    let (left, right) = (Span::of(left), Span::of(right));
    for bound in [left.start, left.end, right.start, right.end] {
        call.evaluator.charge_walk(bound, call.at)?;
    }
    if let Some(holds) = holds(&left, &right) {
        return Ok(Value::Boolean(holds));
    }
    let (left, right) = (left.start.type_name(), right.start.type_name());
    let message = || format!("cannot compare {left} with {right}");
    Ok(call.evaluator.warn(WarningKind::NotComparable, call.at, message))
}

fn before(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(match order(a.end, b.start)? {
        Ordering::Less => true,
        Ordering::Equal => !(a.ends_there && b.starts_there),
        Ordering::Greater => false,
    })
}

fn meets(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(order(a.end, b.start)?.is_eq() && a.ends_there && b.starts_there)
}

/// Whether the end of one reaches the start of the other.
fn reaches(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(match order(a.end, b.start)? {
        Ordering::Less => false,
        Ordering::Equal => a.ends_there && b.starts_there,
        Ordering::Greater => true,
    })
}

fn overlaps(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(reaches(a, b)? && reaches(b, a)?)
}

/// Whether one starts earlier than the other.
fn starts_first(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(match order(a.start, b.start)? {
        Ordering::Less => true,
        Ordering::Equal => a.starts_there && !b.starts_there,
        Ordering::Greater => false,
    })
}

/// Whether one ends no later than the other.
fn ends_within(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(match order(a.end, b.end)? {
        Ordering::Less => true,
        Ordering::Equal => !a.ends_there || b.ends_there,
        Ordering::Greater => false,
    })
}

/// Whether one starts no earlier than the other.
fn starts_within(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(!starts_first(a, b)?)
}

fn overlaps_before(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(starts_first(a, b)? && reaches(a, b)? && ends_within(a, b)?)
}

fn finishes(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    if !order(a.end, b.end)?.is_eq() || a.ends_there != b.ends_there {
        return order(a.start, b.start).map(|_| false);
    }
    Some(a.is_point || starts_within(a, b)?)
}

fn includes(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    Some(starts_within(b, a)? && ends_within(b, a)?)
}

fn starts(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    if !order(a.start, b.start)?.is_eq() || a.starts_there != b.starts_there {
        return order(a.end, b.end).map(|_| false);
    }
    Some(a.is_point || ends_within(a, b)?)
}

fn coincides(a: &Span<'_>, b: &Span<'_>) -> Option<bool> {
    let starts_alike = order(a.start, b.start)?.is_eq() && a.starts_there == b.starts_there;
    Some(starts_alike && order(a.end, b.end)?.is_eq() && a.ends_there == b.ends_there)
}
