//! Which fields are for one connection only, which may not be taken away, and which say who is asking.

use http::HeaderMap;
use http::header::{self, HeaderName};

use super::Fault;

/// Whether a field is for one connection only, and never passes (RFC 9110 §7.6.1).
pub(super) fn is_of_connection(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::CONNECTION
            | header::TE
            | header::TRANSFER_ENCODING
            | header::UPGRADE
            | header::PROXY_AUTHENTICATE
            | header::PROXY_AUTHORIZATION
            | header::TRAILER
    ) || matches!(name.as_str(), "keep-alive" | "proxy-connection" | "http2-settings")
}

/// What `Connection` says.
#[derive(Default)]
pub(super) struct Options<'a> {
    pub(super) close: bool,
    pub(super) keep_alive: bool,
    pub(super) upgrade: bool,
    /// Other names, as they came: fields of this connection.
    named: Vec<&'a [u8]>,
}

/// No sender names more: each field is compared with each of them.
const OPTIONS_MAX: usize = 32;

impl<'a> Options<'a> {
    /// Takes one value of `Connection`. Names of fields that others rely on are ignored: a sender could
    /// otherwise take away what says who it is.
    pub(super) fn take(&mut self, value: &'a [u8]) -> Result<(), Fault> {
        for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if option.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if option.eq_ignore_ascii_case(b"upgrade") {
                self.upgrade = true;
            } else if !option.is_empty() && !is_relied_on(option) {
                if self.named.len() == OPTIONS_MAX {
                    return Err(Fault::OptionsMany);
                }
                self.named.push(option);
            }
        }
        Ok(())
    }

    /// Whether the field of this name is of the connection.
    pub(super) fn name(&self, name: &[u8]) -> bool {
        self.named.iter().any(|option| option.eq_ignore_ascii_case(name))
    }
}

/// Fields that `Connection` cannot take away.
fn is_relied_on(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 11] = [
        b"host",
        b"content-length",
        b"content-type",
        b"transfer-encoding",
        b"authorization",
        b"cookie",
        b"set-cookie",
        b"via",
        b"traceparent",
        b"tracestate",
        b"x-request-id",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) || is_claim(name)
}

/// Whether a field claims who is asking or on what way the request came: true only from those we trust.
/// `_` counts as `-`, since programs behind us may read it so.
pub(super) fn is_claim(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'x' | b'X' | b'f' | b'F' | b'c' | b'C'))
        && (is_of_way(name) || is_of_identity(name))
}

/// Whether a field claims on what way the request came.
fn is_of_way(name: &[u8]) -> bool {
    is_one_of(&[b"forwarded", b"x-real-ip"], &[b"x-forwarded-"], name) && !is_of_identity(name)
}

/// Whether a field claims who is asking, or what only a gateway says to another.
fn is_of_identity(name: &[u8]) -> bool {
    const NAMES: &[&[u8]] =
        &[b"client-cert", b"client-cert-chain", b"coreto-attempt", b"x-forwarded-client-cert", b"x-tenant"];
    // What a program of a page says of itself is of no user.
    is_one_of(NAMES, &[b"x-user-", b"x-tenant-"], name) && !is_one_of(&[b"x-user-agent"], &[], name)
}

fn is_one_of(names: &[&[u8]], beginnings: &[&[u8]], name: &[u8]) -> bool {
    let same = |known: &[u8]| {
        known.iter().zip(name).all(|(known, found)| {
            let found = if *found == b'_' { b'-' } else { found.to_ascii_lowercase() };
            *known == found
        })
    };
    names.iter().any(|known| known.len() == name.len() && same(known))
        || beginnings.iter().any(|known| known.len() <= name.len() && same(known))
}

/// Removes the fields by which a sender claims who is asking, and those of the way that the request came unless these
/// are believed.
pub fn strip_claims(fields: &mut HeaderMap, way_believed: bool) {
    let is_false = |name: &&HeaderName| {
        let name = name.as_str().as_bytes();
        is_of_identity(name) || (!way_believed && is_of_way(name))
    };
    let claims: Vec<HeaderName> = fields.keys().filter(is_false).cloned().collect();
    for name in claims {
        fields.remove(name);
    }
}

/// The trailers that may pass: none that frame, route, authenticate or describe the content (RFC 9110 §6.5.1).
pub fn trailers(fields: HeaderMap) -> HeaderMap {
    if fields.keys().all(passes_as_trailer) {
        return fields;
    }
    let mut passing = HeaderMap::with_capacity(fields.len());
    let mut last = None;
    for (name, value) in fields {
        last = name.or(last);
        if let Some(name) = &last
            && passes_as_trailer(name)
        {
            passing.append(name.clone(), value);
        }
    }
    passing
}

fn passes_as_trailer(name: &HeaderName) -> bool {
    let text = name.as_str();
    !(is_of_connection(name)
        || is_relied_on(text.as_bytes())
        || text.starts_with("content-")
        || text.starts_with("if-")
        || text.contains('_')
        || matches!(
            *name,
            header::AGE
                | header::CACHE_CONTROL
                | header::DATE
                | header::EXPECT
                | header::EXPIRES
                | header::LOCATION
                | header::MAX_FORWARDS
                | header::PRAGMA
                | header::RANGE
                | header::RETRY_AFTER
                | header::VARY
                | header::WARNING
                | header::WWW_AUTHENTICATE
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_claims_in_any_spelling() {
        for name in ["Forwarded", "X-Forwarded-For", "x_forwarded_proto", "X-Real-IP"] {
            assert!(is_claim(name.as_bytes()) && is_of_way(name.as_bytes()), "{name}");
        }
        for name in ["Client-Cert", "x-tenant", "X_Tenant_Id", "x-user-id", "X-Forwarded-Client-Cert"] {
            assert!(is_claim(name.as_bytes()) && !is_of_way(name.as_bytes()), "{name}");
        }
        for name in [
            "x-forward",
            "forwarded-by",
            "cookie",
            "client-certain",
            "x-use",
            "via",
            "x-realm",
            "x-tenants",
            "X-User-Agent",
        ] {
            assert!(!is_claim(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn drops_trailers_that_mean_something_before_the_body() {
        let mut fields = HeaderMap::new();
        for (name, value) in [("content-length", "99"), ("host", "evil"), ("x-sum", "1"), ("x-sum", "2")] {
            fields.append(HeaderName::from_static(name), http::HeaderValue::from_static(value));
        }
        let passing = trailers(fields);
        assert_eq!(passing.len(), 2);
        assert_eq!(passing.get_all("x-sum").iter().count(), 2);
    }
}
