//! HTTP/1 heads, from bytes.

use std::mem::MaybeUninit;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Version};

use super::field::{Options, is_claim, is_of_connection};
use super::length::Said;
use super::limits::{FIELDS_MAX, METHOD_BYTES_MAX};
use super::{Asked, Authority, Body, Fault, Limits, Request, Response, Target};

/// Finds the end of a head in bytes that come little by little, and looks at what has come so far often enough
/// to refuse garbage early, but not once per byte.
#[derive(Debug, Default)]
pub struct Reader {
    /// So many bytes have been searched.
    searched: usize,
    /// From so many bytes on, an unfinished head is looked at again.
    look_at: usize,
}

impl Reader {
    /// Takes a whole request's head off `buffer`, once it is there.
    ///
    /// # Errors
    /// When what is there is no beginning of a request, or too large.
    pub fn request(&mut self, buffer: &mut BytesMut, limits: &Limits) -> Result<Option<Bytes>, Fault> {
        self.head(buffer, limits, |bytes| {
            let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
            let mut request = httparse::Request::new(&mut []);
            match request.parse_with_uninit_headers(bytes, &mut fields) {
                Ok(_) => Ok(()),
                Err(error) => Err(request_fault(error, bytes)),
            }
        })
    }

    /// Takes a whole response's head off `buffer`, once it is there.
    ///
    /// # Errors
    /// When what is there is no beginning of a response, or too large.
    pub fn response(&mut self, buffer: &mut BytesMut, limits: &Limits) -> Result<Option<Bytes>, Fault> {
        self.head(buffer, limits, |bytes| {
            let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
            let mut response = httparse::Response::new(&mut []);
            let parser = httparse::ParserConfig::default();
            match parser.parse_response_with_uninit_headers(&mut response, bytes, &mut fields) {
                Ok(_) => Ok(()),
                Err(error) => Err(response_fault(error)),
            }
        })
    }

    fn head(
        &mut self,
        buffer: &mut BytesMut,
        limits: &Limits,
        look: impl Fn(&[u8]) -> Result<(), Fault>,
    ) -> Result<Option<Bytes>, Fault> {
        // RFC 9112 §2.2: an empty line before a request is none of it.
        if self.searched == 0 {
            while buffer.starts_with(b"\r\n") || buffer.starts_with(b"\n") {
                buffer.advance(if buffer[0] == b'\n' { 1 } else { 2 });
            }
            if matches!(buffer[..], [] | [b'\r']) {
                return Ok(None);
            }
        }
        if let Some(end) = self.end(buffer) {
            *self = Self::default();
            let head = buffer.split_to(end);
            return if head.len() > limits.head_bytes_max {
                Err(too_large(&head))
            } else {
                Ok(Some(head.freeze()))
            };
        }
        if buffer.len() > limits.head_bytes_max {
            return Err(too_large(buffer));
        }
        if buffer.len() > self.look_at {
            look(buffer)?;
            self.look_at = buffer.len() * 2;
        }
        Ok(None)
    }

    /// Where the head ends, behind its empty line.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut from = self.searched;
        while let Some(at) = bytes[from..].iter().position(|byte| *byte == b'\n') {
            from += at + 1;
            match bytes[from..] {
                [b'\n', ..] => return Some(from + 1),
                [b'\r', b'\n', ..] => return Some(from + 2),
                // The line after this one is not here yet: it is looked at again.
                [] | [b'\r'] => {
                    self.searched = from - 1;
                    return None;
                }
                _ => {}
            }
        }
        self.searched = bytes.len();
        None
    }
}

fn too_large(bytes: &[u8]) -> Fault {
    if bytes.contains(&b'\n') { Fault::HeadLarge } else { Fault::TargetLong }
}

