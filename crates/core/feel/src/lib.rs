//! The FEEL expression language, in the dialect that Zeebe/Camunda 8 models are written in.
//!
//! **In:** the text of an expression or of unary tests; at evaluation a [`Scope`] to read variables from (values,
//! or JSON text that is looked into lazily) and an [`Env`] with clock, time zone, seed and [`Budget`].
//! **Out:** a compiled [`Expression`] or a [`ParseError`] with its place; at evaluation a [`Value`] with the
//! [`Warning`]s that explain its nulls, or a [`Failure`].
//!
//! # Invariants
//! - Nothing here reads a clock, a file, a random number or the environment of the process.
//! - What cannot be computed is null and a warning; only a failed `assert` and an exhausted budget fail.
//! - No input can panic, overflow the stack or run beyond its budget: source, values and calls have a greatest
//!   depth, and whatever repeats is charged.
//! - Contexts keep the order of their entries.
//!
//! # Where to look
//! `lexer.rs` text → tokens · `parser/` tokens → tree, one file per construct · `ast.rs` the tree · `eval/` tree →
//! value · `dialect.rs` where its two readings differ · `builtin/` the functions, one file per group · `value/` the
//! types: decimal, temporal, list, context, JSON · `session.rs` several expressions with one budget · `unary.rs` tests
//! against an input · `agent.rs` what an agent is to fill in · `tests/cases/` what is promised, as data.
//!
//! ```
//! use coreto_feel::{Env, Expression, Scope, Value, Variable};
//!
//! struct Order;
//! impl Scope for Order {
//!     fn variable(&self, name: &str) -> Option<Variable<'_>> {
//!         (name == "total").then_some(Variable::Json(b"129.90"))
//!     }
//! }
//!
//! let expression = Expression::parse("if total > 100 then total * 0.9 else total").expect("well-formed");
//! let evaluated = expression.evaluate(&Order, &Env::default()).expect("asserts nothing");
//! assert_eq!(evaluated.value.to_json(), "116.91");
//! ```

mod agent;
mod ast;
mod budget;
mod builtin;
mod compiled;
mod dialect;
mod error;
mod eval;
mod expression;
mod lexer;
mod parser;
mod scope;
mod session;
mod unary;
pub mod value;
mod warning;

pub use agent::AgentParameter;
pub use budget::{Budget, Resource};
pub use builtin::signatures;
pub use dialect::Dialect;
pub use error::{Failure, ParseError};
pub use expression::{Evaluated, Expression};
pub use scope::{Captured, Env, Nothing, Scope, Variable};
pub use session::Session;
pub use unary::UnaryTests;
pub use value::{Callable, Context, Function, JsonError, List, Number, Range, Text, Value};
pub use warning::{Warning, WarningKind};
