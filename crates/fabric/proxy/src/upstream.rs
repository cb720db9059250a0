//! Clusters in force, and connections to their endpoints.
//!
//! **In:** clusters of a model; requests that are to go to one of them, and how they ended there.
//! **Out:** a [`Place`](desk::Place) at an endpoint for each request, and a [`Lease`]: a connection or stream that
//! takes one request, new or kept from an earlier one.
//!
//! # Invariants
//! - A kept connection is looked at before it is used: one that was closed, or on which something came unasked, is not.
//! - A connection goes back only after a whole request and a whole response, and never after an oddity.
//! - What bounds a cluster counts over all workers; what chooses an endpoint is each worker's own.
//!
//! # Where to look
//! `cluster.rs` what is known of a cluster on the whole node · `member.rs` and of one endpoint · `desk.rs` one worker's
//! choice · `connect.rs` new connections · `tls.rs` how they are encrypted · `pool.rs` and `kept.rs` kept ones.

mod cluster;
mod connect;
mod desk;
mod kept;
mod member;
mod pool;
mod tls;

pub use cluster::{Counts, Upstream};
pub use connect::ConnectError;
pub(crate) use connect::{begin, connect};
pub(crate) use desk::{Desk, Place, Wanted};
pub use member::Member;
pub(crate) use pool::stream_head;
pub use pool::{Calls, Lease, Pool};
pub(crate) use tls::Security;
pub use tls::authorities;
