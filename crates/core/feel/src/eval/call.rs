//! Calls of functions, and function values.

use std::sync::Arc;

use super::{Eval, Evaluator};
use crate::WarningKind;
use crate::ast::{Arguments, Call, Callee, FunctionLiteral, Kind, Node};
use crate::builtin::{self, Builtin};
use crate::value::{Function, Text, Value};

/// Most arguments that need no memory of their own.
const FEW: usize = 4;

impl Evaluator<'_> {
    pub(super) fn call(&mut self, call: &Call, at: u32) -> Eval {
        match &call.callee {
            Callee::Builtin(builtin) => self.call_builtin(builtin, call, at),
            Callee::Variable(name, variable) => {
                // A name without a value is no function; that it is no variable either would only confuse.
                let function = match &variable.kind {
                    Kind::Free(free) if self.scope.variable(&free.name).is_none() => Value::Null,
                    _ => self.eval(variable)?,
                };
                self.call_value(Some(function), name, &call.arguments, at)
            }
        }
    }

    fn call_builtin(&mut self, builtin: &'static Builtin, call: &Call, at: u32) -> Eval {
        let arguments = &call.arguments;
        let pattern = call.pattern.as_deref();
        if let Some(names) = &arguments.names {
            return self.call_by_name(builtin, names, &arguments.values, at);
        }
        let nodes = &*arguments.values;
        if nodes.len() <= FEW {
            let mut values = [const { Value::Null }; FEW];
            for (value, node) in values.iter_mut().zip(nodes) {
                *value = self.eval(node)?;
            }
            return builtin::run(self, builtin, &values[..nodes.len()], pattern, at);
        }
        let values = self.all(nodes)?;
        builtin::run(self, builtin, &values, pattern, at)
    }

    fn call_by_name(&mut self, builtin: &'static Builtin, names: &[Text], nodes: &[Node], at: u32) -> Eval {
        let values = self.all(nodes)?;
        let Some(parameters) = builtin.overload(names) else {
            return Ok(self.no_function(builtin.name, names.iter().map(Text::as_str), at));
        };
        let mut ordered: Vec<Value> = parameters
            .iter()
            .map(|parameter| {
                let found = names.iter().position(|name| name.as_str() == *parameter);
                found.map_or(Value::Null, |at| values[at].clone())
            })
            .collect();
        // By name, what may come any number of times comes as one list.
        if builtin.variadic
            && ordered.len() > 1
            && let Some(Value::List(rest)) = ordered.last().cloned()
        {
            ordered.pop();
            ordered.extend_from_slice(&rest);
        }
        builtin::run(self, builtin, &ordered, None, at)
    }

    fn all(&mut self, nodes: &[Node]) -> Eval<Vec<Value>> {
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            values.push(self.eval(node)?);
        }
        Ok(values)
    }

    /// Calls what should be a function.
    pub(super) fn call_value(
        &mut self,
        function: Option<Value>,
        name: &str,
        arguments: &Arguments,
        at: u32,
    ) -> Eval {
        let mut values = self.all(&arguments.values)?;
        let Some(Value::Function(function)) = function else {
            let count = values.len();
            return Ok(self.warn(WarningKind::NoFunctionFound, at, || {
                format!("there is no function `{name}` with {count} arguments")
            }));
        };
        if let Some(names) = &arguments.names {
            let Some(ordered) = by_name(&function.literal().parameters, names, &values) else {
                return Ok(self.no_function(name, names.iter().map(Text::as_str), at));
            };
            values = ordered;
        }
        self.invoke_function(&function, values, at)
    }

    /// Calls a function value with arguments by position.
    pub(crate) fn invoke_function(&mut self, function: &Function, values: Vec<Value>, at: u32) -> Eval {
        let literal = function.literal();
        if values.len() != literal.parameters.len() {
            let (wanted, found) = (literal.parameters.len(), values.len());
            return Ok(self.warn(WarningKind::NoFunctionFound, at, || {
                format!("a function of {wanted} parameters was called with {found} arguments")
            }));
        }
        self.charge_steps(1, at)?;
        self.charge_bytes(literal.slots as usize * size_of::<Value>(), at)?;
        let base = std::mem::replace(&mut self.base, self.stack.len());
        self.stack.extend(values);
        self.stack.resize(self.base + literal.slots as usize, Value::Null);
        for (&(_, slot), value) in literal.captures.iter().zip(function.captured()) {
            self.set(slot, value.clone());
        }
        let result = self.eval(&literal.body);
        self.stack.truncate(self.base);
        self.base = base;
        result
    }

    pub(super) fn closure(&self, literal: &Arc<FunctionLiteral>) -> Value {
        let captured = literal.captures.iter().map(|&(slot, _)| self.local(slot).clone()).collect();
        Value::Function(Function::new(literal.clone(), captured))
    }

    pub(crate) fn no_function<'n>(
        &mut self,
        name: &str,
        parameters: impl Iterator<Item = &'n str>,
        at: u32,
    ) -> Value {
        let parameters: Vec<&str> = parameters.collect();
        self.warn(WarningKind::NoFunctionFound, at, || {
            format!("there is no function `{name}` with parameters ({})", parameters.join(", "))
        })
    }
}

/// The arguments in the order of the parameters, missing ones null; nothing when a name is no parameter.
fn by_name(parameters: &[Text], names: &[Text], values: &[Value]) -> Option<Vec<Value>> {
    if names.iter().any(|name| !parameters.contains(name)) {
        return None;
    }
    let find = |parameter| names.iter().position(|name| name == parameter);
    Some(parameters.iter().map(|name| find(name).map_or(Value::Null, |at| values[at].clone())).collect())
}
