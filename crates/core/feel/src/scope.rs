//! What an evaluation is given from outside: variables, clock, zone, seed, budget.

use std::sync::Arc;

use crate::{Budget, Context, Value};

/// Where variables come from.
pub trait Scope {
    /// The variable of this name, if there is one; it may be asked for several times in one evaluation.
    fn variable(&self, name: &str) -> Option<Variable<'_>>;

    /// Whether a value is of a type that is defined outside of the expression; nothing if there is no such type.
    fn is_instance(&self, value: &Value, type_name: &str) -> Option<bool> {
        let _ = (value, type_name);
        None
    }

    /// These variables as they are now, for a function that may be called when this scope is gone; nothing where no
    /// function outlives the scope.
    fn capture(&self, names: &[Arc<str>]) -> Option<Captured> {
        let _ = names;
        None
    }
}

/// A scope that functions keep.
pub type Captured = Arc<dyn Scope + Send + Sync>;

/// A variable as its keeper has it.
#[derive(Clone, Debug)]
pub enum Variable<'a> {
    /// One valid JSON value as UTF-8 text; only what an expression needs of it is read.
    Json(&'a [u8]),
    /// A value.
    Value(Value),
}

impl Scope for Context {
    /// The entries of a context as variables.
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        self.get(name).cloned().map(Variable::Value)
    }
}

/// A scope without variables.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Scope for Nothing {
    fn variable(&self, _name: &str) -> Option<Variable<'_>> {
        None
    }
}

/// Everything else that a result depends on. Equal inputs give equal results.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// What `now()` and `today()` tell, in milliseconds since 1970-01-01T00:00Z.
    pub now_ms: i64,
    /// The zone of `now()` and `today()`, as in the IANA database (which is bundled); unknown means UTC.
    pub zone: &'a str,
    /// Where `uuid()` and `random number()` come from.
    pub seed: u128,
    /// What the evaluation may use.
    pub budget: Budget,
}

impl Default for Env<'_> {
    /// The first instant of 1970, UTC, seed 0, and the default budget.
    fn default() -> Self {
        Self { now_ms: 0, zone: "UTC", seed: 0, budget: Budget::default() }
    }
}
