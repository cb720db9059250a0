//! `instance of`, and arguments of parameters that have a type.

use super::{Eval, Evaluator};
use crate::ast::{Node, Type};
use crate::value::{List, Value};
use crate::{Scope, WarningKind};

impl Evaluator<'_> {
    pub(super) fn instance_of(&mut self, operand: &Node, kind: &Type, at: u32) -> Eval<Option<bool>> {
        let value = self.eval(operand)?;
        self.charge_walk(&value, at)?;
        Ok(match is_instance(self.scope, &value, kind) {
            Ok(is_instance) => Some(is_instance),
            Err(UnknownType(name)) => {
                self.warn(WarningKind::Unknown, at, || format!("there is no type `{name}`"));
                None
            }
        })
    }

    /// Whether an argument is of the type of its parameter, null being of any; a warning if it is not. In the
    /// standard, one item stands for a list of it and the other way round.
    pub(super) fn fit(&mut self, value: &mut Value, kind: &Type, at: u32) -> Eval<bool> {
        self.charge_walk(value, at)?;
        let mut fits = value.is_null() || is_instance(self.scope, value, kind).unwrap_or(false);
        if !fits && self.dialect.is_standard() {
            let coerced = match &*value {
                Value::List(list) if list.len() == 1 => Some(list[0].clone()),
                Value::List(_) => None,
                single => List::new(vec![single.clone()]).map(Value::List),
            };
            if let Some(coerced) =
                coerced.filter(|value| is_instance(self.scope, value, kind).unwrap_or(false))
            {
                *value = coerced;
                fits = true;
            }
        }
        if !fits {
            let found = value.type_name();
            self.warn(WarningKind::InvalidType, at, || {
                format!("an argument is a {found}, which its parameter does not take")
            });
        }
        Ok(fits)
    }
}

/// A name that no type has.
struct UnknownType<'t>(&'t str);

/// Whether a value is of a type. The types of a source nest only so deep.
fn is_instance<'t>(scope: &dyn Scope, value: &Value, kind: &'t Type) -> Result<bool, UnknownType<'t>> {
    // Null fits every type but as the value itself.
    let fits = |value: &Value, kind: &'t Type| Ok(value.is_null() || is_instance(scope, value, kind)?);
    let all_fit = |values: &[Value], kind: &'t Type| {
        for value in values {
            if !fits(value, kind)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    Ok(match (kind, value) {
        (Type::Any, value) => !value.is_null(),
        (Type::Null, Value::Null)
        | (Type::Boolean, Value::Boolean(_))
        | (Type::Number, Value::Number(_))
        | (Type::String, Value::String(_))
        | (Type::List, Value::List(_))
        | (Type::Context, Value::Context(_))
        | (Type::Date, Value::Date(_))
        | (Type::Time, Value::Time(_))
        | (Type::DateTime, Value::DateTime(_))
        | (Type::DaysTimeDuration, Value::DaysTimeDuration(_))
        | (Type::YearsMonthsDuration, Value::YearsMonthsDuration(_))
        | (Type::Range, Value::Range(_))
        | (Type::Function, Value::Function(_)) => true,
        (Type::ListOf(kind), Value::List(items)) => all_fit(items, kind)?,
        (Type::RangeOf(kind), Value::Range(range)) => {
            fits(&range.start().value, kind)? && fits(&range.end().value, kind)?
        }
        (Type::ContextOf(entries), Value::Context(context)) => {
            for (name, kind) in entries {
                match context.get(name) {
                    Some(entry) if fits(entry, kind)? => (),
                    _ => return Ok(false),
                }
            }
            true
        }
        (Type::FunctionOf(parameters), Value::Function(function)) => function.takes(*parameters),
        (Type::Named(name), value) => scope.is_instance(value, name).ok_or(UnknownType(name))?,
        _ => false,
    })
}
