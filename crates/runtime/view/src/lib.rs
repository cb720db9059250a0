//! The record of events, for the world outside: rendered as Zeebe's JSON, exported, and watched.
//!
//! **In:** the engine's log, read behind its writer, and the definitions that its records speak of.
//! **Out:** documents for an Elasticsearch-compatible server, lines of JSON, and records for watchers.
//!
//! # Invariants
//! - Every record that passes the filter arrives at least once, in the order of its partition.
//! - A reader keeps a durable cursor of its own and is never in the engine's way: it only reads the log.
//! - A record renders the same wherever an exporter begins, but for the per-type `sequence`.
//! - A gap that trimming made is counted and logged, never silent.
//!
//! # Where to look
//! `render/` records as JSON, one file a subject · `exporter.rs` the reading thread and its cursor · `sink/` where
//! documents go · `filter.rs` which ones · `tail.rs` watching.

mod definitions;
mod exporter;
mod failure;
mod filter;
mod render;
mod sink;
mod tail;

pub use definitions::{Definitions, Unanswered};
pub use exporter::{Config, Exporter, Progress, Running};
pub use filter::Filter;
pub use render::Renderer;
pub use sink::{Document, ElasticsearchConfig, ElasticsearchSink, NdjsonSink, OnRefusal, Sink, SinkError};
pub use tail::{Begun, Tail, TailError, Tailed};
