//! A compiled model: what is evaluated.

use std::collections::BTreeMap;
use std::sync::Arc;

use coreto_feel::{Dialect, Expression, Text, UnaryTests};

use crate::frame::Names;
use crate::table::Table;
use crate::types::{ItemDefinition, Type};

/// Everything of one `definitions`.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) dialect: Dialect,
    pub(crate) id: Option<Arc<str>>,
    pub(crate) name: Arc<str>,
    pub(crate) namespace: Arc<str>,
    /// How many models deep its imports go; 0 without any.
    pub(crate) import_depth: usize,
    pub(crate) imports: Box<[Import]>,
    pub(crate) types: Box<[ItemDefinition]>,
    pub(crate) inputs: Box<[Input]>,
    pub(crate) decisions: Box<[Decision]>,
    /// Decisions in the order of their identifiers.
    pub(crate) by_id: Box<[usize]>,
    /// All elements that others may refer to.
    pub(crate) elements: BTreeMap<Arc<str>, Element>,
    pub(crate) knowledge: Box<[Knowledge]>,
    pub(crate) services: Box<[Service]>,
}

impl Graph {
    /// The graph that a requirement leads to.
    pub(crate) fn graph_of(self: &Arc<Self>, import: Option<usize>) -> &Arc<Self> {
        import.map_or(self, |import| &self.imports[import].graph)
    }
}

/// Another model under a name.
#[derive(Debug)]
pub(crate) struct Import {
    pub(crate) name: Text,
    pub(crate) graph: Arc<Graph>,
}

#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) id: Option<Arc<str>>,
    pub(crate) name: Text,
    pub(crate) kind: Type,
}

#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) id: Arc<str>,
    pub(crate) name: Arc<str>,
    /// The name of its result in expressions.
    pub(crate) variable: Text,
    pub(crate) version_tag: Option<Arc<str>>,
    pub(crate) kind: Type,
    pub(crate) requirements: Requirements,
    pub(crate) logic: Option<Node>,
}

#[derive(Debug)]
pub(crate) struct Knowledge {
    pub(crate) id: Option<Arc<str>>,
    pub(crate) name: Text,
    pub(crate) kind: Type,
    pub(crate) requirements: Requirements,
    /// Nothing where a model leaves the logic out.
    pub(crate) function: Option<Arc<FunctionLogic>>,
}

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) id: Option<Arc<str>>,
    pub(crate) name: Text,
    pub(crate) kind: Type,
    /// Parameters in the order of a call: input data, then decisions that are given.
    pub(crate) parameters: Box<[Parameter]>,
    pub(crate) names: Box<[Text]>,
    /// What stands behind each parameter.
    pub(crate) given: Box<[Target]>,
    pub(crate) outputs: Box<[(Text, Target)]>,
}

/// What a decision or a knowledge model needs, by name.
#[derive(Debug, Default)]
pub(crate) struct Requirements {
    /// Names in the scope of the logic.
    pub(crate) names: Names,
    /// What stands behind each.
    pub(crate) values: Box<[Required]>,
}

impl Requirements {
    /// These and one more.
    pub(crate) fn with(self, name: Text, required: Required) -> Self {
        let names = self.names.iter().cloned().chain([name]).collect();
        let values = self.values.into_iter().chain([required]).collect();
        Self { names: Names::new(names), values }
    }

    /// Whether two of them are the same element under two names.
    pub(crate) fn is_same(&self, left: usize, right: usize) -> bool {
        match (&self.values[left], &self.values[right]) {
            (Required::One(left), Required::One(right)) => left == right,
            (Required::One(_) | Required::Import(_), _) => false,
        }
    }
}

#[derive(Debug)]
pub(crate) enum Required {
    One(Target),
    /// All of one imported model, under its name.
    Import(Box<[(Text, Target)]>),
}

/// An element of this graph or of an imported one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) import: Option<usize>,
    pub(crate) element: Element,
}

/// An element by its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Element {
    Input(usize),
    Decision(usize),
    Knowledge(usize),
    Service(usize),
}

/// A boxed expression.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) logic: Logic,
    /// What it must give, if it says so.
    pub(crate) kind: Type,
}

#[derive(Debug)]
pub(crate) enum Logic {
    Literal(Expression),
    /// Text that is no expression, in a model that was read in spite of it; the message says why.
    Broken(Box<str>),
    Table(Box<Table>),
    Context(Box<ContextLogic>),
    List(Box<[Node]>),
    Relation(Box<Relation>),
    Conditional(Box<[Node; 3]>),
    For(Box<Iterator>),
    Some(Box<Iterator>),
    Every(Box<Iterator>),
    Filter(Box<[Node; 2]>),
    Function(Arc<FunctionLogic>),
    Invocation(Box<Invocation>),
}

/// Named entries, each of which sees those before it, and perhaps a result.
#[derive(Debug)]
pub(crate) struct ContextLogic {
    pub(crate) names: Names,
    pub(crate) values: Box<[Node]>,
    pub(crate) result: Option<Node>,
}

#[derive(Debug)]
pub(crate) struct Relation {
    pub(crate) columns: Box<[Text]>,
    pub(crate) rows: Box<[Box<[Node]>]>,
}

#[derive(Debug)]
pub(crate) struct Iterator {
    /// The variable, and where the results so far are.
    pub(crate) names: Names,
    pub(crate) reads_partial: bool,
    pub(crate) domain: Node,
    pub(crate) body: Node,
}

#[derive(Debug)]
pub(crate) struct FunctionLogic {
    pub(crate) parameters: Box<[Parameter]>,
    pub(crate) names: Names,
    /// Variables that the body reads.
    pub(crate) reads: Box<[Arc<str>]>,
    pub(crate) body: Node,
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Text,
    pub(crate) kind: Type,
}

#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) callee: Node,
    pub(crate) names: Box<[Text]>,
    pub(crate) arguments: Box<[(Node, Type)]>,
}

/// Values that are allowed, and their order of preference.
#[derive(Debug)]
pub(crate) struct Allowed {
    pub(crate) tests: UnaryTests,
    pub(crate) order: Box<[coreto_feel::Value]>,
}
