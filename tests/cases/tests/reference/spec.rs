//! What a process is: elements, the flows between them, and what they compute.

use std::fmt;

/// Where an element stands in its process; the process itself is the first.
pub(crate) type At = usize;

/// A process.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) id: String,
    /// Tells its versions apart.
    pub(crate) version: u32,
    pub(crate) elements: Vec<Element>,
}

/// An element of a process.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// The scope that it stands in.
    pub(crate) scope: At,
    /// Where its sequence flows lead.
    pub(crate) flows: Vec<At>,
    /// What its input mappings make of what.
    pub(crate) inputs: Vec<(String, Expr)>,
    pub(crate) outputs: Vec<(String, Expr)>,
    pub(crate) repeat: Option<Repeat>,
}

/// What an element does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Process,
    /// A start event, of an event subprocess or a process also one that something sets off.
    Start(Option<Catch>),
    /// Nothing to be done.
    Pass,
    End,
    Terminate,
    /// An error end event.
    Throw(String),
    /// Broadcasts a signal with its local variables; at the end of a path, when no flow leads on.
    Broadcast(String),
    /// A job.
    Task(Work),
    /// A script task that computes a variable.
    Compute(String, Expr),
    /// A parallel gateway.
    Parallel,
    /// An exclusive gateway: the first flow if the variable is a number above the limit, else the second. A strict one
    /// cannot go on where it is no number.
    Choice {
        name: String,
        limit: i64,
        is_strict: bool,
    },
    /// An exclusive gateway with one flow.
    Merge,
    /// An intermediate catch event or, with a message, perhaps a receive task.
    Wait {
        trigger: Trigger,
        is_task: bool,
    },
    /// An event-based gateway.
    First,
    Scope,
    EventScope,
    /// A call of the process with this number, which gets all variables or those that are mapped, and hands out all
    /// of its own or none.
    Call {
        process: usize,
        takes_all: bool,
        gives_all: bool,
    },
    Boundary(At, Catch),
}

/// An element that is a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Service,
    Send,
    Rule,
    Script,
    /// A message throw event; a message end event where no flow leads on.
    Throw,
}

/// What sets off a start or boundary event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Catch {
    pub(crate) trigger: Trigger,
    pub(crate) interrupts: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Trigger {
    Timer(Timing),
    /// With the value of a variable as correlation key.
    Message {
        name: String,
        key: String,
    },
    Signal(String),
    /// With this code, or any.
    Error(Option<String>),
}

/// When a timer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timing {
    /// After so many milliseconds.
    After(i64),
    /// So many milliseconds behind the beginning of the game.
    At(i64),
    /// A cycle of so many milliseconds, so many times; for ever with -1.
    Each(i64, i32),
    /// Whenever the clock's time is a multiple of so many milliseconds.
    Clock(i64),
}

impl Timing {
    /// When it is due first, and how many times; for ever with -1.
    pub(crate) const fn first(self, now: i64, begin: i64) -> (i64, i32) {
        match self {
            Self::After(millis) => (now + millis, 1),
            Self::At(millis) => (begin + millis, 1),
            Self::Each(millis, times) => (now + millis, times),
            Self::Clock(millis) => ((now / millis + 1) * millis, -1),
        }
    }

    /// When a cycle is due again; times that were missed are not made up for.
    pub(crate) const fn next(self, last: i64, now: i64) -> i64 {
        match self {
            Self::After(millis) | Self::At(millis) | Self::Each(millis, _) => {
                if last + millis < now {
                    now + millis
                } else {
                    last + millis
                }
            }
            Self::Clock(millis) => (now / millis + 1) * millis,
        }
    }
}

impl Trigger {
    /// The name of a message or signal.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Message { name, .. } | Self::Signal(name) => Some(name),
            Self::Timer(_) | Self::Error(_) => None,
        }
    }
}

