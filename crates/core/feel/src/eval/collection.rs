//! List, context and range literals.

use super::{Eval, Evaluator};
use crate::WarningKind;
use crate::ast::{Entry, Node, RangeKind, RangeLiteral};
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
        let is_ordered = match literal.kind {
            RangeKind::Ends => order(&start.value, &end.value).is_some(),
            RangeKind::Half | RangeKind::Point | RangeKind::Apart => {
                let bound = if start.value.is_null() { &end.value } else { &start.value };
                order(bound, bound).is_some()
            }
        };
        if !is_ordered {
            let types = (start.value.type_name(), end.value.type_name());
            return Ok(self.warn(WarningKind::InvalidType, at, || {
                format!("a range needs two values of one ordered type, found {} and {}", types.0, types.1)
            }));
        }
        Ok(match literal.kind {
            RangeKind::Ends | RangeKind::Half => Value::Range(Range::new(start, end)),
            RangeKind::Point => Value::Range(Range::point(start)),
            RangeKind::Apart => {
                let (below, above) = (Range::new(end.clone(), start.clone()), Range::new(start, end));
                return self.make_list(vec![Value::Range(below), Value::Range(above)], at);
            }
        })
    }
}
