//! Which endpoints are fit to take requests.
//!
//! **In:** results of checks and of real requests, with the time of each.
//! **Out:** what changed, and which endpoint gets a request as a probe.
//!
//! # Invariants
//! - No more endpoints are ejected than the ceiling allows, and never the last one that takes requests.
//! - An ejected endpoint comes back by one request that it answers, not by the clock alone.
//!
//! # Where to look
//! `check.rs` requests of our own · `outlier.rs` what real requests tell.

mod check;
mod outlier;

pub use check::{Checks, Verdict};
pub use outlier::{Change, Outliers, Reason};
