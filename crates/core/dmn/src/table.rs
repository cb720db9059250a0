//! Decision tables as they are evaluated.

use std::sync::Arc;

use coreto_feel::{Expression, Text, UnaryTests};

use crate::frame::Names;
use crate::graph::{Allowed, Node};
use crate::types::Type;

/// A decision table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) policy: HitPolicy,
    pub(crate) inputs: Box<[InputColumn]>,
    pub(crate) outputs: Box<[OutputColumn]>,
    pub(crate) rules: Box<[Rule]>,
    /// Names that cells may call the value of their column by, besides `?`.
    pub(crate) input_names: Option<Names>,
}

/// Which of the matching rules count, and how they make one result. DMN 1.5, 8.2.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HitPolicy {
    Unique,
    First,
    Priority,
    Any,
    Collect(Option<Aggregator>),
    RuleOrder,
    OutputOrder,
}

impl HitPolicy {
    /// The name in a model.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unique => "UNIQUE",
            Self::First => "FIRST",
            Self::Priority => "PRIORITY",
            Self::Any => "ANY",
            Self::Collect(_) => "COLLECT",
            Self::RuleOrder => "RULE ORDER",
            Self::OutputOrder => "OUTPUT ORDER",
        }
    }
}

/// What becomes of collected outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregator {
    Sum,
    Count,
    Min,
    Max,
}

#[derive(Debug)]
pub(crate) struct InputColumn {
    pub(crate) id: Option<Arc<str>>,
    /// The label, or the text of the expression.
    pub(crate) label: Arc<str>,
    pub(crate) expression: Node,
    pub(crate) allowed: Option<Allowed>,
}

#[derive(Debug)]
pub(crate) struct OutputColumn {
    pub(crate) id: Option<Arc<str>>,
    /// Empty for the only output of a table.
    pub(crate) name: Text,
    /// The name, the label, or nothing.
    pub(crate) told: Arc<str>,
    /// What messages call it.
    pub(crate) label: Arc<str>,
    pub(crate) kind: Type,
    pub(crate) allowed: Option<Allowed>,
    pub(crate) default: Option<OutputCell>,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: Option<Arc<str>>,
    pub(crate) inputs: Box<[InputCell]>,
    pub(crate) outputs: Box<[OutputCell]>,
}

#[derive(Debug)]
pub(crate) enum InputCell {
    /// `-`, or nothing: every value passes.
    Any,
    Tests(UnaryTests),
    /// Text that is no tests, and why.
    Broken(Box<str>),
}

#[derive(Debug)]
pub(crate) enum OutputCell {
    /// Nothing stands there.
    Empty,
    Expression(Expression),
    /// Text that is no expression, and why.
    Broken(Box<str>),
}
