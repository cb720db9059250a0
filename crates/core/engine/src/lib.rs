//! Decides what a command does to running process instances.
//!
//! **In:** one [`Command`](coreto_record::Command), the partition's [`State`], and what the shell lends ([`Env`]).
//! **Out:** the events that happened, follow-up commands, and [`Effect`]s for after the commit; or a
//! [`Rejection`](coreto_record::Rejection).
//!
//! # Invariants
//! - Only appliers change state, and they change it the same way live and in replay.
//! - Nothing here reads a clock, a file or a random number; two runs over the same log are bit-equal.
//! - Every reason to reject a command is found before its first event.
//! - When an instance has ended, nothing of it is left ([`invariant`]).
//! - Work that grows with the number of things is done in bounded pieces by follow-ups.
//!
//! # Where to look
//! `handler/` one file per command · `element/` what each BPMN element does · `apply/` one file per subject of
//! events · `state/` tables · `query/` questions · `variables.rs` scopes and merging · `jobs.rs` handing jobs out ·
//! `sink.rs` streams and parked polls.

mod apply;
mod element;
mod engine;
mod env;
mod handler;
mod incident;
pub mod invariant;
mod jobs;
mod keys;
mod query;
mod sink;
mod state;
mod variables;
mod weight;

pub use engine::{Effect, Engine};
pub use env::{Env, Limits};
pub use query::{
    Answer, DefinitionFilter, DefinitionView, ElementView, IncidentFilter, IncidentView, InstanceDetails,
    InstanceFilter, InstanceView, JobFilter, JobStateView, JobView, Page, Query, StatusView, VariableView,
};
pub use sink::{SinkKind, SinkSpec, Sinks};
pub use state::{Definition, State};
