//! What can go wrong for good: a text that is no expression, and an evaluation that must not go on.

use std::fmt;

use crate::Resource;

/// Why and where a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What would have fitted, e.g. "`then`".
    pub expected: String,
    /// What is there instead.
    pub found: String,
}

impl ParseError {
    pub(crate) fn new(source: &str, offset: usize, expected: String, found: String) -> Self {
        let before = source.get(..offset).unwrap_or(source);
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |text| text.chars().count()) + 1;
        Self {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            expected,
            found,
        }
    }

    /// The line of the source with a caret under the place, as two lines. Long lines are cut around the place.
    pub fn caret(&self, source: &str) -> String {
        const WIDTH: usize = 60;
        let line = source.split('\n').nth(self.line as usize - 1).unwrap_or_default().trim_end_matches('\r');
        let column = self.column as usize - 1;
        let start = if column > WIDTH { column - WIDTH / 2 } else { 0 };
        // A tab would move the caret, so it is shown as one blank.
        let shown: String =
            line.chars().skip(start).take(WIDTH + 20).map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("{shown}\n{:>1$}", '^', column - start + 1)
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, expected, found } = self;
        write!(f, "line {line}, column {column}: expected {expected}, found {found}")
    }
}

impl std::error::Error for ParseError {}

/// Why an evaluation gave no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// `assert(value, condition)` did not hold.
    Assert {
        /// The cause that the expression gave, or a sentence in its place.
        message: String,
        /// Where in the source, in bytes.
        offset: u32,
    },
    /// The evaluation wanted more than its budget.
    BudgetExhausted {
        /// What there was too little of.
        resource: Resource,
        /// Where in the source, in bytes.
        offset: u32,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assert { message, .. } => write!(f, "assertion failed: {message}"),
            Self::BudgetExhausted { resource, offset } => {
                write!(f, "evaluation stopped at byte {offset}: budget of {resource} is exhausted")
            }
        }
    }
}

impl std::error::Error for Failure {}
