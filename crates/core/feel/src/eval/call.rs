//! Calls of functions, and function values.

use std::sync::Arc;

use super::{Eval, Evaluator};
use crate::WarningKind;
use crate::ast::{Arguments, Call, Callee, FunctionLiteral, Kind, Node};
use crate::builtin::{self, Builtin};
use crate::value::{Closure, Function, FunctionKind, Text, Value};

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
        // Most calls have few arguments, which then need no memory of their own.
        match &*arguments.values {
            [one] => {
                let values = [self.eval(one)?];
                builtin::run(self, builtin, &values, pattern, at)
            }
            [one, two] => {
                let values = [self.eval(one)?, self.eval(two)?];
                builtin::run(self, builtin, &values, pattern, at)
            }
            [one, two, three] => {
                let values = [self.eval(one)?, self.eval(two)?, self.eval(three)?];
                builtin::run(self, builtin, &values, pattern, at)
            }
            several => {
                let values = self.all(several)?;
                builtin::run(self, builtin, &values, pattern, at)
            }
        }
    }

    fn call_by_name(&mut self, builtin: &'static Builtin, names: &[Text], nodes: &[Node], at: u32) -> Eval {
        let values = self.all(nodes)?;
        self.run_by_name(builtin, names, &values, at)
    }

    fn run_by_name(&mut self, builtin: &'static Builtin, names: &[Text], values: &[Value], at: u32) -> Eval {
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
        builtin::run_named(self, builtin, parameters, &ordered, at)
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
        let values = self.all(&arguments.values)?;
        let Some(Value::Function(function)) = function else {
            let count = values.len();
            return Ok(self.warn(WarningKind::NoFunctionFound, at, || {
                format!("there is no function `{name}` with {}", counted(count))
            }));
        };
        if let Some(names) = &arguments.names {
            return self.invoke_by_name(&function, name, names, &values, at);
        }
        self.invoke_function(&function, values, at)
    }

    /// Calls a function value with arguments by name; missing ones are null.
    pub(crate) fn invoke_by_name(
        &mut self,
        function: &Function,
        name: &str,
        names: &[Text],
        values: &[Value],
        at: u32,
    ) -> Eval {
        let ordered = match function.kind() {
            FunctionKind::Written(literal, _) => by_name(&literal.parameters, names, values),
            FunctionKind::Host(callable) => by_name(callable.parameters(), names, values),
            FunctionKind::Builtin(builtin) => return self.run_by_name(builtin, names, values, at),
        };
        match ordered {
            Some(ordered) => self.invoke_function(function, ordered, at),
            None => Ok(self.no_function(name, names.iter().map(Text::as_str), at)),
        }
    }

    /// Calls a function value with arguments by position.
    pub(crate) fn invoke_function(&mut self, function: &Function, values: Vec<Value>, at: u32) -> Eval {
        if !function.takes(values.len()) {
            let found = values.len();
            return Ok(self.warn(WarningKind::NoFunctionFound, at, || {
                format!("a function was called with {}, which it does not take", counted(found))
            }));
        }
        match function.kind() {
            FunctionKind::Written(literal, closure) => match &closure.scope {
                None => self.invoke_written(literal, closure, values, at),
                Some(scope) => {
                    let scope = &**scope;
                    self.in_scope(scope, |evaluator| evaluator.invoke_written(literal, closure, values, at))
                }
            },
            FunctionKind::Builtin(builtin) => builtin::run(self, builtin, &values, None, at),
            FunctionKind::Host(callable) => {
                self.charge_steps(1, at)?;
                self.lent(|session| callable.call(values, session))
            }
        }
    }

    fn invoke_written(
        &mut self,
        literal: &FunctionLiteral,
        closure: &Closure,
        mut values: Vec<Value>,
        at: u32,
    ) -> Eval {
        for (value, kind) in values.iter_mut().zip(&literal.types) {
            if !self.fit(value, kind, at)? {
                return Ok(Value::Null);
            }
        }
        self.charge_steps(1, at)?;
        self.charge_bytes(literal.slots as usize * size_of::<Value>(), at)?;
        let base = std::mem::replace(&mut self.base, self.stack.len());
        self.stack.extend(values);
        self.stack.resize(self.base + literal.slots as usize, Value::Null);
        for (&(_, slot), value) in literal.captures.iter().zip(&closure.locals) {
            self.set(slot, value.clone());
        }
        let result = self.eval(&literal.body);
        self.stack.truncate(self.base);
        self.base = base;
        result
    }

    pub(super) fn closure(&self, literal: &Arc<FunctionLiteral>) -> Value {
        let locals = literal.captures.iter().map(|&(slot, _)| self.local(slot).clone()).collect();
        let scope = if literal.reads.is_empty() { None } else { self.scope.capture(&literal.reads) };
        Value::Function(Function::written(literal.clone(), Closure { locals, scope }))
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

/// So many arguments, in words.
fn counted(arguments: usize) -> String {
    format!("{arguments} argument{}", if arguments == 1 { "" } else { "s" })
}

/// The arguments in the order of the parameters, missing ones null; nothing when a name is no parameter.
fn by_name(parameters: &[Text], names: &[Text], values: &[Value]) -> Option<Vec<Value>> {
    if names.iter().any(|name| !parameters.contains(name)) {
        return None;
    }
    let find = |parameter| names.iter().position(|name| name == parameter);
    Some(parameters.iter().map(|name| find(name).map_or(Value::Null, |at| values[at].clone())).collect())
}
