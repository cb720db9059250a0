//! Heads and chunks of HTTP/1, as bytes. Everything is written anew from its parts.

use bytes::{BufMut, BytesMut};
use http::{HeaderMap, StatusCode};

use crate::gate::{Body, Request};

/// How the body behind a head is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoder {
    /// There is none, or it is at its end.
    Ended,
    /// So many bytes are still to come.
    Sized(u64),
    Chunked,
    /// Bytes as they are, until the connection ends.
    Raw,
}

impl Encoder {
    pub(super) fn of(body: Body) -> Self {
        match body {
            Body::Empty => Encoder::Ended,
            Body::Known(length) => Encoder::Sized(length),
            Body::Chunked | Body::UntilClose | Body::Framed => Encoder::Chunked,
        }
    }
}

/// Writes a request's head. Fields of the connection are made here and nowhere else.
pub(super) fn request(out: &mut BytesMut, request: &Request) {
    let target = request.target.bytes();
    out.reserve(target.len() + request.fields.len() * 48 + 128);
    out.put_slice(request.method.as_str().as_bytes());
    out.put_u8(b' ');
    out.put_slice(target);
    out.put_slice(b" HTTP/1.1\r\nhost: ");
    out.put_slice(request.authority.bytes());
    out.put_slice(b"\r\n");
    fields(out, &request.fields);
    if request.expects {
        out.put_slice(b"expect: 100-continue\r\n");
    }
    if let Some(upgrade) = &request.upgrade {
        out.put_slice(b"connection: upgrade\r\nupgrade: ");
        out.put_slice(upgrade.as_bytes());
        out.put_slice(b"\r\n");
    }
    match request.body {
        // Some servers want a length with these methods also where there is no body (RFC 9110 §8.6).
        Body::Empty
            if matches!(request.method, http::Method::POST | http::Method::PUT | http::Method::PATCH) =>
        {
            out.put_slice(b"content-length: 0\r\n");
        }
        body => framing(out, Encoder::of(body)),
    }
    out.put_slice(b"\r\n");
}

/// Writes a response's head with `encoder` for its body, and whatever `connection` lines it needs.
pub(super) fn response(
    out: &mut BytesMut,
    status: StatusCode,
    of: &HeaderMap,
    close: bool,
    encoder: Encoder,
) {
    out.reserve(of.len() * 48 + 128);
    start(out, status);
    fields(out, of);
    if close {
        out.put_slice(b"connection: close\r\n");
    }
    framing(out, encoder);
    out.put_slice(b"\r\n");
}

/// Writes the head of a response that is none yet, or that ends HTTP on this connection.
pub(super) fn interim(out: &mut BytesMut, status: StatusCode, of: &HeaderMap, upgrade: Option<&[u8]>) {
    start(out, status);
    fields(out, of);
    if let Some(upgrade) = upgrade {
        out.put_slice(b"connection: upgrade\r\nupgrade: ");
        out.put_slice(upgrade);
        out.put_slice(b"\r\n");
    }
    out.put_slice(b"\r\n");
}

/// Writes a piece of a chunked body.
pub(super) fn chunk(out: &mut BytesMut, data: &[u8]) {
    hexadecimal(out, data.len());
    out.put_slice(b"\r\n");
    out.put_slice(data);
    out.put_slice(b"\r\n");
}

/// Writes the end of a chunked body.
pub(super) fn last_chunk(out: &mut BytesMut, trailers: &HeaderMap) {
    out.put_slice(b"0\r\n");
    fields(out, trailers);
    out.put_slice(b"\r\n");
}

fn start(out: &mut BytesMut, status: StatusCode) {
    out.put_slice(b"HTTP/1.1 ");
    out.put_slice(status.as_str().as_bytes());
    out.put_u8(b' ');
    out.put_slice(status.canonical_reason().unwrap_or("-").as_bytes());
    out.put_slice(b"\r\n");
}

fn fields(out: &mut BytesMut, fields: &HeaderMap) {
    for (name, value) in fields {
        out.put_slice(name.as_str().as_bytes());
        out.put_slice(b": ");
        out.put_slice(value.as_bytes());
        out.put_slice(b"\r\n");
    }
}

fn framing(out: &mut BytesMut, encoder: Encoder) {
    match encoder {
        Encoder::Ended | Encoder::Raw => {}
        Encoder::Sized(length) => {
            out.put_slice(b"content-length: ");
            decimal(out, length);
            out.put_slice(b"\r\n");
        }
        Encoder::Chunked => out.put_slice(b"transfer-encoding: chunked\r\n"),
    }
}

pub(super) fn decimal(out: &mut BytesMut, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    // Bound: 20 digits hold any 64 bits.
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.put_slice(&digits[at..]);
}

fn hexadecimal(out: &mut BytesMut, number: usize) {
    let digits = (usize::BITS - number.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        out.put_u8(b"0123456789abcdef"[(number >> (digit * 4)) & 0xf]);
    }
}
