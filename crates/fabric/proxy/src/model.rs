//! What an operator describes: listeners, routes, clusters, filters.
//!
//! **In:** a [`Model`], written by a configuration or a control plane.
//! **Out:** a [`Plan`], checked and compiled, and [`Current`], by which all workers change to a new plan at once;
//! or every [`Fault`] of the model.
//!
//! # Invariants
//! - A plan has no fault: every name in it is known, every pattern compiled, every number within its bounds.
//! - A request keeps the plan that it began with.
//! - The types are plain: nothing in them is a socket, a file or a lock.
//!
//! # Where to look
//! `listener.rs`, `route.rs`, `cluster.rs`, `filter.rs` the types with their defaults · `check/` what is a fault ·
//! `plan.rs` what is compiled · `current.rs` the change.

mod check;
mod cluster;
mod current;
mod fault;
mod filter;
mod listener;
mod plan;
mod route;

pub(crate) use check::header_name;
pub use cluster::{
    Balance, Budget, Circuit, Cluster, Endpoint, HashKey, Health, Outlier, Protocol, RingHash, ServiceName,
    SlowStart, Source, Sticky, UpstreamTls,
};
pub use current::{Current, Reader};
pub use fault::Fault;
pub(crate) use fault::Faults;
pub use filter::{Coding, Compression, Cors, Filters, HeaderChanges, LimitKey, RateLimit};
pub use listener::{Acme, Bounds, Certificate, ClientCertificate, Clocks, Listener, Network, Tls, overlap};
pub use plan::{Plan, Share};
pub use route::{
    Action, EncodedSlash, FieldMatch, Forward, Mirror, PathMatch, PathMode, PathRewrite, Redirect, Respond,
    Retry, RetryOn, Route, Scheme, Split, SplitBy, Timeouts, ValueMatch,
};

/// Everything that a data plane is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// Where clients connect.
    pub listeners: Vec<Listener>,
    /// What becomes of their requests.
    pub routes: Vec<Route>,
    /// Where requests go.
    pub clusters: Vec<Cluster>,
}
