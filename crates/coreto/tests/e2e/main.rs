//! The program as it is shipped, from outside: killed, out of space, damaged, read slowly, and traced.
//!
//! Each test has a data directory and a server of its own, on free ports, and talks to it as any client would.
#![allow(clippy::pedantic, clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod beside;
mod catalog;
mod catalog_commands;
mod catalog_kill;
mod clock;
mod corruption;
mod directory;
mod disk;
mod documented;
mod drain;
mod haproxy;
mod kill;
mod partitions;
mod recorded;
mod slow;
mod support;
mod trace;
