//! gRPC for browsers: what a page can send and read over any version of HTTP, put into gRPC and back.
//!
//! Messages stay as they are. A call in text is base64; the trailers of an answer are the last frame of its body,
//! with the highest bit of its first byte set.

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, header::ACCESS_CONTROL_ALLOW_ORIGIN, header::ACCESS_CONTROL_EXPOSE_HEADERS};

use crate::base64;
use crate::gate::{Body, Request, Response};

/// How a page writes its call and reads its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GrpcWeb {
    /// Whether what it sends is base64.
    pub(crate) writes_text: bool,
    /// Whether what it gets is to be base64.
    reads_text: bool,
}

const GRPC: &str = "application/grpc";
const BINARY: &str = "application/grpc-web";
const TEXT: &str = "application/grpc-web-text";

/// What a page has to be allowed to read when an answer has no body.
const EXPOSED: HeaderValue = HeaderValue::from_static("grpc-status, grpc-message, grpc-status-details-bin");

impl GrpcWeb {
    /// Of a request that is a call of gRPC-Web.
    pub(crate) fn of(method: &Method, fields: &HeaderMap) -> Option<Self> {
        let kind = fields.get(header::CONTENT_TYPE).filter(|_| *method == Method::POST)?;
        let writes_text = is_text(kind)?;
        // Who takes either, or says nothing, gets what it sends.
        let reads_text = fields.get(header::ACCEPT).and_then(is_text).unwrap_or(writes_text);
        Some(Self { writes_text, reads_text })
    }

    /// Makes a call of gRPC of the head of one of gRPC-Web.
    pub(crate) fn translate(self, request: &mut Request) {
        let (from, fields) = (if self.writes_text { TEXT } else { BINARY }, &mut request.fields);
        fields.remove(header::ACCEPT);
        rename(fields, from, GRPC);
        request.trailers = true;
        if self.writes_text && !request.body.is_empty() {
            request.body = Body::Framed;
        }
    }

    /// Makes an answer of gRPC-Web of the head of one of gRPC, and gives what does so with its body. An answer of
    /// another kind stays as it is: what it means is told by its status.
    pub(crate) fn answer(self, response: &mut Response) -> Option<Bridge> {
        let kind = response.fields.get(header::CONTENT_TYPE)?;
        rest_of(kind, GRPC)?;
        rename(&mut response.fields, GRPC, if self.reads_text { TEXT } else { BINARY });
        response.length = None;
        if !response.body.is_empty() {
            response.body = Body::Framed;
        }
        Some(Bridge { text: self.reads_text, left: Bytes::new() })
    }

    /// The media type of an answer of our own.
    pub(crate) fn media_type(self) -> HeaderValue {
        HeaderValue::from_static(if self.reads_text {
            "application/grpc-web-text+proto"
        } else {
            "application/grpc-web+proto"
        })
    }
}

/// Lets a page whose origin is allowed read how its call has ended.
pub(crate) fn expose(fields: &mut HeaderMap) {
    if fields.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        fields.append(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

/// Whether a media type is that of gRPC, of whatever messages.
pub(crate) fn is_grpc(kind: &HeaderValue) -> bool {
    rest_of(kind, GRPC).is_some()
}

/// Whether a media type is gRPC-Web's as text; none when it is neither.
fn is_text(kind: &HeaderValue) -> Option<bool> {
    match (rest_of(kind, TEXT), rest_of(kind, BINARY)) {
        (Some(_), _) => Some(true),
        (None, Some(_)) => Some(false),
        (None, None) => None,
    }
}

/// What a media type says behind a name: nothing, the kind of messages, parameters.
fn rest_of<'k>(kind: &'k HeaderValue, name: &str) -> Option<&'k [u8]> {
    let (start, rest) = kind.as_bytes().split_at_checked(name.len())?;
    let whole = matches!(rest, [] | [b'+' | b';' | b' ' | b'\t', ..]);
    (whole && start.eq_ignore_ascii_case(name.as_bytes())).then_some(rest)
}

fn rename(fields: &mut HeaderMap, from: &str, to: &str) {
    let Some(kind) = fields.get_mut(header::CONTENT_TYPE) else { return };
    if let Some(renamed) =
        rest_of(kind, from).and_then(|rest| HeaderValue::from_bytes(&[to.as_bytes(), rest].concat()).ok())
    {
        *kind = renamed;
    }
}

