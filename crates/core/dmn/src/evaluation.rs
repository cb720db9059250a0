//! What an evaluation gave, and how it came to that.

use std::fmt;
use std::sync::Arc;

use coreto_feel::{Value, Warning};

/// The result of a decision, and its whole way.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The result.
    pub output: Value,
    /// Every decision that was evaluated, required ones before those that require them.
    pub decisions: Vec<EvaluatedDecision>,
}

/// One decision of an evaluation.
#[derive(Clone, Debug)]
pub struct EvaluatedDecision {
    /// Its identifier.
    pub id: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// What its logic is.
    pub kind: DecisionKind,
    /// Its result.
    pub output: Value,
    /// Of a table: the value of each input column.
    pub inputs: Vec<EvaluatedInput>,
    /// Of a table: the rules that matched, in their order in the table.
    pub rules: Vec<MatchedRule>,
    /// Why something in it is null.
    pub warnings: Vec<Warning>,
}

/// The value of an input column.
#[derive(Clone, Debug)]
pub struct EvaluatedInput {
    /// The identifier of the column, if the model gives one.
    pub id: Option<Arc<str>>,
    /// Its label, or the text of its expression.
    pub name: Arc<str>,
    /// What the expression gave.
    pub value: Value,
}

/// A rule that matched.
#[derive(Clone, Debug)]
pub struct MatchedRule {
    /// The identifier of the rule, if the model gives one.
    pub id: Option<Arc<str>>,
    /// Its number in the table, from 1.
    pub index: u32,
    /// What its output entries gave.
    pub outputs: Vec<EvaluatedOutput>,
}

/// The value of an output entry.
#[derive(Clone, Debug)]
pub struct EvaluatedOutput {
    /// The identifier of the column, if the model gives one.
    pub id: Option<Arc<str>>,
    /// Its name, or its label where it has none.
    pub name: Arc<str>,
    /// What the expression gave.
    pub value: Value,
}

/// What the logic of a decision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecisionKind {
    /// A table of rules.
    DecisionTable,
    /// One expression.
    LiteralExpression,
    /// Named entries.
    Context,
    /// The call of a function with named arguments.
    Invocation,
    /// Items.
    List,
    /// Rows of named columns.
    Relation,
    /// A function.
    FunctionDefinition,
    /// `if`, `then`, `else`.
    Conditional,
    /// A filter of a list.
    Filter,
    /// `for`, `some` or `every`.
    Iterator,
    /// The model leaves it open.
    None,
}

impl DecisionKind {
    /// The kind as clients of Zeebe/Camunda 8 know it, e.g. `DECISION_TABLE`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DecisionTable => "DECISION_TABLE",
            Self::LiteralExpression => "LITERAL_EXPRESSION",
            Self::Context => "CONTEXT",
            Self::Invocation => "INVOCATION",
            Self::List => "LIST",
            Self::Relation => "RELATION",
            Self::FunctionDefinition => "FUNCTION",
            Self::Conditional => "CONDITIONAL",
            Self::Filter => "FILTER",
            Self::Iterator => "ITERATOR",
            Self::None => "UNKNOWN",
        }
    }
}

/// Why an evaluation gave no result.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The decision that failed.
    pub decision: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Where in its table.
    pub cell: Option<Cell>,
    /// What happened.
    pub reason: Reason,
    /// What was evaluated until then; the last one is the decision that failed, as far as it came.
    pub decisions: Vec<EvaluatedDecision>,
}

/// A place in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The number of the rule, from 1; nothing for the expression of an input column or a default.
    pub rule: Option<u32>,
    /// The label of the column.
    pub column: Arc<str>,
}

/// What ended an evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no such decision.
    Unknown,
    /// An assertion did not hold, or the budget is exhausted.
    Expression(coreto_feel::Failure),
    /// The rules that match do not agree with the hit policy, or a value cannot be aggregated.
    Rules(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no such decision in the model"),
            Self::Expression(failure) => failure.fmt(f),
            Self::Rules(message) => f.write_str(message),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot evaluate decision `{}`", self.decision)?;
        match &self.cell {
            Some(Cell { rule: Some(rule), column }) => write!(f, ", rule {rule}, column `{column}`")?,
            Some(Cell { rule: None, column }) => write!(f, ", column `{column}`")?,
            None => (),
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for Failure {}
