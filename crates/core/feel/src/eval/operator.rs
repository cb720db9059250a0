//! Logic, comparison and arithmetic.

use std::cmp::Ordering;

use super::{Eval, Evaluator};
use crate::ast::{Chain, Comparison, Filtered, Kind, Node, Operator};
use crate::value::{Number, Value, by_utf16, equal_in, json, order, temporal};
use crate::{Dialect, Variable, WarningKind};

impl Evaluator<'_> {
    /// The value of a condition: a boolean or nothing. What is no boolean, null included, is nothing, with a warning
    /// unless the result is not known anyway.
    pub(super) fn truth(&mut self, node: &Node, warn: bool) -> Eval<Option<bool>> {
        // What a condition gives need not become a value first.
        let holds = match self.verdict(node) {
            Some(holds) => holds?,
            None => match self.eval(node) {
                Ok(Value::Boolean(boolean)) => Some(boolean),
                Ok(Value::Null) => None,
                Ok(other) => {
                    if warn {
                        self.invalid_type("boolean", &other, node.at);
                    }
                    return Ok(None);
                }
                Err(stopped) => return Err(stopped),
            },
        };
        if holds.is_none() && warn {
            self.invalid_type("boolean", &Value::Null, node.at);
        }
        Ok(holds)
    }

    /// `and` (decided by false) and `or` (decided by true): three-valued, what is no boolean counts as null.
    pub(super) fn connected(&mut self, operands: &[Node], decisive: bool) -> Eval<Option<bool>> {
        let mut unknown = false;
        for operand in operands {
            match self.truth(operand, !unknown)? {
                Some(boolean) if boolean == decisive => return Ok(Some(decisive)),
                Some(_) => (),
                None => unknown = true,
            }
        }
        Ok(if unknown { None } else { Some(!decisive) })
    }

    pub(super) fn compare(
        &mut self,
        comparison: Comparison,
        operands: &(Node, Node),
        at: u32,
    ) -> Eval<Option<bool>> {
        let (left, right) = operands;
        // What stands in the tree, in a frame or as a short JSON value is compared where it stands.
        if let Kind::Free(free) = &left.kind {
            if let Kind::Constant(constant) = &right.kind
                && !free.in_loop
                && let Some(Variable::Json(text)) = self.scope.variable(&free.name)
                && let Some(holds) = json_holds(comparison, text, constant)
            {
                return Ok(Some(holds));
            }
        } else if let (Some(left), Some(right)) = (self.at_hand(left), self.at_hand(right)) {
            if let (Value::Number(left), Value::Number(right)) = (left, right)
                && let (Some(left), Some(right)) = (left.as_integer(), right.as_integer())
            {
                return Ok(Some(ordered(comparison, left.cmp(&right))));
            }
            if let Some(holds) = holds_at_once(self.dialect, comparison, left, right) {
                return Ok(Some(holds));
            }
        }
        let left = self.eval(left)?;
        if let Some(right) = self.at_hand(right)
            && let Some(holds) = holds_at_once(self.dialect, comparison, &left, right)
        {
            return Ok(Some(holds));
        }
        let right = self.eval(right)?;
        self.charge_walk(&left, at)?;
        Ok(self.compare_values(comparison, &left, &right, at))
    }

    /// The value of a constant, a local, or an entry of a filtered item.
    #[inline]
    pub(super) fn at_hand<'n>(&'n self, node: &'n Node) -> Option<&'n Value> {
        match &node.kind {
            Kind::Constant(value) => Some(value),
            Kind::Local(slot) => Some(self.local(*slot)),
            Kind::Item(slot) => Some(self.item(*slot)),
            Kind::Filtered(filtered) => self.entry_at_hand(filtered),
            _ => None,
        }
    }

    #[inline(never)]
    fn entry_at_hand<'n>(&'n self, filtered: &'n Filtered) -> Option<&'n Value> {
        let entry = filtered.items.iter().find_map(|&slot| match self.local(slot) {
            Value::Context(item) => item.get(&filtered.name),
            _ => None,
        });
        entry.or_else(|| match &filtered.otherwise.kind {
            Kind::Local(slot) => Some(self.local(*slot)),
            _ => None,
        })
    }

    /// The number of a constant, a local, or a variable that is a number in JSON.
    fn number_at_hand(&self, node: &Node) -> Option<Number> {
        match &node.kind {
            Kind::Constant(_) | Kind::Local(_) | Kind::Item(_) | Kind::Filtered(_) => {
                self.at_hand(node)?.as_number()
            }
            Kind::Free(free) if !free.in_loop => match self.scope.variable(&free.name) {
                Some(Variable::Json(text)) => json::number(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// The result of a comparison; nothing and a warning when the values cannot be compared.
    pub(super) fn compare_values(
        &mut self,
        comparison: Comparison,
        left: &Value,
        right: &Value,
        at: u32,
    ) -> Option<bool> {
        let holds = holds(self.dialect, comparison, left, right);
        if holds.is_none() {
            self.warn(WarningKind::NotComparable, at, || {
                let (left, right, symbol) = (left.type_name(), right.type_name(), comparison.symbol());
                format!("cannot compare {left} {symbol} {right}")
            });
        }
        holds
    }

    pub(super) fn between(&mut self, operands: &[Node; 3], at: u32) -> Eval<Option<bool>> {
        let [value, start, end] = operands;
        let (value, start, end) = (self.eval(value)?, self.eval(start)?, self.eval(end)?);
        self.charge_walk(&value, at)?;
        let above = self.compare_values(Comparison::GreaterOrEqual, &value, &start, at);
        if above == Some(false) {
            return Ok(Some(false));
        }
        let below = self.compare_values(Comparison::LessOrEqual, &value, &end, at);
        Ok(match (above, below) {
            (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        })
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
            left = match self.number_at_hand(right) {
                Some(right) if let Value::Number(left) = left => self.number(*operator, left, right, at),
                _ => {
                    let right = self.eval(right)?;
                    self.arithmetic(*operator, &left, &right, at)?
                }
            };
        }
        Ok(left)
    }

    /// The result of one sum or product of short integers that are at hand. It stays in registers all the way, which
    /// makes loops over numbers several times faster.
    #[inline]
    pub(super) fn integer_result(&self, node: &Node) -> Option<i64> {
        let Kind::Arithmetic(chain) = &node.kind else { return None };
        let [(operator, right)] = &*chain.rest else { return None };
        let left = self.integer_at_hand(&chain.first)?;
        let right = self.integer_at_hand(right)?;
        match operator {
            Operator::Add => left.checked_add(right),
            Operator::Subtract => left.checked_sub(right),
            Operator::Multiply => left.checked_mul(right),
            Operator::Divide | Operator::Power => None,
        }
    }

    #[inline]
    fn integer_at_hand(&self, node: &Node) -> Option<i64> {
        match self.at_hand(node) {
            Some(Value::Number(number)) => number.as_integer(),
            _ => None,
        }
    }

    /// The result of arithmetic on numbers that are at hand, if nothing is wrong with it.
    pub(super) fn at_hand_result(&self, chain: &Chain) -> Option<Number> {
        let mut left = self.number_at_hand(&chain.first)?;
        for (operator, right) in &chain.rest {
            left = compute(*operator, left, self.number_at_hand(right)?)?;
        }
        Some(left)
    }

    fn number(&mut self, operator: Operator, left: Number, right: Number, at: u32) -> Value {
        match compute(operator, left, right) {
            Some(number) => Value::Number(number),
            None => self.warn(WarningKind::InvalidType, at, || {
                let why = if operator == Operator::Divide && right.is_zero() {
                    "division by zero"
                } else {
                    "the result is out of range"
                };
                format!("cannot compute {left} {} {right}: {why}", operator.symbol())
            }),
        }
    }

    fn arithmetic(&mut self, operator: Operator, left: &Value, right: &Value, at: u32) -> Eval {
        if let (Value::Number(left), Value::Number(right)) = (left, right) {
            return Ok(self.number(operator, *left, *right, at));
        }
        if let (Operator::Add, Value::String(left), Value::String(right)) = (operator, left, right) {
            self.charge_bytes(left.as_bytes().len() + right.as_bytes().len(), at)?;
            return Ok(Value::String([left.as_str(), right.as_str()].concat().into()));
        }
        if let Some(result) = temporal::arithmetic(self.dialect, operator, left, right) {
            return Ok(match result {
                Ok(value) => value,
                Err(temporal::OutOfRange) => self.warn(WarningKind::InvalidType, at, || {
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

fn compute(operator: Operator, left: Number, right: Number) -> Option<Number> {
    match operator {
        Operator::Add => left.add(right),
        Operator::Subtract => left.subtract(right),
        Operator::Multiply => left.multiply(right),
        Operator::Divide => left.divide(right),
        Operator::Power => left.power(right),
    }
}

/// As [`holds`], but only for what takes no walk over whole values.
pub(super) fn holds_at_once(
    dialect: Dialect,
    comparison: Comparison,
    left: &Value,
    right: &Value,
) -> Option<bool> {
    match left {
        Value::List(_) | Value::Context(_) | Value::Range(_) => None,
        Value::String(text) if text.as_bytes().len() > 1000 => None,
        _ => holds(dialect, comparison, left, right),
    }
}

/// Whether a comparison holds; nothing when the values cannot be compared.
fn holds(dialect: Dialect, comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
    match comparison {
        Comparison::Equal => equal_in(dialect, left, right),
        Comparison::NotEqual => equal_in(dialect, left, right).map(|equal| !equal),
        _ => order(left, right).map(|order| ordered(comparison, order)),
    }
}

/// Whether a comparison holds between a short value in JSON text and a constant; nothing when that takes more than
/// a look.
fn json_holds(comparison: Comparison, text: &[u8], constant: &Value) -> Option<bool> {
    match constant {
        Value::Number(number) => {
            if let (Some(left), Some(right)) = (json::integer(text), number.as_integer()) {
                return Some(ordered(comparison, left.cmp(&right)));
            }
            let left = json::number(text)?;
            Some(ordered(comparison, left.cmp(number)))
        }
        Value::String(right) => {
            let (left, right) = (json::plain_string(text)?, right.as_bytes());
            Some(match comparison {
                Comparison::Equal => left == right,
                Comparison::NotEqual => left != right,
                _ => ordered(comparison, by_utf16(left, right)),
            })
        }
        _ => None,
    }
}

fn ordered(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}
