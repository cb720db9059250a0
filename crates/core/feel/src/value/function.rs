//! Functions as values.

use std::fmt;
use std::sync::Arc;

use super::Value;
use crate::ast::FunctionLiteral;
use crate::builtin::Builtin;

/// A function: written in an expression together with what it saw there, or built in.
#[derive(Clone)]
pub struct Function(Body);

#[derive(Clone)]
pub(crate) enum Body {
    Written { literal: Arc<FunctionLiteral>, captured: Arc<[Value]> },
    Builtin(&'static Builtin),
}

impl Function {
    pub(crate) const fn new(body: Body) -> Self {
        Self(body)
    }

    pub(crate) const fn body(&self) -> &Body {
        &self.0
    }

    pub(crate) fn depth(&self) -> u16 {
        match &self.0 {
            Body::Written { captured, .. } => captured.iter().map(Value::depth).max().unwrap_or(0) + 1,
            Body::Builtin(_) => 0,
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("function")
    }
}
