//! What may pass: the rules that every message is held to before anything else looks at it.
//!
//! **In:** the bytes of an HTTP/1 head or chunked body; the fields that the HTTP/2 library has read.
//! **Out:** a [`Request`] or [`Response`] whose meaning is the same to every reader, or the [`Fault`] that it has.
//!
//! # Invariants
//! - What passes has one length, one host, one path: nothing in it can be read in two ways further on.
//! - Bytes are never forwarded as they came: what passes is written anew from its parts.
//! - Fields that are meant for one connection do not pass, and cannot be used to take others away.
//! - Work and memory are bounded by [`Limits`], also for heads that come byte by byte.
//!
//! # Where to look
//! `request.rs` and `response.rs` what is known of a head · `read.rs` HTTP/1 heads from bytes ·
//! `stream.rs` HTTP/2 heads · `decoder.rs` and `chunked.rs` bodies · `field.rs` which fields are what · `length.rs` how long a body is ·
//! `target.rs` and `authority.rs` where a request wants to go · `fault.rs` all that can be wrong.

mod authority;
mod chunked;
mod decoder;
mod fault;
mod field;
mod length;
mod limits;
mod read;
mod request;
mod response;
mod stream;
mod target;

pub use authority::Authority;
use chunked::Chunked;
pub use decoder::{Decoder, Step};
pub use fault::Fault;
pub use field::{strip_claims, trailers};
pub use length::Body;
pub(crate) use limits::FIELDS_MAX;
pub use limits::Limits;
pub use read::{Reader, read_request, read_response};
pub use request::Request;
pub use response::{Asked, Response};
pub use stream::{stream_request, stream_response};
pub use target::Target;
