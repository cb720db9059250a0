//! How a failure looks: a problem document.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;

/// Why a request cannot be answered.
#[derive(Debug)]
pub(crate) enum Problem {
    /// There is nothing at the path.
    NoPath { path: String },
    /// The clock is the machine's.
    NoClock,
    /// The path has other methods.
    WrongMethod { path: String, allow: &'static str },
    /// The body is too large, or did not arrive.
    Body { status: StatusCode, detail: String },
    /// The body does not say what it should.
    Invalid { detail: String },
    /// The clock could not be moved.
    Clock { detail: String },
}

impl Problem {
    /// The one place where a status is chosen.
    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        let (status, detail, allow) = match self {
            Self::NoPath { path } => (StatusCode::NOT_FOUND, format!("there is nothing at `{path}`"), None),
            Self::NoClock => (
                StatusCode::NOT_FOUND,
                "the clock is the machine's; start with `--clock controlled` to move it".to_owned(),
                None,
            ),
            Self::WrongMethod { path, allow } => {
                (StatusCode::METHOD_NOT_ALLOWED, format!("`{path}` understands {allow}"), Some(allow))
            }
            Self::Body { status, detail } => (status, detail, None),
            Self::Invalid { detail } => (StatusCode::BAD_REQUEST, detail, None),
            Self::Clock { detail } => (StatusCode::SERVICE_UNAVAILABLE, detail, None),
        };
        let body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": detail,
        });
        let mut response = Response::new(Full::from(body.to_string()));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json; charset=utf-8"));
        if let Some(allow) = allow {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}
