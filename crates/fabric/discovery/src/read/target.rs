//! Whom a check asks: what could never be reached is refused where it is given.

use std::sync::Arc;

use coreto_catalog::CheckKind;
use http::Uri;
use http::uri::Authority;

use super::fields::Fields;
use crate::answer::Fault;

/// The target of a check of this kind, as the field `name` has it.
pub(super) fn reachable(
    fields: &Fields<'_>,
    name: &str,
    kind: CheckKind,
    target: Arc<str>,
) -> Result<Arc<str>, Fault> {
    let (can_be, wanted) = match kind {
        CheckKind::Http => (is_url(&target), "a URL with `http://` or `https://` and a host"),
        CheckKind::Grpc => (is_service(&target), "`HOST:PORT` or `HOST:PORT/SERVICE`"),
        CheckKind::Tcp
        | CheckKind::Ttl
        | CheckKind::Told
        | CheckKind::Stream
        | CheckKind::Maintenance
        | CheckKind::Node => (is_place(&target), "`HOST:PORT`"),
    };
    if can_be { Ok(target) } else { Err(fields.wrong(name, wanted)) }
}

/// A target as it is told: credentials are nobody's to see.
pub(crate) fn without_user(target: &str) -> String {
    let (scheme, rest) = target.split_once("://").unwrap_or(("", target));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) if !scheme.is_empty() => format!("{scheme}://{}", &rest[at + 1..]),
        _ => target.to_owned(),
    }
}

fn is_url(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        let is_port = uri.authority().is_some_and(|authority| has_port(authority) != Some(false));
        is_port && matches!(uri.scheme_str(), Some("http" | "https")) && uri.host() != Some("")
    })
}

fn is_service(text: &str) -> bool {
    is_place(text.split_once('/').map_or(text, |(place, _)| place))
}

fn is_place(text: &str) -> bool {
    let place = text.parse::<Authority>();
    place.is_ok_and(|place| {
        has_port(&place) == Some(true) && !place.host().is_empty() && !place.as_str().contains('@')
    })
}

/// Whether the port behind the host is one; nothing, when none is there.
fn has_port(authority: &Authority) -> Option<bool> {
    let behind = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, behind)| behind);
    let port = behind.strip_prefix(authority.host())?.strip_prefix(':')?;
    Some(port.parse::<u16>().is_ok_and(|port| port > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_left_out() {
        for (target, told) in [
            ("http://user:secret@a:80/x@y", "http://a:80/x@y"),
            ("http://a/?user=b@c", "http://a/?user=b@c"),
            ("a:80", "a:80"),
        ] {
            assert_eq!(without_user(target), told);
        }
    }

    #[test]
    fn targets_that_nobody_could_reach_are_told_apart() {
        for (url, can_be) in [
            ("http://a", true),
            ("https://a.example:8443/health?x=y", true),
            ("http://[::1]:80/", true),
            ("http://user:secret@a/", true),
            ("file:///etc/passwd", false),
            ("http:///x", false),
            ("http://a:99999/", false),
            ("http://a:0", false),
            ("a:80", false),
            ("/health", false),
            ("not a url", false),
        ] {
            assert_eq!(is_url(url), can_be, "{url}");
        }
        for (place, can_be) in [
            ("a:80", true),
            ("[::1]:80", true),
            ("127.0.0.1:1", true),
            ("nohost", false),
            (":80", false),
            ("a:99999", false),
            ("a:0", false),
            ("a:", false),
            ("a:80/x", false),
            ("http://a:80", false),
            ("u@a:80", false),
        ] {
            assert_eq!(is_place(place), can_be, "{place}");
        }
        assert!(is_service("a:80/some.Service") && is_service("[::1]:80") && !is_service("foo"));
    }
}