/// Reads a whole head of a request. `secure`: whether it came over TLS.
///
/// # Errors
/// The first fault that is found.
pub fn read_request(head: &Bytes, secure: bool, limits: &Limits) -> Result<Request, Fault> {
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(head, &mut fields) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Fault::RequestLine),
        Err(error) => return Err(request_fault(error, head)),
    }
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version) else {
        return Err(Fault::RequestLine);
    };
    let old = minor == 0;
    let method = read_method(method, limits)?;
    let (target, authority) = Target::read_line(&head.slice_ref(target.as_bytes()), secure, limits)?;
    if target.is_asterisk() && method != Method::OPTIONS {
        return Err(Fault::TargetForm);
    }
    let found = Fields::of_request(head, parsed.headers, limits)?;
    let body = found.said.of_request(old)?;
    let host = found.host.ok_or(Fault::HostMissing)?;
    let upgrade = found.upgrade.filter(|_| found.wants_upgrade && !old && body.is_empty());
    Ok(Request {
        method,
        authority: authority.unwrap_or(host),
        target,
        fields: found.fields,
        version: if old { Version::HTTP_10 } else { Version::HTTP_11 },
        body,
        keep_alive: if old { found.keep_alive } else { !found.close },
        expects: found.expects && !old && !body.is_empty(),
        trailers: found.trailers,
        upgrade,
        protocol: None,
        claims: found.claims,
        dropped: found.dropped,
    })
}

/// Reads a whole head of a response to what was `asked`.
///
/// # Errors
/// The first fault that is found.
pub fn read_response(head: &Bytes, asked: &Asked, limits: &Limits) -> Result<Response, Fault> {
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut parsed = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    match parser.parse_response_with_uninit_headers(&mut parsed, head, &mut fields) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Fault::StatusLine),
        Err(error) => return Err(response_fault(error)),
    }
    let (Some(status), Some(minor)) = (parsed.code, parsed.version) else {
        return Err(Fault::StatusLine);
    };
    let status = read_status(status)?;
    let old = minor == 0;
    let found = Fields::of_response(head, parsed.headers, limits)?;
    let framed = found.said.of_response(old)?;
    if status == StatusCode::SWITCHING_PROTOCOLS && !found.switches_to(asked) {
        return Err(Fault::SwitchUnasked);
    }
    let bare = asked.head
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let body = if bare { Body::Empty } else { framed };
    let keep_alive = if old { found.keep_alive && !found.close } else { !found.close };
    Ok(Response {
        status,
        fields: found.fields,
        body,
        length: found.said.known(),
        keep_alive: keep_alive && body != Body::UntilClose,
        kept_for: found.kept_for,
    })
}

pub(super) fn read_status(status: u16) -> Result<StatusCode, Fault> {
    if !(100..600).contains(&status) {
        return Err(Fault::Status);
    }
    StatusCode::from_u16(status).map_err(|_| Fault::Status)
}

/// A listed method. CONNECT is none: this is no way to places of the client's choice.
pub(super) fn read_method(method: &str, limits: &Limits) -> Result<Method, Fault> {
    if method.len() > METHOD_BYTES_MAX {
        return Err(Fault::Method);
    }
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| Fault::Method)?;
    if limits.lists(&method) { Ok(method) } else { Err(Fault::MethodNotListed) }
}

/// What the fields of a head say.
#[derive(Default)]
#[expect(clippy::struct_field_names, reason = "what it is in HTTP's own word")]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a head says or does not say")]
struct Fields {
    fields: HeaderMap,
    said: Said,
    host: Option<Authority>,
    close: bool,
    keep_alive: bool,
    kept_for: Option<Duration>,
    wants_upgrade: bool,
    upgrade: Option<HeaderValue>,
    expects: bool,
    trailers: bool,
    claims: bool,
    dropped: usize,
}

impl Fields {
    fn of_request(head: &Bytes, parsed: &[httparse::Header<'_>], limits: &Limits) -> Result<Self, Fault> {
        let (mut found, options) = Self::with_options(parsed, limits)?;
        for field in parsed {
            let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Fault::Field)?;
            match name {
                header::HOST if found.host.is_some() => return Err(Fault::HostRepeated),
                header::HOST => found.host = Some(Authority::read(head.slice_ref(field.value))?),
                header::EXPECT if field.value.eq_ignore_ascii_case(b"100-continue") => found.expects = true,
                header::EXPECT => return Err(Fault::Expectation),
                header::TE => found.trailers |= names_trailers(field.value),
                _ if !limits.underscores && field.name.contains('_') => found.dropped += 1,
                _ => {
                    found.claims |= is_claim(field.name.as_bytes());
                    found.take(name, head.slice_ref(field.value), &options)?;
                }
            }
        }
        Ok(found)
    }

