//! Answers, and what is said when something is wrong.

use bytes::Bytes;
use coreto_partition::Refused;
use coreto_record::{Rejection, RejectionKind};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;

use crate::asked::Mode;

/// What is told about a read: how fresh it is, and up to where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// When what was read changed last; never 0.
    pub(crate) index: u64,
    /// How it was read.
    pub(crate) mode: Mode,
    /// The last batch that was seen.
    pub(crate) applied: u64,
    /// Milliseconds by which it may be behind.
    pub(crate) lag_ms: u64,
    /// Whether the owner of the catalog can be asked.
    pub(crate) leader: bool,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
    pub(crate) seen: Option<Seen>,
    /// A hash of what was read, for whoever waits by it.
    pub(crate) hash: Option<String>,
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

impl Answer {
    /// Done, and there is nothing to say.
    pub(crate) const fn empty() -> Self {
        Self { status: StatusCode::OK, content_type: TEXT, body: Bytes::new(), seen: None, hash: None }
    }

    /// A document.
    pub(crate) fn json(value: &Value) -> Self {
        Self { content_type: JSON, body: value.to_string().into(), ..Self::empty() }
    }

    /// A document that was read.
    pub(crate) fn read(seen: Seen, value: &Value) -> Self {
        Self { seen: Some(seen), ..Self::json(value) }
    }

    /// A document that was read, as text.
    pub(crate) const fn made(seen: Seen, body: Bytes) -> Self {
        Self { status: StatusCode::OK, content_type: JSON, body, seen: Some(seen), hash: None }
    }

    /// Bytes as they are.
    pub(crate) const fn raw(seen: Seen, body: Bytes) -> Self {
        let content_type = "application/octet-stream";
        Self { status: StatusCode::OK, content_type, body, seen: Some(seen), hash: None }
    }

    /// A sentence.
    pub(crate) fn text(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, body: text.into().into(), ..Self::empty() }
    }

    /// The same with its document on several lines, for people.
    pub(crate) fn indented(self) -> Self {
        if self.content_type != JSON {
            return self;
        }
        let Ok(document) = serde_json::from_slice::<Value>(&self.body) else { return self };
        Self { body: format!("{document:#}\n").into(), ..self }
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        let mut put = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        if let Some(hash) = self.hash {
            put("x-consul-contenthash", hash);
        }
        if let Some(seen) = self.seen {
            put("x-consul-index", seen.index.to_string());
            put("x-consul-knownleader", seen.leader.to_string());
            put("x-consul-lastcontact", seen.lag_ms.to_string());
            put("x-consul-effective-consistency", seen.mode.effective().to_owned());
            put("consistency-given", seen.mode.given().to_owned());
            put("applied-position", seen.applied.to_string());
            if seen.mode == Mode::Stale {
                put("lag", format!("{}ms", seen.lag_ms));
            }
        }
        response
    }
}

/// Why a request is not answered as it was meant.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The request is wrong.
    Wrong(String),
    /// What it is about is not there.
    Missing(String),
    /// What it would read is not there, and clients need the index nevertheless.
    Nothing(Seen),
    /// There may be no more.
    Forbidden(String),
    /// Its body is too large, or too slow.
    Body(StatusCode, String),
    /// The path has other methods.
    Method(&'static str),
    /// The protocol has it, and we do not.
    NotBuilt(String),
    /// It cannot be answered now.
    Unavailable(String),
}

impl Fault {
    pub(crate) fn of_rejection(rejection: Rejection) -> Self {
        match rejection.kind {
            RejectionKind::InvalidArgument => Self::Wrong(rejection.reason),
            RejectionKind::NotFound => Self::Missing(rejection.reason),
            RejectionKind::Forbidden | RejectionKind::Unauthorized => Self::Forbidden(rejection.reason),
            RejectionKind::ExceededBatchRecordSize => {
                Self::Body(StatusCode::PAYLOAD_TOO_LARGE, rejection.reason)
            }
            RejectionKind::AlreadyExists | RejectionKind::InvalidState | RejectionKind::ProcessingError => {
                Self::Unavailable(rejection.reason)
            }
        }
    }

    /// What a request names beside its path is not missing, but wrong.
    pub(crate) fn not_missing(self) -> Self {
        match self {
            Self::Missing(text) => Self::Wrong(text),
            other => other,
        }
    }

    pub(crate) fn of_refusal(refused: &Refused) -> Self {
        Self::Unavailable(refused.to_string())
    }

    /// What is said in words.
    pub(crate) fn sentence(self) -> String {
        match self {
            Self::Wrong(text)
            | Self::Missing(text)
            | Self::Forbidden(text)
            | Self::Body(_, text)
            | Self::NotBuilt(text)
            | Self::Unavailable(text) => text,
            Self::Nothing(_) => "there is nothing".to_owned(),
            Self::Method(allow) => format!("this path takes {allow}"),
        }
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        match self {
            Self::Wrong(text) => Answer::text(StatusCode::BAD_REQUEST, text).into_response(),
            Self::Missing(text) => Answer::text(StatusCode::NOT_FOUND, text).into_response(),
            Self::Nothing(seen) => {
                let status = StatusCode::NOT_FOUND;
                Answer { status, seen: Some(seen), ..Answer::empty() }.into_response()
            }
            Self::Forbidden(text) => Answer::text(StatusCode::FORBIDDEN, text).into_response(),
            Self::Body(status, text) => Answer::text(status, text).into_response(),
            Self::Method(allow) => {
                let text = format!("this path takes {allow}");
                let mut response = Answer::text(StatusCode::METHOD_NOT_ALLOWED, text).into_response();
                response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
                response
            }
            Self::NotBuilt(text) => Answer::text(StatusCode::NOT_IMPLEMENTED, text).into_response(),
            Self::Unavailable(text) => Answer::text(StatusCode::INTERNAL_SERVER_ERROR, text).into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_indented_and_texts_are_not() {
        assert_eq!(Answer::json(&serde_json::json!([1])).indented().body, "[\n  1\n]\n");
        assert_eq!(Answer::text(StatusCode::OK, "[1]").indented().body, "[1]");
    }
}
