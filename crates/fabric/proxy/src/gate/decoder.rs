//! Bodies of HTTP/1, from bytes.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use super::{Body, Chunked, Fault, Limits};

/// What of a body was found next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// More bytes are needed.
    More,
    /// Bytes of the body, never none.
    Data(Bytes),
    /// The end, with the trailers that may pass.
    End(HeaderMap),
}

/// Reads a body of HTTP/1 that comes little by little. What follows it stays in the buffer.
#[derive(Debug)]
pub struct Decoder(State);

#[derive(Debug)]
enum State {
    Sized(u64),
    Chunked(Chunked),
    UntilClose,
}

impl Decoder {
    /// For a body that comes as the head says. [`Body::Framed`] is none of HTTP/1 and counts as empty.
    pub fn new(body: Body) -> Self {
        Self(match body {
            Body::Empty | Body::Framed => State::Sized(0),
            Body::Known(length) => State::Sized(length),
            Body::Chunked => State::Chunked(Chunked::default()),
            Body::UntilClose => State::UntilClose,
        })
    }

    /// Takes the next piece off `buffer`. `closed`: whether nothing more will come after it.
    ///
    /// # Errors
    /// When chunks are malformed, or the connection ended inside the body.
    pub fn read(&mut self, buffer: &mut BytesMut, closed: bool, limits: &Limits) -> Result<Step, Fault> {
        let step = match &mut self.0 {
            State::Sized(0) => Step::End(HeaderMap::new()),
            State::Sized(left) if !buffer.is_empty() => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                *left -= take as u64;
                Step::Data(buffer.split_to(take).freeze())
            }
            State::UntilClose if !buffer.is_empty() => Step::Data(buffer.split().freeze()),
            State::UntilClose if closed => {
                self.0 = State::Sized(0);
                Step::End(HeaderMap::new())
            }
            State::Sized(_) | State::UntilClose => Step::More,
            State::Chunked(chunked) => chunked.read(buffer, limits)?,
        };
        if closed && step == Step::More { Err(Fault::BodyShort) } else { Ok(step) }
    }

    /// Whether all of the body was read.
    pub fn is_ended(&self) -> bool {
        match &self.0 {
            State::Sized(left) => *left == 0,
            State::Chunked(chunked) => chunked.is_ended(),
            State::UntilClose => false,
        }
    }
}