/// Writes the body of an answer as a page reads it.
#[derive(Debug)]
pub(crate) struct Bridge {
    text: bool,
    /// Bytes that are no whole group yet: at most two.
    left: Bytes,
}

/// The first byte of the frame with trailers, which are not compressed.
const TRAILERS: u8 = 0x80;

impl Bridge {
    /// A piece of the body.
    pub(crate) fn write(&mut self, data: Bytes) -> Bytes {
        if !self.text {
            return data;
        }
        let mut data =
            if self.left.is_empty() { data } else { Bytes::from([&self.left[..], &data[..]].concat()) };
        self.left = data.split_off(data.len() / 3 * 3);
        base64::encode(&data).into()
    }

    /// What is kept of the pieces so far, padded.
    pub(crate) fn flush(&mut self) -> Bytes {
        base64::encode(&std::mem::take(&mut self.left)).into()
    }

    /// The last piece, with the trailers if there are any.
    pub(crate) fn finish(mut self, trailers: &HeaderMap) -> Bytes {
        let mut frame = BytesMut::from(&self.left[..]);
        self.left = Bytes::new();
        if !trailers.is_empty() {
            put_trailers(&mut frame, trailers);
        }
        if self.text { base64::encode(&frame).into() } else { frame.freeze() }
    }
}

fn put_trailers(to: &mut BytesMut, trailers: &HeaderMap) {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat()
    };
    let block: Vec<u8> = trailers.iter().flat_map(line).collect();
    to.put_u8(TRAILERS);
    to.put_u32(u32::try_from(block.len()).expect("the gate bounds trailers"));
    to.put_slice(&block);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(kind: &'static str, accept: Option<&'static str>) -> HeaderMap {
        let mut fields = HeaderMap::new();
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(accept) = accept {
            fields.insert(header::ACCEPT, HeaderValue::from_static(accept));
        }
        fields
    }

    #[test]
    fn knows_who_speaks_it() {
        for (kind, accept, found) in [
            ("application/grpc-web", None, Some((false, false))),
            ("application/grpc-web+proto", Some("*/*"), Some((false, false))),
            ("Application/gRPC-Web+json; charset=utf-8", None, Some((false, false))),
            ("application/grpc-web-text", None, Some((true, true))),
            ("application/grpc-web-text+proto", Some("application/grpc-web-text"), Some((true, true))),
            ("application/grpc-web-text", Some("application/grpc-web+proto"), Some((true, false))),
            ("application/grpc-web", Some("application/grpc-web-text"), Some((false, true))),
            ("application/grpc", None, None),
            ("application/grpc-webs", None, None),
            ("application/grpc-web-texts", None, None),
            ("text/plain", Some("application/grpc-web"), None),
        ] {
            let found = found.map(|(writes_text, reads_text)| GrpcWeb { writes_text, reads_text });
            assert_eq!(GrpcWeb::of(&Method::POST, &fields(kind, accept)), found, "{kind} {accept:?}");
            assert_eq!(GrpcWeb::of(&Method::OPTIONS, &fields(kind, accept)), None);
        }
    }

    #[test]
    fn keeps_groups_whole_until_it_is_asked_for_all() {
        let mut bridge = Bridge { text: true, left: Bytes::new() };
        assert_eq!(bridge.write(Bytes::from_static(b"fo")), "");
        assert_eq!(bridge.write(Bytes::from_static(b"ob")), "Zm9v");
        assert_eq!((bridge.flush(), bridge.flush()), ("Yg==".into(), "".into()));
        assert_eq!(bridge.write(Bytes::from_static(b"f")), "");
        assert_eq!(bridge.finish(&HeaderMap::new()), "Zg==");
    }

    #[test]
    fn puts_trailers_into_the_last_frame() {
        let trailers = HeaderMap::from_iter([
            (HeaderName::from_static("grpc-status"), HeaderValue::from_static("0")),
            (HeaderName::from_static("x"), HeaderValue::from_static("y")),
        ]);
        let bridge = Bridge { text: false, left: Bytes::new() };
        assert_eq!(bridge.finish(&trailers), &b"\x80\0\0\0\x16grpc-status: 0\r\nx: y\r\n"[..]);
    }
}
