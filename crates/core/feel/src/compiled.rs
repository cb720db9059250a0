//! A source and what was made of it.

use std::sync::Arc;

use crate::Dialect;
use crate::ast::Node;
use crate::parser::Parsed;

/// What an expression and unary tests have in common.
pub(crate) struct Compiled {
    pub(crate) source: Box<str>,
    pub(crate) dialect: Dialect,
    pub(crate) root: Node,
    /// Places that the frame of the evaluation has.
    pub(crate) slots: u32,
    variables: Vec<Arc<str>>,
}

impl Compiled {
    pub(crate) fn new(dialect: Dialect, source: &str, parsed: Parsed) -> Arc<Self> {
        let Parsed { root, slots, free } = parsed;
        Arc::new(Self { source: source.into(), dialect, root, slots, variables: free })
    }

    /// Names read from the scope, each once.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|name| &**name)
    }
}
