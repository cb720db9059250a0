//! Paths: fields, filters and calls on values.

use super::{Eval, Evaluator};
use crate::ast::{Kind, Node, Path, Slot, Step, StepKind};
use crate::value::{Context, List, Number, Text, Value, json};
use crate::{Variable, WarningKind};

impl Evaluator<'_> {
    pub(super) fn path(&mut self, path: &Path) -> Eval {
        let mut steps = path.steps.iter();
        let mut current = match &path.base.kind {
            // Of a variable in JSON text only the part is read that the fields lead to.
            Kind::Free(free) if !free.in_loop => match self.scope.variable(&free.name) {
                Some(Variable::Json(mut text)) => {
                    let mut rest = steps.clone();
                    while let Some(Step { kind: StepKind::Field(name), .. }) = rest.next()
                        && let Some(inner) = json::from_member(text, name.as_bytes())
                    {
                        text = inner;
                        steps = rest.clone();
                    }
                    if steps.len() < path.steps.len() {
                        text = json::first_value(text);
                    }
                    self.read_json(text, path.base.at)?
                }
                Some(Variable::Value(value)) => value,
                None => self.no_variable(&free.name, path.base.at),
            },
            // Of a value that is at hand only the part is cloned that the first steps lead to.
            _ => match self.at_hand(&path.base) {
                Some(mut value) => {
                    let mut rest = steps.clone();
                    while let Some(step) = rest.next()
                        && let Some(inner) = part(value, step)
                    {
                        value = inner;
                        steps = rest.clone();
                    }
                    value.clone()
                }
                None => self.eval(&path.base)?,
            },
        };
        for step in steps {
            current = self.step(current, step)?;
        }
        Ok(current)
    }

    fn step(&mut self, base: Value, step: &Step) -> Eval {
        match &step.kind {
            StepKind::Field(name) => self.field(&base, name, step.at),
            StepKind::Method(name, arguments) => {
                let function = match &base {
                    Value::Context(context) => context.get(name).cloned(),
                    _ => None,
                };
                self.call_value(function, name, arguments, step.at)
            }
            StepKind::Call(arguments) => self.call_value(Some(base), "function", arguments, step.at),
            StepKind::Filter { item, predicate } => self.filter(base, *item, predicate, step.at),
        }
    }

    fn field(&mut self, base: &Value, name: &Text, at: u32) -> Eval {
        match base {
            Value::Context(context) => Ok(self.entry(context, name, at)),
            Value::List(list) => {
                self.charge_steps(list.len(), at)?;
                let mut items = Vec::with_capacity(list.len());
                for item in list.iter() {
                    // A list inside of a list maps again; lists are only so deep.
                    items.push(self.field(item, name, at)?);
                }
                self.make_list(items, at)
            }
            Value::Null => Ok(self.warn(WarningKind::NoContextEntryFound, at, || {
                format!("there is no entry `{name}` in null")
            })),
            other => Ok(match other.property(name) {
                Some(value) => value,
                None => self.warn(WarningKind::NoPropertyFound, at, || {
                    format!("a {} has no property `{name}`", other.type_name())
                }),
            }),
        }
    }

    fn entry(&mut self, context: &Context, name: &Text, at: u32) -> Value {
        if let Some(value) = context.get_bytes(name.as_bytes()) {
            return value.clone();
        }
        self.warn(WarningKind::NoContextEntryFound, at, || {
            const SHOWN_MAX: usize = 10;
            let mut known: Vec<&str> = context.iter().take(SHOWN_MAX).map(|(name, _)| name).collect();
            if context.len() > SHOWN_MAX {
                known.push("…");
            }
            format!("there is no entry `{name}` in the context with entries [{}]", known.join(", "))
        })
    }

    fn filter(&mut self, base: Value, slot: Slot, predicate: &Node, at: u32) -> Eval {
        let list = match base {
            Value::List(list) => list,
            Value::Null => return Ok(self.invalid_type("list to filter", &Value::Null, at)),
            // One value stands for a list of it.
            single => match List::new(vec![single]) {
                Some(list) => list,
                None => return self.exhausted(crate::Resource::Depth, at),
            },
        };
        if let Kind::Constant(Value::Number(index)) = &predicate.kind {
            return Ok(item_at(&list, *index).cloned().unwrap_or_default());
        }
        let mut kept = Vec::new();
        let is_logical = matches!(&predicate.kind, Kind::Compare(..) | Kind::And(_) | Kind::Or(_));
        for (position, item) in list.iter().enumerate() {
            self.charge_steps(1, at)?;
            self.assign(slot, item);
            if is_logical {
                if self.truth(predicate, false)? == Some(true) {
                    item.clone_onto(&mut kept);
                }
                continue;
            }
            match self.eval(predicate)? {
                Value::Boolean(true) => item.clone_onto(&mut kept),
                // What a predicate gives for the first item tells whether it is an index.
                Value::Number(index) if position == 0 => {
                    return Ok(item_at(&list, index).cloned().unwrap_or_default());
                }
                _ => (),
            }
        }
        self.make_list(kept, at)
    }
}

/// The part of a value that a step leads to, if it is there and nothing has to be computed.
fn part<'v>(value: &'v Value, step: &Step) -> Option<&'v Value> {
    match (&step.kind, value) {
        (StepKind::Field(name), Value::Context(context)) => context.get_bytes(name.as_bytes()),
        (StepKind::Filter { predicate, .. }, Value::List(list)) => match &predicate.kind {
            Kind::Constant(Value::Number(index)) => item_at(list, *index),
            _ => None,
        },
        _ => None,
    }
}

/// The item at a position that counts from 1, or from -1 backwards.
fn item_at(list: &List, index: Number) -> Option<&Value> {
    let index = index.to_i64()?;
    let position = match index {
        1.. => usize::try_from(index - 1).ok()?,
        0 => return None,
        _ => list.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    list.get(position)
}
