//! The data plane: takes requests from connections, chooses where they go, and carries bytes both ways.
//!
//! **In:** a [`model`] of listeners, routes and clusters, put in force as a [`plane`]; connections of clients.
//! **Out:** requests to upstream endpoints, their responses, or an answer of our own that says what was wrong.
//!
//! # Invariants
//! - Nothing malformed is forwarded: every message passes the [`gate`] before anything else looks at it.
//! - What decides (`model`, `route`, `balance`, `health`, `limit`) has no sockets and takes the time as an argument.
//! - Every queue, buffer, table and wait is bounded.
//!
//! # Where to look
//! `plane/` what is in force. The way of a request: `listen/` accept and serve · `wire/` messages on connections · `gate/` what may pass · `route/` which route ·
//! `limit/` whether now · `tend/` names and checks, beside requests · `balance/` and `health/` which endpoint · `upstream/` connections to it ·
//! `forward/` the bytes both ways, and what is answered when that fails.

pub mod balance;
mod base64;
pub mod chance;
pub mod filter;
pub mod forward;
pub mod gate;
pub mod hash;
pub mod health;
pub mod limit;
pub mod listen;
pub mod model;
pub mod moment;
pub mod plane;
pub mod route;
pub mod seldom;
pub mod tend;
pub mod upstream;
pub mod wire;
