//! An HTTP/1 connection or an HTTP/2 stream.

use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::Reason;
use http::HeaderMap;

use super::{Connection, Stream};
use crate::gate::{Asked, Fault, Response};

/// A piece of a body.
#[derive(Debug)]
pub enum Frame {
    /// Some bytes, never none.
    Data(Bytes),
    /// Its end, with trailers.
    End(HeaderMap),
}

/// Why a message cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// What came is malformed.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// The connection has ended.
    #[error("the connection has ended")]
    Gone(#[source] io::Error),
    /// The stream was reset by the peer.
    #[error("the stream was reset: {0}")]
    Reset(Reason),
    /// The stream or its connection has failed.
    #[error("the stream has failed")]
    Stream(#[source] h2::Error),
}

impl Broken {
    /// The peer has closed its connection.
    pub fn closed() -> Self {
        Broken::Gone(io::ErrorKind::UnexpectedEof.into())
    }

    /// The reason of a reset, when it was one.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Broken::Reset(reason) => Some(*reason),
            Broken::Stream(error) => error.reason(),
            Broken::Fault(_) | Broken::Gone(_) => None,
        }
    }
}

/// One message each way, on whatever carries it.
#[derive(Debug)]
pub enum Channel {
    /// A connection of HTTP/1.
    One(Box<Connection>),
    /// A stream of HTTP/2.
    Two(Box<Stream>),
}

impl Channel {
    /// See [`Connection::poll_response`].
    pub fn poll_response(&mut self, cx: &mut Context<'_>, asked: &Asked) -> Poll<Result<Response, Broken>> {
        match self {
            Channel::One(connection) => connection.poll_response(cx, asked),
            Channel::Two(stream) => stream.poll_response(cx, asked),
        }
    }

    /// The next piece of the body being read.
    pub fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Broken>> {
        match self {
            Channel::One(connection) => connection.poll_body(cx),
            Channel::Two(stream) => stream.poll_body(cx),
        }
    }

    /// Ready when the peer has gone while it had nothing to say.
    pub fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Broken> {
        match self {
            Channel::One(connection) => connection.poll_gone(cx),
            Channel::Two(stream) => stream.poll_gone(cx),
        }
    }

    /// Ready when there is room for another piece.
    pub fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        match self {
            Channel::One(connection) => connection.poll_room(cx),
            Channel::Two(stream) => stream.poll_room(cx),
        }
    }

    /// Ready when all that was put has left.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        match self {
            Channel::One(connection) => connection.poll_flush(cx),
            Channel::Two(stream) => stream.poll_room(cx),
        }
    }

    /// Puts a piece of the body being written, after [`Channel::poll_room`].
    pub fn put_data(&mut self, data: Bytes) {
        match self {
            Channel::One(connection) => connection.put_data(&data),
            Channel::Two(stream) => stream.put_data(data),
        }
    }

    /// Puts the end of the body being written.
    ///
    /// # Errors
    /// When the body is shorter than was said.
    pub fn put_end(&mut self, trailers: HeaderMap) -> Result<(), Broken> {
        match self {
            Channel::One(connection) => connection.put_end(&trailers),
            Channel::Two(stream) => {
                stream.put_end(trailers);
                Ok(())
            }
        }
    }

    /// Whether the body being read is at its end.
    pub fn has_read_all(&self) -> bool {
        match self {
            Channel::One(connection) => connection.has_read_all(),
            Channel::Two(stream) => stream.has_read_all(),
        }
    }

    /// Whether anything of the message being read has come.
    pub fn has_heard(&self) -> bool {
        match self {
            Channel::One(connection) => connection.has_heard(),
            Channel::Two(stream) => stream.counted().0 > 0,
        }
    }

    /// Bytes that have come and gone with this message.
    pub fn counted(&self) -> (u64, u64) {
        match self {
            Channel::One(connection) => connection.counted(),
            Channel::Two(stream) => stream.counted(),
        }
    }
}
