//! Connections of clients: accept, serve, end.
//!
//! **In:** a [`Plane`](crate::plane::Plane) with its listeners.
//! **Out:** requests handed to [`forward`](crate::forward), and an [`Account`](crate::forward::Account) of each to a [`Ledger`].
//!
//! # Invariants
//! - A client that is slow, silent or sends nothing of use costs a connection and a timer, for a bounded time.
//! - A connection on which something malformed came is told so and closed.
//! - A drain lets requests in flight end, accepts what waits already, and then no more.
//!
//! # Where to look
//! `service.rs` workers, one runtime each · `accept.rs` the connections of one listener · `worker.rs` what a worker's
//! tasks share · `one.rs` HTTP/1 · `two.rs` HTTP/2 · `tls.rs` certificates · `handle.rs` one request of either.

mod accept;
mod handle;
mod one;
mod service;
mod tls;
mod two;
mod worker;

pub use service::{Service, Serving};
pub use tls::{Tls, TlsError, covers};
pub(crate) use tls::{chain, private_key};
pub use worker::Ledger;
