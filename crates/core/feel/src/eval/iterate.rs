//! `for`, `some` and `every`.

use std::cmp::Ordering;

use super::{Eval, Evaluator, exhausted};
use crate::WarningKind;
use crate::ast::{For, Iteration, Node, Quantified, Slot};
use crate::value::{Date, List, Number, Value, order};

/// What to do next in a loop.
enum Flow {
    GoOn,
    Stop,
}

impl Evaluator<'_> {
    pub(super) fn for_expression(&mut self, expression: &For, at: u32) -> Eval {
        let Some(slot) = expression.partial else {
            let mut results = Vec::new();
            let whole = self.iterate(&expression.iterations, at, &mut |evaluator| {
                evaluator.check_length(results.len() + 1, at)?;
                evaluator.eval_onto(&expression.body, &mut results)?;
                Ok(Flow::GoOn)
            })?;
            return if whole.is_some() { self.make_list(results, at) } else { Ok(Value::Null) };
        };
        self.set(slot, Value::List(List::empty()));
        let whole = self.iterate(&expression.iterations, at, &mut |evaluator| {
            let value = evaluator.eval(&expression.body)?;
            evaluator.push_partial(slot, value, at)?;
            Ok(Flow::GoOn)
        })?;
        let results = std::mem::take(&mut self.stack[self.base + slot as usize]);
        Ok(if whole.is_some() { results } else { Value::Null })
    }

    /// Adds a result where the body finds the results so far.
    fn push_partial(&mut self, slot: Slot, value: Value, at: u32) -> Eval<()> {
        let Value::List(list) = std::mem::take(&mut self.stack[self.base + slot as usize]) else {
            return Ok(());
        };
        self.check_length(list.len() + 1, at)?;
        // Usually nobody else holds the list and it grows in place; a copy is charged.
        let copied = if list.is_shared() { list.len() } else { 0 };
        self.charge_bytes((copied + 1) * size_of::<Value>(), at)?;
        match list.with(value) {
            Some(list) if list.weight() > self.env.budget.bytes => {
                return exhausted(crate::Resource::Bytes, at);
            }
            Some(list) => self.set(slot, Value::List(list)),
            None => return exhausted(crate::Resource::Depth, at),
        }
        Ok(())
    }

    pub(super) fn quantified(&mut self, expression: &Quantified, at: u32) -> Eval {
        // `some` is decided by a true, `every` by a false; else an unknown one leaves the result unknown.
        let decisive = !expression.every;
        let (mut decided, mut unknown) = (false, false);
        let whole = self.iterate(&expression.iterations, at, &mut |evaluator| {
            match evaluator.truth(&expression.condition, !unknown)? {
                Some(boolean) if boolean == decisive => {
                    decided = true;
                    return Ok(Flow::Stop);
                }
                Some(_) => (),
                None => unknown = true,
            }
            Ok(Flow::GoOn)
        })?;
        Ok(match (whole, decided, unknown) {
            (None, ..) | (_, false, true) => Value::Null,
            (_, true, _) => Value::Boolean(decisive),
            (_, false, false) => Value::Boolean(!decisive),
        })
    }

    /// Runs the body for every combination of items, the last iteration turning fastest. Nothing when a domain is
    /// not one.
    fn iterate<F: FnMut(&mut Self) -> Eval<Flow>>(
        &mut self,
        iterations: &[Iteration],
        at: u32,
        body: &mut F,
    ) -> Eval<Option<Flow>> {
        let Some((first, rest)) = iterations.split_first() else { return body(self).map(Some) };
        let mut turn = |evaluator: &mut Self, item: &Value| {
            evaluator.charge_steps(1, at)?;
            evaluator.assign(first.slot, item);
            if rest.is_empty() {
                return body(evaluator).map(Some);
            }
            evaluator.deeper(at, |evaluator| evaluator.iterate(rest, at, body))
        };
        let start = self.eval(&first.domain)?;
        let domain = match &first.end {
            Some(end) => {
                let end = self.eval(end)?;
                self.span(&start, &end, first.domain.at)
            }
            None => self.domain(start, &first.domain),
        };
        match domain {
            None => return Ok(None),
            Some(Domain::List(list)) => {
                for item in list.iter() {
                    match turn(self, item)? {
                        Some(Flow::GoOn) => (),
                        other => return Ok(other),
                    }
                }
            }
            Some(Domain::Numbers(start, end)) => {
                let step = if start <= end { 1 } else { -1 };
                let mut at = start;
                // Bound: every turn charges a step.
                loop {
                    match turn(self, &Value::from(at))? {
                        Some(Flow::GoOn) if at != end => at += step,
                        Some(Flow::GoOn) => break,
                        other => return Ok(other),
                    }
                }
            }
            Some(Domain::Dates(start, end)) => {
                let step = if start <= end { 1 } else { -1 };
                let mut at = start;
                // Bound: every turn charges a step.
                loop {
                    match turn(self, &Value::Date(at))? {
                        Some(Flow::GoOn) if at != end => match at.plus_days(step) {
                            Some(next) => at = next,
                            None => break,
                        },
                        Some(Flow::GoOn) => break,
                        other => return Ok(other),
                    }
                }
            }
        }
        Ok(Some(Flow::GoOn))
    }

    fn domain(&mut self, value: Value, node: &Node) -> Option<Domain> {
        match value {
            Value::List(list) => Some(Domain::List(list)),
            Value::Range(range)
                if range.start().included
                    && range.end().included
                    && (!self.dialect.is_standard()
                        || order(&range.start().value, &range.end().value).is_some_and(Ordering::is_le)) =>
            {
                self.span(&range.start().value, &range.end().value, node.at)
            }
            other => {
                self.invalid_type("list or closed range to iterate over", &other, node.at);
                None
            }
        }
    }

    fn span(&mut self, start: &Value, end: &Value, at: u32) -> Option<Domain> {
        let whole = |number: &Number| number.to_i64().filter(|_| number.is_integer());
        match (start, end) {
            (Value::Number(start), Value::Number(end)) => {
                if let (Some(start), Some(end)) = (whole(start), whole(end)) {
                    return Some(Domain::Numbers(start, end));
                }
            }
            (Value::Date(start), Value::Date(end)) => return Some(Domain::Dates(*start, *end)),
            _ => (),
        }
        let (start, end) = (start.type_name(), end.type_name());
        self.warn(WarningKind::InvalidType, at, || {
            format!("expected whole numbers or dates to iterate between, found {start} and {end}")
        });
        None
    }
}

enum Domain {
    List(List),
    Numbers(i64, i64),
    Dates(Date, Date),
}
