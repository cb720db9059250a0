//! Whether a response is compressed, and how.

use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, SET_COOKIE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::model::{Coding, Compression};

/// The coding that a response gets; none when it stays as it is. `asked` is the head of the request, `length` that of
/// the response's body, when it is known.
pub fn offer(
    compression: &Compression,
    method: &Method,
    asked: &HeaderMap,
    status: StatusCode,
    response: &HeaderMap,
    length: Option<u64>,
) -> Option<Coding> {
    if *method == Method::HEAD || !is_compressible(compression, status, response, length) {
        return None;
    }
    // A cookie beside text that a page can choose lets the page guess the cookie by the length.
    if response.contains_key(SET_COOKIE) || response.contains_key(CONTENT_ENCODING) {
        return None;
    }
    let accepted = Accepted::read(asked);
    compression.codings.iter().copied().find(|coding| accepted.takes(coding.name()))
}

/// Makes a head fit its body: the coding is named, or that there could be one. To be called for every response that
/// could be compressed for another client, or caches would mix them up.
pub fn note_encoding(
    compression: &Compression,
    status: StatusCode,
    coding: Option<Coding>,
    headers: &mut HeaderMap,
    length: Option<u64>,
) {
    if !is_compressible(compression, status, headers, length) {
        return;
    }
    let vary = |value: &HeaderValue| names(value, "accept-encoding") || names(value, "*");
    if !headers.get_all(VARY).iter().any(vary) {
        headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    let Some(coding) = coding else { return };
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    // They are of the bytes as they were.
    for name in ["accept-ranges", "content-md5", "digest", "content-digest", "repr-digest"] {
        headers.remove(name);
    }
    let strong = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""));
    let weak = strong.and_then(|tag| HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()).ok());
    if let Some(weak) = weak {
        headers.insert(ETAG, weak);
    }
}

/// Whether the response is of a kind that is compressed for those who accept it.
fn is_compressible(
    compression: &Compression,
    status: StatusCode,
    headers: &HeaderMap,
    length: Option<u64>,
) -> bool {
    let bodiless =
        [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
    // A part of a body is a part of the coding that the whole has.
    let partial = status == StatusCode::PARTIAL_CONTENT || headers.contains_key(CONTENT_RANGE);
    let kept = headers.get_all(CACHE_CONTROL).iter().any(|value| names(value, "no-transform"));
    let long = length.is_none_or(|length| length >= compression.bytes_min);
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let listed = compression.types.iter().any(|listed| listed.eq_ignore_ascii_case(kind));
    !bodiless && !status.is_informational() && !partial && !kept && long && listed
}

/// Whether a list names a word.
fn names(list: &HeaderValue, word: &str) -> bool {
    list.to_str().is_ok_and(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(word)))
}

/// What an `Accept-Encoding` says.
struct Accepted<'h> {
    /// Codings with whether they are taken.
    named: Vec<(&'h str, bool)>,
}

impl<'h> Accepted<'h> {
    fn read(headers: &'h HeaderMap) -> Self {
        let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let items = values.flat_map(|value| value.split(','));
        let named = items.map(|item| {
            let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
            let quality = parameters.split(';').find_map(|parameter| {
                let (name, value) = parameter.split_once('=')?;
                name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
            });
            (
                coding.trim(),
                quality.is_none_or(|quality| quality.parse::<f32>().is_ok_and(|quality| quality > 0.0)),
            )
        });
        Self { named: named.collect() }
    }

    /// A coding that is named counts more than `*`.
    fn takes(&self, coding: &str) -> bool {
        let said = |name: &str| {
            self.named.iter().find(|(named, _)| named.eq_ignore_ascii_case(name)).map(|(_, taken)| *taken)
        };
        said(coding).or_else(|| said("*")).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn takes_the_first_coding_that_is_accepted() {
        let response = headers(&[("content-type", "text/html; charset=utf-8")]);
        for (accepted, coding) in [
            ("gzip", Some(Coding::Gzip)),
            ("gzip, br", Some(Coding::Brotli)),
            ("GZIP;q=0.1, br;q=0", Some(Coding::Gzip)),
            ("*", Some(Coding::Zstd)),
            ("*;q=0, gzip", Some(Coding::Gzip)),
            ("*, zstd;q=0", Some(Coding::Brotli)),
            ("identity", None),
            ("gzip;q=0", None),
            ("gzip;q=x", None),
            ("", None),
        ] {
            let asked = headers(&[("accept-encoding", accepted)]);
            let found = offer(&Compression::default(), &Method::GET, &asked, StatusCode::OK, &response, None);
            assert_eq!(found, coding, "{accepted}");
        }
        let nothing = HeaderMap::new();
        assert_eq!(
            offer(&Compression::default(), &Method::GET, &nothing, StatusCode::OK, &response, None),
            None
        );
    }

    #[test]
    fn leaves_alone_what_must_stay_as_it_is() {
        let asked = headers(&[("accept-encoding", "gzip")]);
        let html = ("content-type", "text/html");
        for (method, status, response, compressed) in [
            (Method::GET, 200, &[html][..], true),
            (Method::GET, 404, &[html], true),
            (Method::HEAD, 200, &[html], false),
            (Method::GET, 204, &[html], false),
            (Method::GET, 206, &[html], false),
            (Method::GET, 304, &[html], false),
            (Method::GET, 200, &[("content-type", "image/png")], false),
            (Method::GET, 200, &[("content-type", "text/event-stream")], false),
            (Method::GET, 200, &[("content-type", "application/grpc")], false),
            (Method::GET, 200, &[], false),
            (Method::GET, 200, &[html, ("content-length", "1023")], false),
            (Method::GET, 200, &[html, ("content-length", "1024")], true),
            (Method::GET, 200, &[html, ("content-encoding", "br")], false),
            (Method::GET, 200, &[html, ("cache-control", "public, no-transform")], false),
            (Method::GET, 200, &[html, ("set-cookie", "a=b")], false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let told = response.iter().find(|(name, _)| *name == "content-length");
            let length = told.map(|(_, length)| length.parse().unwrap());
            let found = offer(&Compression::default(), &method, &asked, status, &headers(response), length);
            assert_eq!(found.is_some(), compressed, "{method} {status} {response:?}");
        }
    }

    #[test]
    fn says_what_the_body_is_and_that_it_could_be_another() {
        let compression = Compression::default();
        let digest = ("content-digest", "sha-256=:AAAA:");
        let mut plain =
            headers(&[("content-type", "text/css"), ("etag", "\"a\""), digest, ("accept-ranges", "bytes")]);
        let mut coded = plain.clone();
        note_encoding(&compression, StatusCode::OK, None, &mut plain, Some(5_000));
        assert_eq!(plain["vary"], "Accept-Encoding");
        assert_eq!(plain["etag"], "\"a\"");
        note_encoding(&compression, StatusCode::OK, Some(Coding::Gzip), &mut coded, Some(5_000));
        for (name, value) in [("content-encoding", "gzip"), ("etag", "W/\"a\""), ("vary", "Accept-Encoding")]
        {
            assert_eq!(coded[name], value);
        }
        for of_plain in ["content-digest", "accept-ranges"] {
            assert!(plain.contains_key(of_plain) && !coded.contains_key(of_plain), "{of_plain}");
        }
        let mut told = headers(&[("content-type", "text/css"), ("vary", "Origin, accept-encoding")]);
        note_encoding(&compression, StatusCode::OK, None, &mut told, None);
        assert_eq!(told.get_all("vary").iter().count(), 1);
    }
}
