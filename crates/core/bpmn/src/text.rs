//! An attribute's value: static text, or an expression.

use std::sync::Arc;

use coreto_feel::{Expression, ParseError};

/// What an attribute says, compiled once.
#[derive(Clone, Debug)]
pub enum Text {
    /// The text itself. Where a string is wanted it is that string, also when it looks like a number.
    Static(Arc<str>),
    /// What FEEL makes of the text behind the `=`.
    Expression(Expression),
}

impl Text {
    /// Reads a value: a `=` followed by anything begins an expression; blanks before it make it static text.
    ///
    /// # Errors
    /// When the expression cannot be parsed.
    pub fn parse(value: &str) -> Result<Self, ParseError> {
        match expression_of(value) {
            Some(source) => Expression::parse(source).map(Self::Expression),
            None => Ok(Self::Static(value.into())),
        }
    }

    /// The text as it stands in the model, an expression without its `=`.
    pub fn source(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Expression(expression) => expression.source(),
        }
    }
}

/// The source of an expression, `None` for static text.
pub(crate) fn expression_of(value: &str) -> Option<&str> {
    value.strip_prefix('=').filter(|source| !source.is_empty())
}
