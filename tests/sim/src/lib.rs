//! A toy machine and a seeded simulator for the partition runtime.
//!
//! **In:** a seed.
//! **Out:** nothing when all invariants held; else a panic that names the seed.
//!
//! # Where to look
//! `simulator/` the world and its accidents, and clients of the toy, of the catalog and of the engine · `toy.rs` a
//! key-value store with timers, owed deliveries and sends, so that nothing of processes leaks into the runtime · `gate.rs` a log whose appends can be held · `chance.rs` the seeded random numbers.

pub mod chance;
pub mod gate;
pub mod simulator;
pub mod toy;
