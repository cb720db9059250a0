//! Which endpoint of a cluster takes a request.
//!
//! **In:** a cluster's endpoints with their [`Fitness`], and for each request what of it is hashed and where it has
//! been; then how the request ended.
//! **Out:** a [`Ticket`] for one endpoint, or none when no endpoint is fit.
//!
//! # Invariants
//! - An endpoint that is unfit gets no request, but in the panic that its cluster allows.
//! - A request is not sent to an endpoint where it has failed, as long as there is another.
//! - A worker has a [`Picker`] of its own: nothing is shared, and nothing waits.
//!
//! # Where to look
//! `picker.rs` the choice · `latency.rs`, `turn.rs`, `ring.rs`, `sticky.rs` what the policies know.

mod latency;
mod picker;
mod ring;
mod sticky;
mod turn;

pub use latency::Latency;
pub use picker::{Ask, Ended, Fitness, Picker, Seat, Ticket};
pub use sticky::Cookies;
