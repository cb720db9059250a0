//! `coreto edge` under load: nothing that is done to it may cost a client a request.
//!
//! Each test has a gateway and upstreams of its own, on free ports, and talks to them as any client would.
#![allow(
    clippy::pedantic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends where it is wrong, and says what it leaves out"
)]

mod clients;
mod drain;
mod hand_over;
mod reload;
mod support;
mod upstreams;
