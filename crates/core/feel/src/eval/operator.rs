//! Logic, comparison and arithmetic.

use std::cmp::Ordering;

use super::{Eval, Evaluator};
use crate::WarningKind;
use crate::ast::{Chain, Comparison, Node, Operator, Type};
use crate::value::{Value, equal, temporal};

impl Evaluator<'_> {
    /// `and` (decided by false) and `or` (decided by true): three-valued, what is no boolean counts as null.
    pub(super) fn connected(&mut self, operands: &[Node], decisive: bool) -> Eval {
        let mut unknown = false;
        for operand in operands {
            match self.eval(operand)? {
                Value::Boolean(boolean) if boolean == decisive => return Ok(Value::Boolean(decisive)),
                Value::Boolean(_) => (),
                Value::Null => unknown = true,
                other => {
                    self.invalid_type("boolean", &other, operand.at);
                    unknown = true;
                }
            }
        }
        Ok(if unknown { Value::Null } else { Value::Boolean(!decisive) })
    }

    pub(super) fn compare(&mut self, comparison: Comparison, left: &Node, right: &Node, at: u32) -> Eval {
        let left = self.eval(left)?;
        let right = self.eval(right)?;
        Ok(self.compare_values(comparison, &left, &right, at).into())
    }

    /// The result of a comparison; nothing and a warning when the values cannot be compared.
    pub(super) fn compare_values(
        &mut self,
        comparison: Comparison,
        left: &Value,
        right: &Value,
        at: u32,
    ) -> Option<bool> {
        let holds = match comparison {
            Comparison::Equal => equal(left, right),
            Comparison::NotEqual => equal(left, right).map(|equal| !equal),
            Comparison::Less => self.ordered(left, right, Ordering::is_lt),
            Comparison::LessOrEqual => self.ordered(left, right, Ordering::is_le),
            Comparison::Greater => self.ordered(left, right, Ordering::is_gt),
            Comparison::GreaterOrEqual => self.ordered(left, right, Ordering::is_ge),
        };
        if holds.is_none() {
            self.warn(WarningKind::NotComparable, at, || {
                let (left, right, symbol) = (left.type_name(), right.type_name(), comparison.symbol());
                format!("cannot compare {left} {symbol} {right}")
            });
        }
        holds
    }

    #[expect(clippy::unused_self, reason = "reads as one table with its caller")]
    fn ordered(&self, left: &Value, right: &Value, holds: fn(Ordering) -> bool) -> Option<bool> {
        crate::value::order(left, right).map(holds)
    }

    pub(super) fn between(&mut self, operands: &[Node; 3], at: u32) -> Eval {
        let [value, start, end] = operands;
        let (value, start, end) = (self.eval(value)?, self.eval(start)?, self.eval(end)?);
        let above = self.compare_values(Comparison::GreaterOrEqual, &value, &start, at);
        if above == Some(false) {
            return Ok(Value::Boolean(false));
        }
        let below = self.compare_values(Comparison::LessOrEqual, &value, &end, at);
        Ok(match (above, below) {
            (_, Some(false)) => Value::Boolean(false),
            (Some(true), Some(true)) => Value::Boolean(true),
            _ => Value::Null,
        })
    }

    pub(super) fn instance_of(&mut self, operand: &Node, kind: Type) -> Eval {
        let value = self.eval(operand)?;
        Ok(Value::Boolean(match kind {
            Type::Any => !value.is_null(),
            Type::Null => value.is_null(),
            Type::Boolean => matches!(value, Value::Boolean(_)),
            Type::Number => matches!(value, Value::Number(_)),
            Type::String => matches!(value, Value::String(_)),
            Type::List => matches!(value, Value::List(_)),
            Type::Context => matches!(value, Value::Context(_)),
            Type::Date => matches!(value, Value::Date(_)),
            Type::Time => matches!(value, Value::Time(_)),
            Type::DateTime => matches!(value, Value::DateTime(_)),
            Type::DaysTimeDuration => matches!(value, Value::DaysTimeDuration(_)),
            Type::YearsMonthsDuration => matches!(value, Value::YearsMonthsDuration(_)),
            Type::Range => matches!(value, Value::Range(_)),
            Type::Function => matches!(value, Value::Function(_)),
        }))
    }

    pub(super) fn negate(&mut self, operand: &Node, at: u32) -> Eval {
        Ok(match self.eval(operand)? {
            Value::Number(number) => Value::Number(number.negate()),
            Value::DaysTimeDuration(duration) => duration.negate().map(Value::DaysTimeDuration).into(),
            Value::YearsMonthsDuration(duration) => duration.negate().map(Value::YearsMonthsDuration).into(),
            other => self.invalid_type("number or duration to negate", &other, at),
        })
    }

    pub(super) fn chain(&mut self, chain: &Chain, at: u32) -> Eval {
        let mut left = self.eval(&chain.first)?;
        for (operator, right) in &chain.rest {
            let right = self.eval(right)?;
            left = self.arithmetic(*operator, left, right, at)?;
        }
        Ok(left)
    }

    fn arithmetic(&mut self, operator: Operator, left: Value, right: Value, at: u32) -> Eval {
        if let (Value::Number(left), Value::Number(right)) = (&left, &right) {
            let result = match operator {
                Operator::Add => left.add(*right),
                Operator::Subtract => left.subtract(*right),
                Operator::Multiply => left.multiply(*right),
                Operator::Divide => left.divide(*right),
                Operator::Power => left.power(*right),
            };
            return Ok(match result {
                Some(number) => Value::Number(number),
                None => self.warn(WarningKind::InvalidType, at, || {
                    let why = if operator == Operator::Divide && right.is_zero() {
                        "division by zero"
                    } else {
                        "the result is out of range"
                    };
                    format!("cannot compute {left} {} {right}: {why}", operator.symbol())
                }),
            });
        }
        if let (Operator::Add, Value::String(left), Value::String(right)) = (operator, &left, &right) {
            self.charge_bytes(left.as_bytes().len() + right.as_bytes().len(), at)?;
            return Ok(Value::String([left.as_str(), right.as_str()].concat().into()));
        }
        if let Some(result) = temporal::arithmetic(operator, &left, &right) {
            return Ok(match result {
                Some(value) => value,
                None => self.warn(WarningKind::InvalidType, at, || {
                    let (left, right) = (left.type_name(), right.type_name());
                    format!("the result of {left} {} {right} is out of range", operator.symbol())
                }),
            });
        }
        Ok(self.warn(WarningKind::InvalidType, at, || {
            let (left, right) = (left.type_name(), right.type_name());
            format!("cannot compute {left} {} {right}", operator.symbol())
        }))
    }
}
