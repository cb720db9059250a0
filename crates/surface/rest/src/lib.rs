//! HTTP surfaces. So far management: health, metrics and the controllable clock; no business data.
//!
//! **In:** HTTP/1.1 requests on one address; what to tell, through [`Health`], [`Metrics`] and [`Clock`].
//! **Out:** JSON, Prometheus text, and a problem document for whatever cannot be answered.
//!
//! # Invariants
//! - No request is kept waiting by another: what may block runs on a thread of its own.
//! - Bodies, headers, connections and their time are bounded.
//! - Without a [`Clock`], the clock's paths do not exist.
//!
//! # Where to look
//! `management/route.rs` paths and methods · `health.rs` `metrics.rs` `clock.rs` one per subject ·
//! `problem.rs` how failures look · `server.rs` connections and drain.

mod management;

pub use management::{
    Clock, ClockError, Component, Config, Error, Family, Health, Kind, Metrics, Parts, Probe, Sample, Service,
};
