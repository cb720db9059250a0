//! Runs scripts against a partition of the process engine, without threads, disks and clocks.
//!
//! **In:** the text of a case, or commands of a test.
//! **Out:** a trace of what happened, with names in the place of keys; and faults, where the engine broke a promise.
//!
//! # Invariants
//! - The same case gives the same trace, bit by bit: time and chance are the bench's own.
//! - After each step the engine's invariants are checked, and at the end of each case that its log, replayed, and its
//!   store, read back, give the state that the partition has.
//!
//! # Where to look
//! `bench.rs` the partition and its surroundings · `step.rs` lines of a script · `play.rs` what a line does ·
//! `names.rs` names of keys · `trace.rs` how records are written.

pub mod bench;
pub mod names;
pub mod play;
pub mod step;
pub mod trace;
