//! Whether a request may go on now: rates, retry budgets, circuit limits.
//!
//! **In:** requests, retries and connections as they come, with the time of each.
//! **Out:** whether it may go on, what is left, and when to come again.
//!
//! # Invariants
//! - Over any time a rate lets no more through than its burst and what came back in that time.
//! - Tables of keys are bounded: the key that was not seen for longest is forgotten first.
//! - What is taken of a circuit is given back when its [`Permit`] is dropped, whatever happened.
//!
//! # Where to look
//! `rate.rs` one key · `table.rs` many keys · `advice.rs` what the client is told · `budget.rs` retries ·
//! `circuit.rs` what a cluster may be asked at a time.

mod advice;
mod budget;
mod circuit;
mod rate;
mod table;

pub use advice::{Advice, retry_after};
pub use budget::RetryBudget;
pub use circuit::{Gate, Gates, Permit};
pub use rate::{Rate, Tally, Verdict};
pub use table::Limiter;
