//! Expressions as this crate sees them, until the crate of the language takes their place.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The source of an expression.
#[derive(Clone, Debug)]
pub struct Expression(Arc<str>);

impl Expression {
    /// Keeps the source, without a leading `=`.
    ///
    /// # Errors
    /// When the source is blank.
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        if source.trim().is_empty() { Err(ParseError) } else { Ok(Self(source.into())) }
    }

    /// The source, without a leading `=`.
    pub fn source(&self) -> &str {
        &self.0
    }

    /// Evaluates the expression.
    ///
    /// # Errors
    /// Always: "not implemented: expressions".
    pub fn evaluate(&self, _scope: &dyn Scope, _env: &Env<'_>) -> Result<Evaluated, Failure> {
        Err(Failure("not implemented: expressions"))
    }
}

/// An expression without anything in it.
#[derive(Debug)]
pub struct ParseError;

impl ParseError {
    pub(crate) fn caret(&self, source: &str) -> String {
        format!("write an expression for `{source}`")
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is empty")
    }
}

/// Where variables come from.
pub trait Scope {
    /// The variable of this name.
    fn variable(&self, name: &str) -> Option<Variable<'_>>;
}

/// A variable, as it is kept.
#[derive(Debug)]
pub enum Variable<'a> {
    /// JSON text.
    Json(&'a [u8]),
    /// A value.
    Value(Value),
}

/// What an evaluation may use.
#[derive(Debug)]
pub struct Env<'a> {
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// Name of the time zone.
    pub zone: &'a str,
}

/// The result of an evaluation.
#[derive(Debug)]
pub struct Evaluated {
    /// The value.
    pub value: Value,
    /// What was suppressed.
    pub warnings: Vec<Warning>,
}

/// Something that was suppressed.
#[derive(Debug)]
pub struct Warning(pub String);

/// Why there is no value.
#[derive(Debug)]
pub struct Failure(pub &'static str);

/// A value.
#[derive(Debug)]
pub enum Value {
    /// Nothing.
    Null,
    /// Named values.
    Context(Vec<(String, Value)>),
}

/// Named values.
pub(crate) struct Context<'v>(&'v [(String, Value)]);

impl<'v> Context<'v> {
    pub(crate) fn get(&self, name: &str) -> Option<&'v Value> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }
}

impl Value {
    pub(crate) fn as_context(&self) -> Option<Context<'_>> {
        match self {
            Self::Null => None,
            Self::Context(entries) => Some(Context(entries)),
        }
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Context(_) => "context",
        }
    }

    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Context(_) => out.extend_from_slice(b"{}"),
        }
    }
}

/// A number.
pub(crate) struct Number;

impl FromStr for Number {
    type Err = std::num::ParseFloatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<f64>().map(|_| Self)
    }
}
