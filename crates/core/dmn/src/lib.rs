//! Reads DMN models and evaluates their decisions.
//!
//! **In:** the bytes of a `.dmn` file of DMN 1.1 to 1.5; at evaluation a [`Scope`](coreto_feel::Scope) of variables and
//! an [`Env`](coreto_feel::Env) with clock, zone, seed and budget.
//! **Out:** a [`Model`], or all [`Diagnostic`]s; at evaluation an [`Evaluation`] with the result and the whole way to
//! it, or a [`Failure`] that names decision, rule and column.
//!
//! # Invariants
//! - Nothing here reads a clock, a file, a random number or the environment of the process.
//! - Expressions are parsed, names of the graph resolved and cycles refused when a model is read, never later.
//! - One evaluation has one budget, whatever calls whatever; no input panics, overflows the stack or runs beyond it.
//! - In the standard dialect what cannot be computed is null with a warning; in Camunda's, rules that contradict each
//!   other fail the evaluation.
//!
//! # Where to look
//! `tree.rs` the elements of a document · `compile/` elements to what is evaluated · `graph.rs` `table.rs` `types.rs`
//! what that is · `run.rs` decisions and requirements · `logic.rs` boxed expressions · `rules.rs` tables · `call.rs`
//! functions · `library.rs` imports · `evaluation.rs` results · `diagnostic.rs` all codes.
//!
//! ```
//! use coreto_dmn::Model;
//! use coreto_feel::{Dialect, Env, Value};
//!
//! let xml = br#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="discount" namespace="n">
//!   <decision id="discount" name="Discount">
//!     <decisionTable hitPolicy="FIRST">
//!       <input label="Total"><inputExpression><text>total</text></inputExpression></input>
//!       <output name="percent"/>
//!       <rule><inputEntry><text>&gt;= 100</text></inputEntry><outputEntry><text>10</text></outputEntry></rule>
//!       <rule><inputEntry><text>-</text></inputEntry><outputEntry><text>0</text></outputEntry></rule>
//!     </decisionTable>
//!   </decision>
//! </definitions>"#;
//! let model = Model::parse(xml, Dialect::Camunda).expect("the model is sound");
//! let variables = Value::from_json(br#"{"total": 129.90}"#).expect("JSON");
//! let variables = variables.as_context().expect("an object");
//! let evaluation = model.evaluate("discount", variables, &Env::default()).expect("nothing fails");
//! assert_eq!(evaluation.output.to_json(), "10");
//! assert_eq!(evaluation.decisions[0].rules[0].index, 1);
//! ```

mod call;
mod compile;
mod diagnostic;
mod evaluation;
mod frame;
mod graph;
mod library;
mod limits;
mod logic;
mod model;
mod rules;
mod run;
mod table;
mod trace;
mod tree;
mod types;

pub use diagnostic::{Code, Diagnostic, Severity};
pub use evaluation::{
    Cell, DecisionKind, EvaluatedDecision, EvaluatedInput, EvaluatedOutput, Evaluation, Failure, MatchedRule,
    Reason,
};
pub use library::read_all;
pub use limits::Limits;
pub use model::{Decision, KnowledgeModel, Model, Options, Service};
