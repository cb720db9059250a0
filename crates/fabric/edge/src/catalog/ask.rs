//! Questions to a catalog: blocking queries, one after the other on one connection.

use std::fmt::Write;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use coreto_proxy::model::{Endpoint, ServiceName};
use http::header::{HOST, HeaderName, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::instances;
use super::seat::Way;

/// Why a catalog is away.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("it cannot be reached")]
    Connect(#[source] io::Error),
    #[error("it cannot be spoken to over TLS")]
    Tls(#[source] io::Error),
    #[error("it does not answer in time")]
    Time,
    #[error("the connection to it has failed")]
    Http(#[from] hyper::Error),
    #[error("it answers {}", told(*.0))]
    Status(StatusCode),
    #[error("its answer cannot be read")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("its answer has no `X-Consul-Index` from 1 on: it cannot be waited for")]
    NoIndex,
    #[error("its answer is not what a catalog says of a service")]
    Answer(#[from] instances::Error),
}

fn told(status: StatusCode) -> String {
    match status {
        StatusCode::FORBIDDEN => format!("{status}; `catalog.token` or CONSUL_HTTP_TOKEN is shown to it"),
        status => status.to_string(),
    }
}

/// How long the catalog keeps a question when nothing changes; it may take a sixteenth longer.
const WAIT: Duration = Duration::from_secs(30);
/// How long a connection may take to be made, and the rest of an answer to come.
const PATIENCE: Duration = Duration::from_secs(5);
/// No answer is larger.
const ANSWER_BYTES_MAX: usize = 16 << 20;
const INDEX: &str = "x-consul-index";
const TOKEN: HeaderName = HeaderName::from_static("x-consul-token");

/// A connection on which the catalog is asked of one service.
pub(super) struct Asking {
    sender: SendRequest<Empty<Bytes>>,
    host: HeaderValue,
    token: Option<HeaderValue>,
    path: String,
    /// The index of the last answer; 0 before the first.
    index: u64,
}

impl Asking {
    /// Connects to a catalog.
    pub(super) async fn begin(way: &Way, service: &ServiceName) -> Result<Self, Error> {
        let connected = tokio::time::timeout(PATIENCE, connect(way)).await;
        let sender = connected.map_err(|_| Error::Time)??;
        let host = HeaderValue::try_from(way.address.to_string()).expect("an address is text");
        Ok(Self { sender, host, token: way.token.clone(), path: path(service), index: 0 })
    }

    /// The instances that may take requests: at once the first time, then when something may have changed.
    pub(super) async fn next(&mut self) -> Result<Vec<Endpoint>, Error> {
        self.sender.ready().await?;
        let index = self.index;
        let uri = format!("{}index={index}&wait={}s", self.path, WAIT.as_secs());
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = uri.parse().expect("a path is escaped");
        request.headers_mut().insert(HOST, self.host.clone());
        if let Some(token) = &self.token {
            request.headers_mut().insert(TOKEN, token.clone());
        }
        let within = if index == 0 { PATIENCE } else { WAIT + WAIT / 16 + PATIENCE };
        let answered = tokio::time::timeout(within, self.sender.send_request(request)).await;
        let (head, body) = answered.map_err(|_| Error::Time)??.into_parts();
        let body = tokio::time::timeout(PATIENCE, Limited::new(body, ANSWER_BYTES_MAX).collect()).await;
        let body = body.map_err(|_| Error::Time)?.map_err(Error::Body)?.to_bytes();
        if head.status != StatusCode::OK {
            return Err(Error::Status(head.status));
        }
        let told = head.headers.get(INDEX).and_then(|index| index.to_str().ok()?.parse().ok());
        let told = told.filter(|index| *index > 0).ok_or(Error::NoIndex)?;
        // One that goes back is of a catalog that has begun anew.
        self.index = if told < index { 0 } else { told };
        let found = tokio::time::timeout(PATIENCE, instances::read(&body)).await;
        Ok(found.map_err(|_| Error::Time)??)
    }
}

async fn connect(way: &Way) -> Result<SendRequest<Empty<Bytes>>, Error> {
    let stream = TcpStream::connect(way.address).await.map_err(Error::Connect)?;
    match &way.tls {
        None => speak(stream).await,
        Some((tls, name)) => speak(tls.connect(name.clone(), stream).await.map_err(Error::Tls)?).await,
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<SendRequest<Empty<Bytes>>, Error> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // It ends with its sender, and what it fails at is told to that.
    tokio::spawn(connection);
    Ok(sender)
}

/// The path of a question, up to its other parameters.
fn path(service: &ServiceName) -> String {
    let mut path = format!("/v1/health/service/{}?", escaped(&service.name));
    for tag in &service.tags {
        write!(path, "tag={}&", escaped(tag)).expect("a text takes all");
    }
    path
}

/// Letters, digits and `-._~` as they are, all else as `%XX`.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_names_and_tags_that_are_escaped() {
        let service = |name: &str, tags: &[&str]| ServiceName {
            name: name.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        };
        assert_eq!(path(&service("orders", &[])), "/v1/health/service/orders?");
        assert_eq!(path(&service("a/b", &["v 2", "é"])), "/v1/health/service/a%2Fb?tag=v%202&tag=%C3%A9&");
    }
}
