//! The threads that run partitions: what they let out, refuse, wait for, and find again.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod disk;
mod durable;
mod machine;
mod panic;
mod pressure;
mod store;
