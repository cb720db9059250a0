//! Unary tests.

use std::cmp::Ordering;

use super::operator::holds_at_once;
use super::{Eval, Evaluator};
use crate::Dialect;
use crate::ast::{Comparison, In, Kind, Node, RangeKind, Slot, Test};
use crate::value::{Bound, Range, Value, order, same};

impl Evaluator<'_> {
    pub(super) fn in_tests(&mut self, test: &In, at: u32) -> Eval<Option<bool>> {
        let input = self.eval(&test.input)?;
        self.set(test.slot, input);
        self.any_test(&test.tests, test.slot, at)
    }

    /// Whether any test passes; nothing if none does and one could not tell.
    pub(super) fn any_test(&mut self, tests: &[Test], slot: Slot, at: u32) -> Eval<Option<bool>> {
        let mut unknown = false;
        for test in tests {
            match self.test(test, slot, at)? {
                Some(true) => return Ok(Some(true)),
                Some(false) => (),
                None => unknown = true,
            }
        }
        Ok(if unknown { None } else { Some(false) })
    }

    fn test(&mut self, test: &Test, slot: Slot, at: u32) -> Eval<Option<bool>> {
        match test {
            Test::Any => Ok(Some(true)),
            Test::Not(tests) => {
                let passes = self.deeper(at, |evaluator| evaluator.any_test(tests, slot, at))?;
                Ok(passes.map(|passes| !passes))
            }
            Test::Compare(comparison, operand) => {
                let operand_value = self.eval(operand)?;
                let input = self.local(slot).clone();
                self.charge_walk(&input, at)?;
                Ok(self.compare_values(*comparison, &input, &operand_value, operand.at))
            }
            Test::Value(node, decided) => {
                let value = self.eval(node)?;
                if *decided {
                    return Ok(match value {
                        Value::Boolean(passes) => Some(passes),
                        _ => None,
                    });
                }
                let input = self.local(slot).clone();
                self.charge_walk(&input, at)?;
                self.charge_walk(&value, at)?;
                if value.is_null() && matches!(node.kind, Kind::Range(_)) {
                    return Ok(None);
                }
                Ok(self.matches(&input, &value, node.at))
            }
        }
    }

    /// Whether a value that stands as a test is met by the input.
    fn matches(&mut self, input: &Value, value: &Value, at: u32) -> Option<bool> {
        let dialect = self.dialect;
        match value {
            Value::Range(range) => match includes(range, input) {
                None => {
                    self.warn(crate::WarningKind::NotComparable, at, || {
                        let bound = range.start().value.type_name();
                        format!("cannot compare {} with a range of {bound}", input.type_name())
                    });
                    None
                }
                known => known,
            },
            Value::List(items) if !matches!(input, Value::List(_)) => {
                Some(items.iter().any(|item| match item {
                    Value::Range(range) => includes(range, input) == Some(true),
                    item => same(dialect, input, item),
                }))
            }
            Value::List(items) => {
                Some(same(dialect, input, value) || items.iter().any(|item| same(dialect, input, item)))
            }
            Value::Boolean(true) if !matches!(input, Value::Boolean(_)) => Some(true),
            Value::Boolean(false) => {
                Some(self.compare_values(Comparison::Equal, input, value, at) == Some(true))
            }
            other => self.compare_values(Comparison::Equal, input, other, at),
        }
    }
}

/// Whether an input passes tests, if constants alone tell it without a walk over whole values and without a warning.
/// Most cells of decision tables are of this kind.
pub(crate) fn at_once(dialect: Dialect, tests: &Node, input: &Value) -> Option<bool> {
    let Kind::Tests(tests, _) = &tests.kind else { return None };
    any_at_once(dialect, tests, input)
}

fn any_at_once(dialect: Dialect, tests: &[Test], input: &Value) -> Option<bool> {
    for test in tests {
        let passes = match test {
            Test::Any => true,
            // Tests inside of each other are for the slow way, which counts how deep they are.
            Test::Not(tests) if tests.iter().all(|test| !matches!(test, Test::Not(_))) => {
                !any_at_once(dialect, tests, input)?
            }
            Test::Compare(comparison, Node { kind: Kind::Constant(value), .. }) => {
                holds_at_once(dialect, *comparison, input, value)?
            }
            Test::Value(node, false) => matches_at_once(dialect, node, input)?,
            Test::Not(_) | Test::Compare(..) | Test::Value(..) => return None,
        };
        if passes {
            return Some(true);
        }
    }
    Some(false)
}

fn matches_at_once(dialect: Dialect, node: &Node, input: &Value) -> Option<bool> {
    match &node.kind {
        Kind::Constant(Value::Boolean(_)) if !matches!(input, Value::Boolean(_)) => None,
        Kind::Constant(Value::List(_) | Value::Range(_)) => None,
        Kind::Constant(value) => holds_at_once(dialect, Comparison::Equal, input, value),
        Kind::Range(range) if range.kind == RangeKind::Ends => {
            let (Kind::Constant(start), Kind::Constant(end)) = (&range.start.kind, &range.end.kind) else {
                return None;
            };
            order(start, end)?;
            let (above, below) = (order(input, start)?, order(input, end)?);
            let above = above.is_gt() || above.is_eq() && range.start_included;
            Some(above && (below.is_lt() || below.is_eq() && range.end_included))
        }
        _ => None,
    }
}

/// Whether a value lies in a range; nothing if it cannot be compared with the bounds.
pub(crate) fn includes(range: &Range, value: &Value) -> Option<bool> {
    let above = within(range.start(), value, Ordering::Less)?;
    let below = within(range.end(), value, Ordering::Greater)?;
    Some(above && below)
}

/// Whether a value is on the inner side of a bound; a bound of null is none.
fn within(bound: &Bound, value: &Value, outside: Ordering) -> Option<bool> {
    if bound.value.is_null() {
        return Some(true);
    }
    let order = order(value, &bound.value)?;
    Some(order != outside && (order.is_ne() || bound.included))
}
