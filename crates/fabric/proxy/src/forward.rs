//! The bytes of a request and its response, both ways.
//!
//! **In:** a [`Request`](crate::gate::Request) with the [`Channel`](crate::wire::Channel) it came on, and an [`Order`]: where it may go, and
//! how long that may take.
//! **Out:** the response of an upstream, or an answer that says why there is none; and an [`Account`] of it.
//!
//! # Invariants
//! - Every request ends, and ends once.
//! - A request is sent again only when that cannot make it happen twice, or the route says that it may.
//! - Once a byte of a response was passed on, no other answer is begun: what breaks then is aborted.
//!
//! # Where to look
//! `order.rs` what is to be done · `run.rs` one request from its head to its end · `exchange.rs` the bytes, both ways ·
//! `upload.rs` the request's body, kept for another try · `fields.rs` what is added and removed ·
//! `tunnel.rs` after a switch of protocols · `failure.rs` and `answer.rs` what is said when it fails · `account.rs` what is told of it.

mod account;
mod answer;
mod exchange;
mod failure;
mod fields;
mod order;
mod run;
mod tunnel;
mod upload;

pub use account::Account;
pub use answer::{Answer, Reply};
pub use failure::Failure;
pub use fields::Client;
pub use order::{Cluster, Order, Retry};
pub use run::{Ended, Terms, run};
pub(crate) use run::{put_answer, stamp};
