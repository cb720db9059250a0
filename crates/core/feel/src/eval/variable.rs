//! Reading names.

use std::sync::Arc;

use super::{Eval, Evaluator};
use crate::ast::{Filtered, Free};
use crate::builtin;
use crate::value::{Function, Text, Value, json};
use crate::{Variable, WarningKind};

impl Evaluator<'_> {
    pub(super) fn free(&mut self, free: &Free, at: u32) -> Eval {
        if free.in_loop
            && let Some(Some((name, value))) = self.kept.get(free.number)
            && Arc::ptr_eq(name, &free.name)
        {
            return Ok(value.clone());
        }
        let value = match self.scope.variable(&free.name) {
            Some(Variable::Json(text)) if !free.in_loop => return self.read_json(text, at),
            Some(Variable::Json(text)) => self.read_json(text, at),
            Some(Variable::Value(value)) => Ok(value),
            None => return Ok(self.no_variable_or_builtin(&free.name, at)),
        };
        if free.in_loop
            && let Ok(value) = &value
        {
            if self.kept.len() <= free.number {
                self.kept.resize_with(free.number + 1, || None);
            }
            self.kept[free.number] = Some((free.name.clone(), value.clone()));
        }
        value
    }

    /// The value of JSON text from the scope.
    pub(super) fn read_json(&mut self, text: &[u8], at: u32) -> Eval {
        if let Some(number) = json::number(text) {
            return Ok(Value::Number(number));
        }
        self.charge_bytes(text.len(), at)?;
        if let Some(inner) = json::plain_string(text) {
            // Made where it stays, see `Value::assign`.
            if inner.len() <= Text::INLINE_MAX && inner.is_ascii() {
                return Ok(Value::String(Text::inline(inner)));
            }
            if let Some(text) = Text::from_utf8(inner) {
                return Ok(Value::String(text));
            }
        }
        match Value::from_json(text) {
            Ok(value) => Ok(value),
            Err(error) => {
                Ok(self.warn(WarningKind::Unknown, at, || format!("cannot read a variable: {error}")))
            }
        }
    }

    /// In the standard, functions of the language are values like others.
    fn no_variable_or_builtin(&mut self, name: &str, at: u32) -> Value {
        match builtin::find(self.dialect, name) {
            Some(builtin) if self.dialect.is_standard() => Value::Function(Function::builtin(builtin)),
            _ => self.no_variable(name, at),
        }
    }

    pub(super) fn no_variable(&mut self, name: &str, at: u32) -> Value {
        self.warn(WarningKind::NoVariableFound, at, || format!("there is no variable `{name}`"))
    }

    pub(super) fn filtered(&mut self, filtered: &Filtered, at: u32) -> Eval {
        for &slot in &filtered.items {
            if let Value::Context(item) = self.local(slot)
                && let Some(value) = item.get(&filtered.name)
            {
                return Ok(value.clone());
            }
        }
        debug_assert_eq!(filtered.otherwise.at, at);
        self.eval(&filtered.otherwise)
    }
}
