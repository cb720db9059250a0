//! The bytes of a request and its response, both ways.
//!
//! **In:** a [`Request`](crate::gate::Request) with the [`Channel`](crate::wire::Channel) it came on, and the plan in force.
//! **Out:** the response of an upstream, or an answer that says why there is none; and an [`Account`] of it.
//!
//! # Invariants
//! - Every request ends, and ends once.
//! - A request is sent again only when that cannot make it happen twice, or the route says that it may.
//! - Once a byte of a response was passed on, no other answer is begun: what breaks then is aborted.
//!
//! # Where to look
//! `decide.rs` what is to be done · `order.rs` that, and what it makes of responses · `run.rs` one request from its
//! head to its end · `attempts.rs` its tries · `failed.rs` whether there may be another · `exchange.rs` the bytes, both
//! ways · `upload.rs` and `pieces.rs` the request's body, kept for another try · `fields.rs`, `via.rs` and `trace.rs`
//! what is added and removed · `deadline.rs` what a call may take · `respond.rs` the response · `switch.rs`,
//! `tunnel.rs`, `frames.rs` and `websocket.rs` a switch of protocols · `mirror.rs` copies · `failure.rs` and
//! `answer.rs` what is said when it fails · `account.rs` and `tale.rs` what is told of it.

mod account;
mod answer;
mod attempts;
mod deadline;
mod decide;
mod exchange;
mod failed;
mod failure;
mod fields;
mod frames;
mod mirror;
mod order;
mod pieces;
mod respond;
mod run;
mod switch;
mod tale;
mod trace;
mod tunnel;
mod upload;
mod via;
mod websocket;

pub use account::Account;
pub(crate) use answer::{Answer, Reply};
pub(crate) use decide::decide;
pub use failure::Failure;
pub(crate) use fields::{Client, request_id};
pub(crate) use order::Order;
pub(crate) use run::{Terms, Unread, put_answer, run, stamp};
pub(crate) use via::Via;
