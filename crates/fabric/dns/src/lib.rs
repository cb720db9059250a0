//! Names of services and nodes over DNS.
//!
//! **In:** questions over UDP and TCP; the replica of the catalog.
//! **Out:** A, AAAA, SRV and TXT records, and those of the domain itself, of what is not critical, in random order.
//! Reads are stale: what is at hand counts.
//!
//! # Invariants
//! - No packet may panic, hang or allocate without bound: names, records and connections are counted.
//! - A name of our domain is never asked of others. One outside of it is refused, unless others are named who know it.
//! - A name that exists but has no record of the asked type is answered without one, and not as missing.
//!
//! # Where to look
//! `question.rs` bytes to a question · `zone.rs` the records of a name, `zone/` what it means and those of services ·
//! `record.rs` records to bytes · `reply.rs` replies, trimmed to what the client takes · `book.rs` packet to packet,
//! and what is kept of it · `forward.rs` names of others, asked of others · `server.rs` sockets.

mod book;
mod forward;
mod question;
#[cfg(test)]
mod read_back;
mod record;
mod reply;
mod server;
mod shuffle;
mod zone;

pub use book::reply_from;
pub use server::{Config, Error, Service, UPSTREAMS_MAX};
