//! Why a value is null: failures that do not end an evaluation.

use std::fmt;

/// A failed operation whose result became null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What failed.
    pub kind: WarningKind,
    /// The same in one line, with names and values.
    pub message: String,
    /// Where in the source, in bytes.
    pub offset: u32,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

/// The kinds of warnings, named as clients of Zeebe/Camunda 8 know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// A variable is not there.
    NoVariableFound,
    /// A context has no such entry.
    NoContextEntryFound,
    /// A value has no such property.
    NoPropertyFound,
    /// Two values cannot be compared.
    NotComparable,
    /// A value has a type that the operation does not take.
    InvalidType,
    /// There is no function of this name with these parameters.
    NoFunctionFound,
    /// A function was called with what it cannot use.
    FunctionInvocationFailure,
    /// An assertion did not hold.
    AssertFailure,
    /// Anything else.
    Unknown,
}

impl WarningKind {
    /// The kind as clients know it, e.g. `NO_VARIABLE_FOUND`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoVariableFound => "NO_VARIABLE_FOUND",
            Self::NoContextEntryFound => "NO_CONTEXT_ENTRY_FOUND",
            Self::NoPropertyFound => "NO_PROPERTY_FOUND",
            Self::NotComparable => "NOT_COMPARABLE",
            Self::InvalidType => "INVALID_TYPE",
            Self::NoFunctionFound => "NO_FUNCTION_FOUND",
            Self::FunctionInvocationFailure => "FUNCTION_INVOCATION_FAILURE",
            Self::AssertFailure => "ASSERT_FAILURE",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
