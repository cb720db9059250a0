//! Service discovery: what services there are, how they are, and where; over the HTTP protocol of Consul.
//!
//! **In:** requests of services and of those who look for them; the partition of the catalog and its replica.
//! **Out:** commands to the catalog; answers, each with the consistency that it was given with.
//!
//! # Invariants
//! - Reads are answered by the replica on the threads of this crate; a strong one waits until that shows all that was
//!   durable when it came in, and fails within a second when it cannot.
//! - A renewal that changes nothing is memory; the catalog hears of transitions only. After a start every time begins anew.
//! - Whoever waits for a change sees it, or gets an answer when its time is over.
//! - Bodies, names, connections and waits are bounded.
//!
//! # Where to look
//! `server.rs` connections, `link.rs` their bytes · `router.rs` paths · `endpoint/` what each answers · `read/` JSON of
//! clients as things of the catalog · `render.rs` things as JSON · `filter/` filter expressions · `desk.rs` reading,
//! waiting and writing · `bodies.rs` bodies that are made once for all · `hub.rs` who waits for what · `watch.rs`
//! streams of what changes, `feed.rs` what they share · `lease.rs` streams that hold an instance · `clocks.rs` times
//! that run out, `beside.rs` what is done then, and at the start · `probe/` checks that we run.

mod answer;
mod asked;
mod base64;
mod beside;
mod bodies;
mod clocks;
mod config;
mod desk;
mod endpoint;
mod feed;
mod filter;
mod go;
mod hub;
mod lease;
mod link;
mod probe;
mod read;
mod render;
mod router;
mod server;
mod watch;
mod writing;

pub use config::{Config, Error, Parts};
pub use filter::takes;
pub use hub::Hub;
pub use server::Service;
