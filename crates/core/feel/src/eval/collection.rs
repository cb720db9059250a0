//! List, context and range literals.

use super::{Eval, Evaluator};
use crate::WarningKind;
use crate::ast::{Entry, Node, RangeLiteral};
use crate::value::{Bound, Range, Value, order};

impl Evaluator<'_> {
    pub(super) fn list(&mut self, nodes: &[Node], at: u32) -> Eval {
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            self.eval_onto(node, &mut items)?;
        }
        self.make_list(items, at)
    }

    pub(super) fn context(&mut self, entries: &[Entry], at: u32) -> Eval {
        let mut values = Vec::with_capacity(entries.len());
        for entry in entries {
            let value = self.eval(&entry.value)?;
            if let Some(slot) = entry.slot {
                self.set(slot, value.clone());
            }
            values.push((entry.key.clone(), value));
        }
        self.make_context(values, at)
    }

    pub(super) fn range(&mut self, literal: &RangeLiteral, at: u32) -> Eval {
        let start = Bound { value: self.eval(&literal.start)?, included: literal.start_included };
        let end = Bound { value: self.eval(&literal.end)?, included: literal.end_included };
        let types = (start.value.type_name(), end.value.type_name());
        if literal.half {
            let bound = if start.value.is_null() { &end.value } else { &start.value };
            if order(bound, bound).is_some() {
                return Ok(Value::Range(Range::new(start, end)));
            }
        }
        Ok(match make_range(start, end) {
            Some(range) => Value::Range(range),
            None => self.warn(WarningKind::InvalidType, at, || {
                format!("a range needs two values of one ordered type, found {} and {}", types.0, types.1)
            }),
        })
    }
}

/// A range, if both ends are of one ordered type.
fn make_range(start: Bound, end: Bound) -> Option<Range> {
    order(&start.value, &end.value)?;
    Some(Range::new(start, end))
}
