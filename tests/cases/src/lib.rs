//! Runs scripts against a partition of the process engine or of the catalog, without threads, disks and clocks.
//!
//! **In:** the text of a case, or commands of a test.
//! **Out:** a trace of what happened, with names in the place of keys; and faults, where the machine broke a promise.
//!
//! # Invariants
//! - The same case gives the same trace, bit by bit: time and chance are the bench's own.
//! - After each step the machine's invariants are checked, and at the end of each case that its log, replayed, and its
//!   store, read back, give the state that the partition has.
//!
//! # Where to look
//! `ground.rs` a partition of any machine, its log and its store · `catalog/` all of the catalog · `bench.rs` the engine's partition and its surroundings · `step.rs` lines of a script · `play.rs` what a line does ·
//! `names.rs` names of keys · `trace.rs` how records are written.

pub mod bench;
pub mod catalog;
pub mod ground;
pub mod names;
pub mod play;
pub mod step;
pub mod trace;
