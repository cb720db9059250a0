//! Connections of clients: accept, serve, end.
//!
//! **In:** an address and [`Config`]; [`Rules`] that say what is to be done with a request.
//! **Out:** requests handed to [`forward`](crate::forward), and an [`Account`](crate::forward::Account) of each to a [`Ledger`].
//!
//! # Invariants
//! - A client that is slow, silent or sends nothing of use costs a connection and a timer, for a bounded time.
//! - A connection on which something malformed came is told so and closed.
//! - A drain lets requests in flight end, and takes no new connections.
//!
//! # Where to look
//! `service.rs` accepting, one runtime for each worker · `worker.rs` what a worker's tasks share · `one.rs` HTTP/1 ·
//! `two.rs` HTTP/2 · `tls.rs` certificates · `handle.rs` one request of either · `crowd.rs` how many connections there may be.

mod config;
mod crowd;
mod handle;
mod one;
mod service;
mod tls;
mod two;
mod worker;

pub use config::Config;
pub use service::{Error, Service};
pub(crate) use tls::covers;
pub use tls::{Tls, TlsError};
pub use worker::{Ledger, Rules};