/// A multi-instance marker.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Repeat {
    pub(crate) number: usize,
    pub(crate) items: usize,
    pub(crate) in_turn: bool,
    /// So many are enough.
    pub(crate) enough: Option<usize>,
    /// What is collected.
    pub(crate) result: Option<Expr>,
}

impl Repeat {
    pub(crate) fn item(&self) -> String {
        format!("item_{}", self.number)
    }

    pub(crate) fn results(&self) -> String {
        format!("results_{}", self.number)
    }
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Fixed(i64),
    Of(String),
    /// The same, but nothing can be computed when there is none.
    Sure(String),
    Plus(String, i64),
}

impl Expr {
    /// Whether it cannot be computed where it would come to this value.
    pub(crate) fn fails(&self, value: &Value) -> bool {
        matches!(self, Self::Sure(_)) && *value == Value::Null
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(number) => write!(f, "={number}"),
            Self::Of(name) => write!(f, "={name}"),
            Self::Sure(name) => write!(f, "=assert({name}, {name} != null)"),
            Self::Plus(name, number) => write!(f, "={name} + {number}"),
        }
    }
}

/// The value of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Number(i64),
    List(Vec<Self>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Number(number) => write!(f, "{number}"),
            Self::List(values) => {
                let values: Vec<String> = values.iter().map(Self::to_string).collect();
                write!(f, "[{}]", values.join(","))
            }
        }
    }
}

/// Variables as they are given or written, in their order.
pub(crate) type Values = Vec<(String, Value)>;

impl Kind {
    /// What a catching element waits for.
    pub(crate) const fn trigger(&self) -> Option<&Trigger> {
        match self {
            Self::Start(Some(catch)) | Self::Boundary(_, catch) => Some(&catch.trigger),
            Self::Wait { trigger, .. } => Some(trigger),
            _ => None,
        }
    }

    pub(crate) const fn interrupts(&self) -> bool {
        match self {
            Self::Start(Some(catch)) | Self::Boundary(_, catch) => catch.interrupts,
            _ => true,
        }
    }
}

impl Process {
    /// Events that somebody may wait for who goes on when they happen, or chooses between them.
    pub(crate) fn events(&self) -> Vec<At> {
        let firsts = self.elements.iter().filter(|element| element.kind == Kind::First);
        let chosen: Vec<At> = firsts.flat_map(|first| first.flows.clone()).collect();
        let is_event = |at: &At| match &self.elements[*at].kind {
            Kind::Boundary(..) => true,
            Kind::Start(catch) => catch.is_some() && self.elements[*at].scope != 0,
            _ => chosen.contains(at),
        };
        (1..self.elements.len()).filter(is_event).collect()
    }

    /// The elements in a scope.
    pub(crate) fn inside(&self, scope: At) -> impl Iterator<Item = At> + '_ {
        (1..self.elements.len()).filter(move |at| self.elements[*at].scope == scope)
    }

    /// The start event of a scope that nothing needs to set off, or that of an event subprocess.
    pub(crate) fn start(&self, scope: At) -> At {
        let is_event = self.elements[scope].kind == Kind::EventScope;
        let starts = |at: &At| match &self.elements[*at].kind {
            Kind::Start(catch) => is_event || catch.is_none(),
            _ => false,
        };
        self.inside(scope).find(starts).expect("each scope has a start event")
    }

    /// The boundary events of an activity.
    pub(crate) fn boundaries(&self, host: At) -> impl Iterator<Item = At> + '_ {
        let is_of_host =
            move |at: &At| matches!(&self.elements[*at].kind, Kind::Boundary(of, _) if *of == host);
        (0..self.elements.len()).filter(is_of_host)
    }

    /// The start events of the event subprocesses in a scope.
    pub(crate) fn event_starts(&self, scope: At) -> impl Iterator<Item = At> + '_ {
        let scopes = self.inside(scope).filter(|at| self.elements[*at].kind == Kind::EventScope);
        scopes.map(|at| self.start(at))
    }
}
