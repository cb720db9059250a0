//! Connections to upstream endpoints, and which of them can be used again.
//!
//! **In:** a cluster and one of its endpoints.
//! **Out:** a [`Lease`]: a connection or stream that takes one request, new or kept from an earlier one.
//!
//! # Invariants
//! - A kept connection is looked at before it is used: one that was closed, or on which something came unasked, is not.
//! - A connection goes back only after a whole request and a whole response, and never after an oddity.
//!
//! # Where to look
//! `connect.rs` new connections · `pool.rs` kept ones.

mod connect;
mod pool;

pub use connect::ConnectError;
pub use pool::{Lease, Pool};
