//! The gRPC gateway: commands and queries of clients compatible with Zeebe/Camunda 8.
//!
//! **In:** connections on one address; answers of the partitions, and jobs that they push, through an [`Outlet`].
//! **Out:** commands and queries for a [`Backend`]; answers once what they depend on is durable.
//!
//! # Invariants
//! - An answer leaves only after the partition put it into the mailbox, which it does when the batch is durable.
//! - A job that was handed to a client that is gone or does not read is given back, not lost until its deadline.
//! - A parked poll is one timer entry and one table entry; nothing looks at it until a job, its time or its end comes.
//! - A status is chosen in one function (`status.rs`) from a closed list of failures.
//! - Memory per connection, message and stream is bounded ([`Config`]).
//!
//! # Where to look
//! `rpc/` the calls by subject · `convert.rs` what requests must look like, and how answers do · `status.rs` ·
//! `desk/` answers on their way from the log thread to the waiting calls · `poll.rs` long polls · `stream.rs` job
//! streams · `lean.rs` framing of the calls made per instance · `server.rs` connections, TLS and drain ·
//! `inspect/` `watch.rs` our own reads · `health.rs` `reflection.rs`.

mod backend;
mod config;
mod convert;
mod desk;
mod gateway;
mod health;
mod inspect;
mod lean;
mod outlet;
mod poll;
mod reflection;
mod router;
mod rpc;
mod server;
mod status;
mod stream;
mod tls;
mod watch;

pub use backend::Backend;
pub use config::{Config, Error, Tls};
pub use outlet::{Outlet, Statistics};
pub use server::Service;
pub use watch::{Ended, Feed, WatchError, Watched, Watcher, Wish};
