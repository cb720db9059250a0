//! `for`, `some` and `every`.

use std::cmp::Ordering;

use super::{Eval, Evaluator};
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
            let whole = self.iterate(&expression.iterations, at, &mut |evaluator, turns| {
                evaluator.check_length(results.len() + 1, at)?;
                if results.len() == results.capacity() {
                    results.reserve(evaluator.room(results.len(), turns));
                }
                evaluator.eval_onto(&expression.body, &mut results)?;
                Ok(Flow::GoOn)
            })?;
            return if whole.is_some() { self.make_list(results, at) } else { Ok(Value::Null) };
        };
        self.set(slot, Value::List(List::empty()));
        let whole = self.iterate(&expression.iterations, at, &mut |evaluator, _| {
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
                return self.exhausted(crate::Resource::Bytes, at);
            }
            Some(list) => self.set(slot, Value::List(list)),
            None => return self.exhausted(crate::Resource::Depth, at),
        }
        Ok(())
    }

    pub(super) fn quantified(&mut self, expression: &Quantified, at: u32) -> Eval<Option<bool>> {
        // `some` is decided by a true, `every` by a false; else an unknown one leaves the result unknown.
        let decisive = !expression.every;
        let (mut decided, mut unknown) = (false, false);
        let whole = self.iterate(&expression.iterations, at, &mut |evaluator, _| {
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
            (None, ..) | (_, false, true) => None,
            (_, true, _) => Some(decisive),
            (_, false, false) => Some(!decisive),
        })
    }

    /// For how many more results to make room at once, when a loop is about to add so many to those that are there:
    /// no more than the budget allows.
    fn room(&self, length: usize, turns: u64) -> usize {
        let by_length = self.env.budget.list_length.saturating_sub(length as u64);
        let by_bytes = self.bytes_left / size_of::<Value>() as u64;
        usize::try_from(turns.min(by_length).min(by_bytes)).unwrap_or(0)
    }

    /// Runs the body for every combination of items, the last iteration turning fastest; it is told about how
    /// many turns that one takes. Nothing when a domain is not one.
    fn iterate<F: FnMut(&mut Self, u64) -> Eval<Flow>>(
        &mut self,
        iterations: &[Iteration],
        at: u32,
        body: &mut F,
    ) -> Eval<Option<Flow>> {
        let Some((first, rest)) = iterations.split_first() else { return body(self, 1).map(Some) };
        let mut turn = |evaluator: &mut Self, item: &Value, turns: u64| {
            evaluator.charge_steps(1, at)?;
            evaluator.assign(first.slot, item);
            if rest.is_empty() {
                return body(evaluator, turns).map(Some);
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
                    match turn(self, item, list.len() as u64)? {
                        Some(Flow::GoOn) => (),
                        other => return Ok(other),
                    }
                }
            }
            Some(Domain::Numbers(start, end)) => {
                let step = if start <= end { 1 } else { -1 };
                let turns = start.abs_diff(end).saturating_add(1);
                let mut at = start;
                // Bound: every turn charges a step.
                loop {
                    match turn(self, &Value::from(at), turns)? {
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
                    match turn(self, &Value::Date(at), 1)? {
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
