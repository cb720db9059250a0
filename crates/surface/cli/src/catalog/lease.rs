//! A registration that is there for as long as a stream is open.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri};
use http_body_util::{BodyExt, Collected, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::{Catalog, Driven, sound};
use crate::error::CliError;

/// How often it is asked whether the catalog is still there, and how long that may answer.
const PING: Duration = Duration::from_secs(2);
const PONG: Duration = Duration::from_secs(3);

/// Bytes of the line that tells of the registration, or of what is wrong with it.
const LINE_BYTES_MAX: usize = 64 << 10;

/// A registration. When it is dropped the catalog finds out, and forgets the instance.
pub struct Lease {
    /// The identifier of the instance.
    pub id: String,
    /// The node that it is on.
    pub node: String,
    body: Incoming,
    open: oneshot::Sender<()>,
    _driven: Driven,
}

impl Catalog {
    /// Registers a service, given as `agent/service/register` takes it.
    ///
    /// # Errors
    /// When the catalog cannot be reached, or says no.
    pub async fn hold(&self, service: &Value, timeout: Duration) -> Result<Lease, CliError> {
        let held = self.open(service);
        tokio::time::timeout(timeout, held).await.map_err(|_| self.late(timeout))?
    }

    async fn open(&self, service: &Value) -> Result<Lease, CliError> {
        let stream = TcpStream::connect(&self.authority).await.map_err(|error| self.unreached(&error))?;
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PONG);
        let handshake = builder.handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| self.unreached(&error))?;
        let driven = Driven(tokio::spawn(async move { drop(connection.await) }));
        let (open, ended) = oneshot::channel();
        let mut request = Request::new(Line { line: Some(format!("{service}\n").into()), ended });
        *request.method_mut() = Method::POST;
        let uri = format!("http://{}/v1/coreto/register", self.authority);
        *request.uri_mut() = uri.parse::<Uri>().map_err(|error| self.unreached(&error))?;
        self.authorize(&mut request);
        let response = sender.send_request(request).await.map_err(|error| self.unreached(&error))?;
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            let told = Limited::new(body, LINE_BYTES_MAX).collect().await;
            let refused = sound(status, told.map(Collected::to_bytes).unwrap_or_default());
            return Err(refused.err().unwrap_or(CliError::Ended));
        }
        let told = first_line(&mut body).await.ok_or_else(|| self.unreached(&"the stream ended at once"))?;
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        Ok(Lease { id: text("ID"), node: text("Node"), body, open, _driven: driven })
    }
}

/// The line of JSON that an answer begins with.
async fn first_line(body: &mut Incoming) -> Option<Value> {
    let mut line = Vec::new();
    // Bound: LINE_BYTES_MAX.
    while line.len() <= LINE_BYTES_MAX {
        line.extend_from_slice(&body.frame().await?.ok()?.into_data().ok()?);
        if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            return serde_json::from_slice(&line[..end]).ok();
        }
    }
    None
}

impl Lease {
    /// Ready once the registration is lost; says why.
    pub async fn lost(&mut self) -> String {
        // Bound: until the stream ends.
        loop {
            match self.body.frame().await {
                Some(Ok(_)) => (),
                Some(Err(error)) => return format!("the stream broke: {error}"),
                None => return "the catalog ended the stream".to_owned(),
            }
        }
    }

    /// Ends the registration, and waits until the catalog has forgotten the instance. Says whether it has in time.
    pub async fn end(self, patience: Duration) -> bool {
        let Self { mut body, open, _driven, .. } = self;
        drop(open);
        let gone = async {
            // Bound: until the stream ends.
            while let Some(frame) = body.frame().await {
                if frame.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(patience, gone).await.unwrap_or(false)
    }
}

/// A line, and then nothing until it is to end.
struct Line {
    line: Option<Bytes>,
    ended: oneshot::Receiver<()>,
}

impl Body for Line {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.line.take() {
            Some(line) => Poll::Ready(Some(Ok(Frame::data(line)))),
            None => Pin::new(&mut self.ended).poll(cx).map(|_| None),
        }
    }
}
