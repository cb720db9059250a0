//! Functions as values.

use std::fmt;
use std::sync::Arc;

use super::{Text, Value};
use crate::ast::FunctionLiteral;
use crate::builtin::Builtin;
use crate::scope::Captured;
use crate::{Failure, Session};

/// A function that can be called: one that was written in an expression, together with what it saw there, one of the
/// language, or one that the host of the language has.
#[derive(Clone)]
pub struct Function(Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Written(Arc<FunctionLiteral>, Arc<Closure>),
    Builtin(&'static Builtin),
    Host(Arc<dyn Callable>),
}

/// What a function saw where it was written.
pub(crate) struct Closure {
    pub(crate) locals: Box<[Value]>,
    pub(crate) scope: Option<Captured>,
}

/// A function that is not written in the language.
pub trait Callable: Send + Sync {
    /// Names of the parameters, in order.
    fn parameters(&self) -> &[Text];

    /// The result for as many arguments as there are parameters.
    ///
    /// # Errors
    /// When the evaluation that calls must not go on.
    fn call(&self, arguments: Vec<Value>, session: &mut Session<'_>) -> Result<Value, Failure>;
}

impl Function {
    /// A function of the host.
    pub fn host(callable: Arc<dyn Callable>) -> Self {
        Self(Kind::Host(callable))
    }

    pub(crate) const fn builtin(builtin: &'static Builtin) -> Self {
        Self(Kind::Builtin(builtin))
    }

    pub(crate) fn written(literal: Arc<FunctionLiteral>, closure: Closure) -> Self {
        Self(Kind::Written(literal, Arc::new(closure)))
    }

    pub(crate) const fn kind(&self) -> &Kind {
        &self.0
    }

    /// Whether it can be called with so many arguments.
    pub fn takes(&self, count: usize) -> bool {
        match &self.0 {
            Kind::Written(literal, _) => literal.parameters.len() == count,
            Kind::Builtin(builtin) => builtin.takes(count),
            Kind::Host(callable) => callable.parameters().len() == count,
        }
    }

    pub(crate) fn depth(&self) -> u16 {
        match &self.0 {
            Kind::Written(_, closure) => closure.locals.iter().map(Value::depth).max().unwrap_or(0) + 1,
            Kind::Builtin(_) | Kind::Host(_) => 1,
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("function")
    }
}
