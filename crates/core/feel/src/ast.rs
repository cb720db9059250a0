//! The tree that the parser makes and the evaluator walks.
//!
//! Names are resolved while parsing: a local is a slot of its frame (the expression itself, or one call of a
//! function), everything else is read from the scope. Chains of operators and paths are flat lists, so the tree is
//! never deeper than the parser's own recursion.

mod children;

use std::sync::Arc;

use crate::Text;
use crate::Value;
use crate::builtin::{Builtin, PatternCache};

/// A place in a frame.
pub(crate) type Slot = u32;

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Offset in the source, in bytes.
    pub(crate) at: u32,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Constant(Value),
    Local(Slot),
    /// `item` in a filter: the item, unless it has an entry of this name.
    Item(Slot),
    Free(Free),
    /// A name inside of filters, which may be an entry of a filtered item.
    Filtered(Box<Filtered>),
    Or(Box<[Node]>),
    And(Box<[Node]>),
    Negate(Box<Node>),
    Compare(Comparison, Box<(Node, Node)>),
    Arithmetic(Box<Chain>),
    Between(Box<[Node; 3]>),
    In(Box<In>),
    InstanceOf(Box<(Node, Type)>),
    If(Box<[Node; 3]>),
    For(Box<For>),
    Quantified(Box<Quantified>),
    Path(Box<Path>),
    Call(Box<Call>),
    List(Box<[Node]>),
    Context(Box<[Entry]>),
    Range(Box<RangeLiteral>),
    Function(Arc<FunctionLiteral>),
    /// Tests against the input of a slot.
    Tests(Box<[Test]>, Slot),
}

#[derive(Debug)]
pub(crate) struct Free {
    pub(crate) name: Arc<str>,
    /// Its place among the names that the source reads from the scope.
    pub(crate) number: usize,
    /// Whether the variable is read in a loop, so that its value is worth keeping.
    pub(crate) in_loop: bool,
}

#[derive(Debug)]
pub(crate) struct Filtered {
    /// Items whose entries come first, innermost first.
    pub(crate) items: Box<[Slot]>,
    pub(crate) name: Arc<str>,
    /// What the name is when no item has it.
    pub(crate) otherwise: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(crate) const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl Operator {
    pub(crate) const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Power => "**",
        }
    }
}

/// `first op operand op operand …`, all of one precedence, from left to right.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) first: Node,
    pub(crate) rest: Box<[(Operator, Node)]>,
}

#[derive(Debug)]
pub(crate) struct In {
    pub(crate) input: Node,
    pub(crate) slot: Slot,
    pub(crate) tests: Box<[Test]>,
}

/// One test against an input value.
#[derive(Debug)]
pub(crate) enum Test {
    /// `-`: passes always.
    Any,
    /// `not(…)`: passes when none of them does.
    Not(Box<[Test]>),
    /// `< 5` and the like.
    Compare(Comparison, Node),
    /// Anything else: true, equal to the input, or holding it. The flag tells whether `?` is read in it, so that
    /// only `true` counts.
    Value(Node, bool),
}

#[derive(Debug)]
pub(crate) enum Type {
    Any,
    Null,
    Boolean,
    Number,
    String,
    List,
    Context,
    Date,
    Time,
    DateTime,
    DaysTimeDuration,
    YearsMonthsDuration,
    Range,
    Function,
    ListOf(Box<Type>),
    RangeOf(Box<Type>),
    /// Entries that must be there, with their types.
    ContextOf(Box<[(Text, Type)]>),
    /// So many parameters; what they and the result are is not known before a call.
    FunctionOf(usize),
    /// A type that only the scope knows.
    Named(Text),
}

/// `name in list` or `name in start..end`.
#[derive(Debug)]
pub(crate) struct Iteration {
    pub(crate) slot: Slot,
    pub(crate) domain: Node,
    /// The end of a range without brackets.
    pub(crate) end: Option<Node>,
}

#[derive(Debug)]
pub(crate) struct For {
    pub(crate) iterations: Box<[Iteration]>,
    /// Where the results so far are kept, if the body reads them.
    pub(crate) partial: Option<Slot>,
    pub(crate) body: Node,
}

#[derive(Debug)]
pub(crate) struct Quantified {
    pub(crate) every: bool,
    pub(crate) iterations: Box<[Iteration]>,
    pub(crate) condition: Node,
}

#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) base: Node,
    pub(crate) steps: Box<[Step]>,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) kind: StepKind,
    pub(crate) at: u32,
}

#[derive(Debug)]
pub(crate) enum StepKind {
    /// `.name`
    Field(Text),
    /// `.name(…)`: a function in a context.
    Method(Text, Arguments),
    /// `(…)` on the value of an expression.
    Call(Arguments),
    /// `[…]`
    Filter { item: Slot, predicate: Node },
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) callee: Callee,
    pub(crate) arguments: Arguments,
    /// Where the compiled pattern stays, if the function takes one and it is a constant.
    pub(crate) pattern: Option<Box<PatternCache>>,
}

#[derive(Debug)]
pub(crate) enum Callee {
    Builtin(&'static Builtin),
    /// A function in a variable, with its name for messages.
    Variable(Arc<str>, Node),
}

/// Positional arguments have no names.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) values: Box<[Node]>,
    pub(crate) names: Option<Box<[Text]>>,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Text,
    pub(crate) value: Node,
    /// Where later entries find the value, if they read it.
    pub(crate) slot: Option<Slot>,
}

#[derive(Debug)]
pub(crate) struct RangeLiteral {
    pub(crate) start: Node,
    pub(crate) start_included: bool,
    pub(crate) end: Node,
    pub(crate) end_included: bool,
    pub(crate) kind: RangeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RangeKind {
    /// `[1..5]`
    Ends,
    /// One of the ends is left out, as in `(< 5)`.
    Half,
    /// `(= 5)`: from the start to the start.
    Point,
    /// `(!= 5)`: what lies below the start and what lies above it, as two ranges.
    Apart,
}

#[derive(Debug)]
pub(crate) struct FunctionLiteral {
    pub(crate) parameters: Box<[Text]>,
    /// Types of the parameters; nothing where no parameter has one.
    pub(crate) types: Box<[Type]>,
    /// Slots of the parameters in the frame of a call are the first ones.
    pub(crate) slots: u32,
    /// Slot outside → slot inside, copied when the function value is made.
    pub(crate) captures: Box<[(Slot, Slot)]>,
    /// Variables of the scope that the body reads.
    pub(crate) reads: Box<[Arc<str>]>,
    pub(crate) body: Node,
}
