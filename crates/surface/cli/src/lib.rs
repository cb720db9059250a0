//! The command line: arguments, and commands that are clients of a server.
//!
//! **In:** what a person typed, and the environment variables that Camunda 8's clients know.
//! **Out:** answers of a server as tables or JSON, and an exit code.
//!
//! # Invariants
//! - Nothing here runs a part of the server; the binary does that.
//! - With `--json` a command prints one JSON value on standard output, and nothing else there.
//!
//! # Where to look
//! `command/` one file a subject · `connect.rs` how a server is reached, `catalog.rs` how a catalog is · `error.rs` exit
//! codes · `bench/` the load generator.

pub mod bench;
pub mod catalog;
pub mod command;
pub mod connect;
mod error;
pub mod output;

pub use error::CliError;
