//! The gateway's configuration.
//!
//! **In:** the text of `edge.toml`.
//! **Out:** a [`Config`] that the data plane runs; or every [`Fault`] of the text with line and key. What changes
//! between two of them ([`diff`]), and why a request takes the route that it takes ([`explain`]).
//!
//! # Invariants
//! - A key that is not known is a fault: nothing that somebody wrote is ignored.
//! - What [`render`] writes reads back as the same configuration; it writes every default.
//! - No upstream is an internal address of ours, see [`internal`].
//!
//! # Where to look
//! `keys/` every key of the file, once for reading and writing · `read.rs` and `write.rs` the two directions ·
//! `value.rs` how a value is written · `config.rs` from text to plan · `diff.rs`, `explain.rs`.

mod config;
pub mod diff;
pub mod explain;
mod fault;
pub mod internal;
mod keys;
mod read;
mod value;
mod visit;
mod write;

pub use config::{Config, render};
pub use fault::Fault;
