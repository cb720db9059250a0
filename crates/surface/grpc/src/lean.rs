//! The calls that are made for every instance, without the layers of tonic between HTTP/2 and the handler.
//!
//! Messages, handlers and statuses are those of the other calls; only framing is done here: a message is five bytes
//! (a flag and a length) and its encoding, an answer is one frame and its trailers. Per call this saves a
//! buffer of 8 KiB on each side and several boxes.

mod gzip;
mod job;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use coreto_protocol::gateway as pb;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use prost::Message;
use tonic::body::Body;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Code, Status};

use crate::gateway::Gateway;
use crate::rpc::{instance, job as jobs};
use crate::status::Failure;
use crate::stream::{self, Open};

/// The body of any answer, and of a request that was inflated.
pub(crate) enum AnswerBody {
    /// Of a call that tonic serves.
    Tonic(Body),
    /// One message and the trailers; the message is taken first.
    Once { message: Option<Bytes>, trailers: bool },
    /// Jobs of a stream, until its end.
    Jobs { sink: Open, ended: bool },
}

/// Bytes before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// The header that says how compressed messages are compressed.
const ENCODING: &str = "grpc-encoding";

/// How many bytes of jobs are written together, when that many are there.
const JOBS_BYTES: usize = 16 << 10;

/// The calls that are served here.
#[derive(Clone, Copy)]
pub(crate) enum Method {
    Create,
    Complete,
    Stream,
}

impl Method {
    /// The call at a path, if it is served here.
    pub(crate) fn at(path: &str) -> Option<Self> {
        match path.strip_prefix("/gateway_protocol.Gateway/")? {
            "CreateProcessInstance" => Some(Self::Create),
            "CompleteJob" => Some(Self::Complete),
            "StreamActivatedJobs" => Some(Self::Stream),
            _ => None,
        }
    }
}

/// Answers a call.
pub(crate) async fn call(
    gateway: Arc<Gateway>,
    method: Method,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    match answer(&gateway, method, request).await {
        Ok(response) => response,
        Err(status) => status.into_http::<Body>().map(AnswerBody::Tonic),
    }
}

async fn answer(
    gateway: &Gateway,
    method: Method,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Status> {
    let (parts, body) = request.into_parts();
    let metadata = MetadataMap::from_headers(parts.headers);
    let encoding = metadata.get(ENCODING).map(AsciiMetadataValue::as_encoded_bytes);
    let message = receive(body, encoding, gateway.shared.config.message_bytes_max).await?;
    match method {
        Method::Create => {
            let request = tonic::Request::from_parts(metadata, parts.extensions, decode(message)?);
            Ok(succeeded(once(&instance::create(gateway, request).await?)))
        }
        Method::Complete => {
            let request = tonic::Request::from_parts(metadata, parts.extensions, decode(message)?);
            let pb::CompleteJobResponse {} = jobs::complete(gateway, request).await?;
            let message = Some(Bytes::from_static(&[0; PREFIX]));
            Ok(succeeded(AnswerBody::Once { message, trailers: true }))
        }
        Method::Stream => {
            let sink = stream::open(gateway, &metadata, decode(message)?)?;
            Ok(succeeded(AnswerBody::Jobs { sink, ended: false }))
        }
    }
}

/// Reads the one message of a request, to the end of the request.
async fn receive(mut body: Incoming, encoding: Option<&[u8]>, bytes_max: usize) -> Result<Bytes, Status> {
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    while !body.is_end_stream() {
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| Status::cancelled(format!("the request broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.is_empty() && more.is_empty() {
            first = data;
        } else {
            more.extend_from_slice(&std::mem::take(&mut first));
            more.extend_from_slice(&data);
        }
        if first.len().max(more.len()) > bytes_max + PREFIX {
            return Err(Failure::TooLarge { bytes_max }.into());
        }
    }
    let mut message = if more.is_empty() { first } else { more.freeze() };
    if message.len() < PREFIX {
        return Err(broken("its prefix is missing"));
    }
    let compressed = message.get_u8() != 0;
    let length = message.get_u32() as usize;
    if length > bytes_max {
        return Err(Failure::TooLarge { bytes_max }.into());
    }
    if length != message.len() {
        return Err(broken("it is not as long as it says"));
    }
    if compressed { gzip::inflate(&message, encoding, bytes_max) } else { Ok(message) }
}

fn broken(what: &str) -> Status {
    Status::internal(format!("the request's message is broken: {what}"))
}

/// Whether a request's message may be compressed, with gzip.
pub(crate) fn is_gzip(request: &Request<Incoming>) -> bool {
    request.headers().get(ENCODING).is_some_and(|encoding| encoding == "gzip")
}

/// The same request with its one message in plain.
pub(crate) async fn plain(
    request: Request<Incoming>,
    bytes_max: usize,
) -> Result<Request<AnswerBody>, Status> {
    let (mut parts, body) = request.into_parts();
    let encoding = parts.headers.remove(ENCODING);
    let message = receive(body, encoding.as_ref().map(HeaderValue::as_bytes), bytes_max).await?;
    let mut frame = BytesMut::with_capacity(PREFIX + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("requests are bounded far below 4 GiB"));
    frame.put_slice(&message);
    let body = AnswerBody::Once { message: Some(frame.freeze()), trailers: false };
    Ok(Request::from_parts(parts, body))
}

fn decode<M: Message + Default>(message: Bytes) -> Result<M, Status> {
    M::decode(message).map_err(|error| broken(&error.to_string()))
}

fn once(message: &impl Message) -> AnswerBody {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(PREFIX + length);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(length).expect("answers are far smaller than 4 GiB"));
    message.encode(&mut frame).expect("there is room for it");
    AnswerBody::Once { message: Some(frame.freeze()), trailers: true }
}

fn succeeded(body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

fn ok() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(Status::GRPC_STATUS, HeaderValue::from(Code::Ok as i32));
    trailers
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.get_mut() {
            Self::Tonic(body) => Pin::new(body).poll_frame(context),
            Self::Once { message, trailers } => Poll::Ready(match message.take() {
                Some(message) => Some(Ok(Frame::data(message))),
                None => std::mem::take(trailers).then(|| Ok(Frame::trailers(ok()))),
            }),
            Self::Jobs { ended: true, .. } => Poll::Ready(None),
            Self::Jobs { sink, ended } => {
                let mut frame = BytesMut::new();
                while frame.len() < JOBS_BYTES {
                    match sink.poll_job(context) {
                        Poll::Ready(Some(next)) => job::frame(&next, &mut frame),
                        Poll::Ready(None) if frame.is_empty() => {
                            *ended = true;
                            return Poll::Ready(Some(Ok(Frame::trailers(ok()))));
                        }
                        Poll::Pending if frame.is_empty() => return Poll::Pending,
                        Poll::Ready(None) | Poll::Pending => break,
                    }
                }
                Poll::Ready(Some(Ok(Frame::data(frame.freeze()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Tonic(body) => body.is_end_stream(),
            Self::Once { message, trailers } => message.is_none() && !trailers,
            Self::Jobs { ended, .. } => *ended,
        }
    }
}
