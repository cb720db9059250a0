//! The gateway: its configuration, and itself.
//!
//! **In:** the text of `edge.toml`.
//! **Out:** a [`Config`], or every [`Fault`] of the text with line and key; a [`Gateway`] that runs it, with its management,
//! metrics and access log. What changes between two configurations ([`diff`]), and why a request takes the route that
//! it takes ([`explain`]).
//!
//! # Invariants
//! - A key that is not known is a fault: nothing that somebody wrote is ignored.
//! - What [`render`] writes reads back as the same configuration; it writes every default.
//! - No upstream is an internal address of ours, see [`internal`].
//!
//! # Where to look
//! `keys/` every key of the file, once for reading and writing · `read.rs` and `write.rs` the two directions ·
//! `value.rs` how a value is written · `config.rs` from text to plan · `diff.rs`, `explain.rs` · `gateway.rs` what runs
//! · `descriptors.rs` open files · `acme/` certificates that it orders · `hand_over/` one gateway after the other ·
//! `admin.rs` its management · `ledger.rs`, `metrics.rs`, `log.rs` what is told of requests.

pub mod acme;
mod admin;
mod catalog;
mod config;
mod descriptors;
pub mod diff;
pub mod explain;
mod fault;
mod gateway;
pub mod hand_over;
pub mod internal;
mod keys;
mod ledger;
mod log;
mod metrics;
mod read;
mod value;
mod visit;
mod write;

pub use catalog::{Seat, SeatError, SeatTls};
pub use config::{Config, render};
pub use fault::Fault;
pub use gateway::{Beside, Error, Gateway, Serving, Shared};
pub use log::Output;
