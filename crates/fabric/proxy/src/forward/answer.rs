//! Answers of our own: what a client is told when there is no response of an upstream.

use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode, Version};

use super::Failure;
use crate::chance::Dice;
use crate::filter::{self, GrpcWeb};
use crate::gate::{Body, Request};
use crate::limit::retry_after;
use crate::model::Respond;
use crate::upstream::ConnectError;

/// A response that is made here, whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its fields, without those that frame the body.
    pub(crate) fields: HeaderMap,
    /// Its body.
    pub(crate) body: Bytes,
    /// Whether the connection ends with it.
    pub(crate) close: bool,
}

/// How an answer has to look for the one who asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Reply {
    /// A problem document.
    #[default]
    Plain,
    /// The client speaks gRPC, whose errors are trailers.
    Grpc,
    /// The client is a page that speaks gRPC-Web.
    GrpcWeb(GrpcWeb),
}

const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

impl Reply {
    /// For a request that has passed the gate.
    pub(crate) fn to(request: &Request) -> Self {
        let grpc = request.fields.get(header::CONTENT_TYPE).is_some_and(filter::is_grpc);
        match GrpcWeb::of(&request.method, &request.fields) {
            Some(web) => Self::GrpcWeb(web),
            None if grpc && request.version == Version::HTTP_2 => Self::Grpc,
            None => Self::Plain,
        }
    }

    /// Whether the request is a call, with a time of its own and a status of its own.
    pub(crate) fn is_of_call(self) -> bool {
        !matches!(self, Self::Plain)
    }

    /// The media type of a failure that is told as the end of a call.
    fn media_type(self) -> Option<HeaderValue> {
        match self {
            Self::Plain => None,
            Self::Grpc => Some(HeaderValue::from_static("application/grpc")),
            Self::GrpcWeb(web) => Some(web.media_type()),
        }
    }
}

impl Answer {
    /// An answer without a body.
    pub(crate) fn bare(status: StatusCode) -> Self {
        Self { status, fields: HeaderMap::new(), body: Bytes::new(), close: false }
    }

    /// What a route says of its own.
    pub(crate) fn made(respond: &Respond) -> Self {
        let mut answer = Self::bare(StatusCode::from_u16(respond.status).unwrap_or(StatusCode::OK));
        if !respond.body.is_empty()
            && let Ok(kind) = HeaderValue::from_str(&respond.content_type)
        {
            answer.fields.insert(header::CONTENT_TYPE, kind);
            answer.body = Bytes::copy_from_slice(respond.body.as_bytes());
        }
        answer
    }

    /// What is said of a failure: a problem document (RFC 9457), or trailers only (gRPC over HTTP/2, gRPC-Web).
    pub(crate) fn of(failure: &Failure, reply: Reply) -> Self {
        let mut fields = HeaderMap::new();
        let error = format!("coreto; error={}", failure.proxy_error());
        fields.insert(PROXY_STATUS, HeaderValue::try_from(error).expect("names of errors are text"));
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let status = failure.status();
        match failure {
            Failure::NoMethod(methods) => {
                let list: Vec<&str> = methods.iter().map(http::Method::as_str).collect();
                let list = HeaderValue::try_from(list.join(", ")).expect("methods are tokens");
                fields.insert(header::ALLOW, list);
            }
            Failure::Limited(wait) => {
                let mut dice = Dice::seeded(RandomState::new().hash_one(wait));
                fields.insert(header::RETRY_AFTER, retry_after(*wait, &mut dice).into());
            }
            Failure::Overload | Failure::Connect(ConnectError::Pending) => {
                fields.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        if let Some(kind) = reply.media_type() {
            fields.insert(header::CONTENT_TYPE, kind);
            fields.insert(
                HeaderName::from_static("grpc-status"),
                HeaderValue::from(u16::from(failure.grpc_status())),
            );
            let message = percent_encoded(&failure.to_string());
            let message = HeaderValue::try_from(message).expect("it is encoded as ASCII");
            fields.insert(HeaderName::from_static("grpc-message"), message);
            return Self { status: StatusCode::OK, fields, body: Bytes::new(), close: false };
        }
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        // The texts of failures are our own and hold nothing that JSON escapes.
        let body = format!(
            r#"{{"type":"about:blank","title":"{}","status":{},"detail":"{failure}"}}"#,
            status.canonical_reason().unwrap_or_default(),
            status.as_u16(),
        );
        Self { status, fields, body: body.into(), close: false }
    }

    /// How its body comes.
    pub(crate) fn framing(&self) -> Body {
        if self.status == StatusCode::NO_CONTENT { Body::Empty } else { Body::Known(self.body.len() as u64) }
    }
}

/// A message of gRPC: ASCII without `%`, all else escaped.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' '..=b'~' if byte != b'%' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
