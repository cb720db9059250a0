//! What is done to requests and responses on the way, as decisions; carrying them out is the work of `forward`.
//!
//! **In:** a filter of the model, and the heads of a request and its response.
//! **Out:** changed headers, an answer to a preflight, a coding, a side of a split, whether a copy is sent; what writes a
//! body in another way.
//!
//! # Invariants
//! - The same request gets the same decision: what looks like chance is a hash of the request.
//! - Headers of CORS are those of the filters alone: what a service says of it is replaced.

mod changes;
mod compression;
mod cors;
mod encode;
mod grpc_web;
mod split;

pub use changes::Changes;
pub use compression::{note_encoding, offer};
pub(crate) use cors::check_origin;
pub use cors::{Cross, answer, cross, preflight};
pub(crate) use encode::Encoder;
pub(crate) use grpc_web::{Bridge, GrpcWeb, expose, is_grpc};
pub use split::{mirrors, side};
