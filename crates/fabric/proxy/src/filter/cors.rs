//! Which pages of other origins may read responses.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::model::Cors;

/// How a request stands to other origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cross {
    /// It says nothing of one.
    No,
    /// A browser asks beforehand: it is answered here, by [`answer`], with 204 and without a look at credentials.
    Preflight,
    /// It comes from a page: its response, errors included, gets the headers of [`answer`].
    Actual,
}

/// Headers by which a service would speak of it, which the filter replaces.
const SAID_BY_SERVICES: [HeaderName; 6] = [
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
];

/// What a request is. An OPTIONS that asks for no method is no preflight and goes upstream.
pub fn cross(method: &Method, headers: &HeaderMap) -> Cross {
    if !headers.contains_key(ORIGIN) {
        Cross::No
    } else if *method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        Cross::Preflight
    } else {
        Cross::Actual
    }
}

/// The method that a preflight asks for; none when it is no preflight, or asks for what is no method.
pub fn preflight(method: &Method, headers: &HeaderMap) -> Option<Method> {
    let asked = headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    (cross(method, headers) == Cross::Preflight).then(|| Method::from_bytes(asked.as_bytes()).ok())?
}

/// Puts the filter's headers on a response to a page of `origin`. An origin that is not allowed gets none, which makes the browser refuse.
pub fn answer(cors: &Cors, cross: Cross, origin: Option<&HeaderValue>, response: &mut HeaderMap) {
    for name in &SAID_BY_SERVICES {
        response.remove(name);
    }
    let vary = match cross {
        Cross::Preflight => "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        Cross::No | Cross::Actual => "Origin",
    };
    response.append(VARY, HeaderValue::from_static(vary));
    let Some(origin) = origin.filter(|origin| allows(cors, origin)) else { return };
    let any = cors.origins.iter().any(|allowed| allowed == "*") && !cors.credentials;
    let allowed = if any { HeaderValue::from_static("*") } else { origin.clone() };
    response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if cors.credentials {
        response.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    match cross {
        Cross::No => {}
        Cross::Actual => put(response, ACCESS_CONTROL_EXPOSE_HEADERS, &cors.expose.join(", ")),
        Cross::Preflight => {
            let methods: Vec<&str> = cors.methods.iter().map(Method::as_str).collect();
            put(response, ACCESS_CONTROL_ALLOW_METHODS, &methods.join(", "));
            put(response, ACCESS_CONTROL_ALLOW_HEADERS, &cors.headers.join(", "));
            put(response, ACCESS_CONTROL_MAX_AGE, &cors.max_age.as_secs().to_string());
        }
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value)
        && !value.is_empty()
    {
        headers.insert(name, value);
    }
}

/// Whether pages of an origin may read. Scheme, host and port are compared, a `*` label by label.
fn allows(cors: &Cors, origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    cors.origins.iter().any(|allowed| {
        let below =
            allowed.split_once("://*.").map(|(scheme, rest)| (format!("{scheme}://"), format!(".{rest}")));
        match below {
            None => allowed == "*" || allowed == origin,
            Some((scheme, suffix)) => {
                let host = origin.strip_prefix(&scheme).and_then(|rest| rest.strip_suffix(&suffix));
                let plain =
                    |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
                host.is_some_and(|host| !host.is_empty() && host.bytes().all(plain))
            }
        }
    })
}

/// An origin of a configuration: `https://app.example`, `https://*.example`, `*`, `null`.
pub(crate) fn check_origin(text: &str) -> Result<(), String> {
    if matches!(text, "*" | "null") {
        return Ok(());
    }
    let named = text.split_once("://").is_some_and(|(scheme, rest)| {
        let (host, port) =
            rest.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).unwrap_or((rest, "1"));
        matches!(scheme, "http" | "https")
            && host != "*"
            && crate::route::HostPattern::read(host).is_ok()
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    if named && lower {
        Ok(())
    } else {
        Err(format!("`{text}` is no origin: write `https://app.example`, in lower case, without a path"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn cors(origins: &[&str]) -> Cors {
        Cors { origins: origins.iter().map(|origin| (*origin).to_owned()).collect(), ..Cors::default() }
    }

    #[test]
    fn compares_origins_whole_and_by_label() {
        let cors = cors(&["https://app.example", "https://*.preview.example", "http://local:3000"]);
        for (origin, allowed) in [
            ("https://app.example", true),
            ("https://a.preview.example", true),
            ("https://b.a.preview.example", true),
            ("http://local:3000", true),
            ("http://app.example", false),
            ("https://app.example:8443", false),
            ("https://app.example.evil", false),
            ("https://preview.example", false),
            ("https://.preview.example", false),
            ("https://evil.example/.preview.example", false),
            ("https://evil:1@a.preview.example", false),
            ("https://a.preview.example:1", false),
            ("http://local", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(allows(&cors, &HeaderValue::from_static(origin)), allowed, "{origin}");
        }
        assert!(allows(&self::cors(&["null"]), &HeaderValue::from_static("null")));
    }

    #[test]
    fn tells_preflights_from_requests() {
        let origin = ("origin", "https://a");
        let asks = ("access-control-request-method", "PUT");
        for (method, fields, found) in [
            (Method::OPTIONS, &[origin, asks][..], Cross::Preflight),
            (Method::OPTIONS, &[origin], Cross::Actual),
            (Method::OPTIONS, &[asks], Cross::No),
            (Method::PUT, &[origin, asks], Cross::Actual),
            (Method::GET, &[], Cross::No),
        ] {
            assert_eq!(cross(&method, &headers(fields)), found, "{method} {fields:?}");
        }
    }

    #[test]
    fn answers_with_its_own_headers_alone() {
        let origin = HeaderValue::from_static("https://app.example");
        let mut own = cors(&["https://app.example"]);
        own.credentials = true;
        own.headers = vec!["x-a".to_owned(), "authorization".to_owned()];
        own.expose = vec!["x-request-id".to_owned()];
        let mut preflight = HeaderMap::new();
        answer(&own, Cross::Preflight, Some(&origin), &mut preflight);
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example"),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "GET, HEAD, POST"),
            ("access-control-allow-headers", "x-a, authorization"),
            ("access-control-max-age", "600"),
            ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
        ] {
            assert_eq!(preflight[name], value);
        }
        let mut response = headers(&[("access-control-allow-origin", "*"), ("access-control-max-age", "1")]);
        answer(&own, Cross::Actual, Some(&origin), &mut response);
        assert_eq!(response["access-control-allow-origin"], "https://app.example");
        assert_eq!(response["access-control-expose-headers"], "x-request-id");
        assert!(!response.contains_key("access-control-max-age"));
        let mut refused = headers(&[("access-control-allow-origin", "*")]);
        answer(&own, Cross::Actual, Some(&HeaderValue::from_static("https://evil.example")), &mut refused);
        assert_eq!((refused.len(), &refused["vary"]), (1, &HeaderValue::from_static("Origin")));
        let mut any = HeaderMap::new();
        answer(&cors(&["*"]), Cross::Actual, Some(&origin), &mut any);
        assert_eq!(any["access-control-allow-origin"], "*");
    }
}