    fn of_response(head: &Bytes, parsed: &[httparse::Header<'_>], limits: &Limits) -> Result<Self, Fault> {
        let (mut found, options) = Self::with_options(parsed, limits)?;
        for field in parsed {
            let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Fault::Field)?;
            if name.as_str() == "keep-alive" {
                found.kept_for = kept_for(field.value);
            }
            found.take(name, head.slice_ref(field.value), &options)?;
        }
        Ok(found)
    }

    fn with_options<'a>(
        parsed: &[httparse::Header<'a>],
        limits: &Limits,
    ) -> Result<(Self, Options<'a>), Fault> {
        if parsed.len() > limits.fields_max {
            return Err(Fault::FieldsMany);
        }
        let options = options(parsed)?;
        let found = Self {
            fields: HeaderMap::with_capacity(parsed.len()),
            close: options.close,
            keep_alive: options.keep_alive,
            wants_upgrade: options.upgrade,
            ..Self::default()
        };
        Ok((found, options))
    }

    fn take(&mut self, name: HeaderName, value: Bytes, options: &Options<'_>) -> Result<(), Fault> {
        match name {
            header::CONTENT_LENGTH => self.said.length(&value)?,
            header::TRANSFER_ENCODING => self.said.coding(&value),
            header::UPGRADE => self.upgrade = one_token(value, self.upgrade.is_some())?,
            _ if is_of_connection(&name) || options.name(name.as_str().as_bytes()) => {}
            _ => {
                self.fields.append(name, HeaderValue::from_maybe_shared(value).map_err(|_| Fault::Field)?);
            }
        }
        Ok(())
    }

    fn switches_to(&self, asked: &Asked) -> bool {
        let (Some(given), Some(asked)) = (&self.upgrade, &asked.upgrade) else { return false };
        self.wants_upgrade && given.as_bytes().eq_ignore_ascii_case(asked.as_bytes())
    }
}

fn options<'a>(parsed: &[httparse::Header<'a>]) -> Result<Options<'a>, Fault> {
    let mut options = Options::default();
    for field in parsed {
        if field.name.len() == 10 && field.name.eq_ignore_ascii_case("connection") {
            options.take(field.value)?;
        }
    }
    Ok(options)
}

/// The one protocol of an `Upgrade`, or none where several are offered: which one would be switched to cannot
/// be known beforehand.
fn one_token(value: Bytes, repeated: bool) -> Result<Option<HeaderValue>, Fault> {
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._/+".contains(byte);
    if repeated || value.is_empty() || !value.iter().all(token) || value.eq_ignore_ascii_case(b"h2c") {
        return Ok(None);
    }
    HeaderValue::from_maybe_shared(value).map(Some).map_err(|_| Fault::Field)
}

/// How long a server keeps a connection, by the one parameter of `Keep-Alive` that has a use: `timeout=5, max=100`.
fn kept_for(value: &[u8]) -> Option<Duration> {
    let mut parts = std::str::from_utf8(value).ok()?.split(',').filter_map(|part| part.split_once('='));
    let (_, seconds) = parts.find(|(name, _)| name.trim().eq_ignore_ascii_case("timeout"))?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

fn names_trailers(value: &[u8]) -> bool {
    value.split(|byte| *byte == b',').any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

fn request_fault(error: httparse::Error, bytes: &[u8]) -> Fault {
    match error {
        httparse::Error::Version => version_fault(bytes),
        httparse::Error::HeaderName | httparse::Error::HeaderValue => Fault::Field,
        httparse::Error::TooManyHeaders => Fault::FieldsMany,
        httparse::Error::NewLine | httparse::Error::Status | httparse::Error::Token => Fault::RequestLine,
    }
}

/// A version that could be one of HTTP but is later than ours is told apart from garbage.
fn version_fault(bytes: &[u8]) -> Fault {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    match line.rsplit(|byte| *byte == b' ').next() {
        Some([b'H', b'T', b'T', b'P', b'/', b'2'..=b'9', b'.', b'0'..=b'9']) => Fault::Version,
        _ => Fault::RequestLine,
    }
}

fn response_fault(error: httparse::Error) -> Fault {
    match error {
        httparse::Error::HeaderName | httparse::Error::HeaderValue => Fault::Field,
        httparse::Error::TooManyHeaders => Fault::FieldsMany,
        httparse::Error::NewLine
        | httparse::Error::Status
        | httparse::Error::Token
        | httparse::Error::Version => Fault::StatusLine,
    }
}
