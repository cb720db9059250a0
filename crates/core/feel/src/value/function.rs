//! Functions as values.

use std::fmt;
use std::sync::Arc;

use super::Value;
use crate::ast::FunctionLiteral;

/// A function that was written in an expression, together with what it saw there.
#[derive(Clone)]
pub struct Function {
    literal: Arc<FunctionLiteral>,
    captured: Arc<[Value]>,
}

impl Function {
    pub(crate) const fn new(literal: Arc<FunctionLiteral>, captured: Arc<[Value]>) -> Self {
        Self { literal, captured }
    }

    pub(crate) fn literal(&self) -> &FunctionLiteral {
        &self.literal
    }

    pub(crate) fn captured(&self) -> &[Value] {
        &self.captured
    }

    pub(crate) fn depth(&self) -> u16 {
        self.captured.iter().map(Value::depth).max().unwrap_or(0) + 1
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("function")
    }
}
