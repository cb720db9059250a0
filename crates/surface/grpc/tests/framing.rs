//! Requests as other clients may frame them, and as none should.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use std::convert::Infallible;
use std::io::Write;

use bytes::{BufMut, Bytes, BytesMut};
use coreto_grpc::Config;
use coreto_protocol::gateway as pb;
use coreto_record::Command;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use support::{Fake, Server, config, done};

const COMPLETE: &str = "/gateway_protocol.Gateway/CompleteJob";

/// What came back: HTTP status, gRPC status, and the body.
type Answer = (StatusCode, Option<String>, Bytes);

/// Sends a request whose body comes in these pieces.
async fn send(server: &Server, path: &str, content_type: &str, pieces: Vec<Bytes>) -> Answer {
    send_encoded(server, path, content_type, "identity", pieces).await
}

/// The same, with the request's `grpc-encoding`.
async fn send_encoded(
    server: &Server,
    path: &str,
    content_type: &str,
    encoding: &str,
    pieces: Vec<Bytes>,
) -> Answer {
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let frames = pieces.into_iter().map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
    let request = Request::post(format!("http://{}{path}", server.address))
        .header("content-type", content_type)
        .header("te", "trailers")
        .header("grpc-encoding", encoding)
        .body(StreamBody::new(tokio_stream::iter(frames)))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let status = response.status();
    let in_headers = response.headers().get("grpc-status").cloned();
    let body = response.into_body().collect().await.unwrap();
    let in_trailers = body.trailers().and_then(|trailers| trailers.get("grpc-status").cloned());
    let grpc_status = in_headers.or(in_trailers).map(|status| status.to_str().unwrap().to_owned());
    let answer = (status, grpc_status, body.to_bytes());
    connection.abort();
    answer
}

fn framed(flag: u8, length: u32, message: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(flag);
    frame.put_u32(length);
    frame.put_slice(message);
    frame.freeze()
}

fn complete() -> Vec<u8> {
    let request = pb::CompleteJobRequest {
        job_key: (1 << 51) + 7,
        variables: "{\"a\":1}".to_owned(),
        ..Default::default()
    };
    request.encode_to_vec()
}

fn gzip(message: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(message).unwrap();
    gzip.finish().unwrap()
}

fn length(message: &[u8]) -> u32 {
    u32::try_from(message.len()).unwrap()
}

#[tokio::test]
async fn message_may_come_in_pieces() {
    let server = Server::start(Fake::new(done));
    let whole = framed(0, length(&complete()), &complete());
    for piece in [1, 3, 5, 7, whole.len()] {
        let pieces = whole.chunks(piece).map(Bytes::copy_from_slice).collect();
        let (status, grpc, body) = send(&server, COMPLETE, "application/grpc", pieces).await;
        assert_eq!((status, grpc.as_deref(), &*body), (StatusCode::OK, Some("0"), &[0; 5][..]));
    }
    for command in server.fake.commands() {
        let Command::CompleteJob(complete) = command else { panic!("{command:?}") };
        assert_eq!(complete.variables.as_str(), "{\"a\":1}");
    }
}

#[tokio::test]
async fn broken_messages_have_their_status() {
    let server = Server::start_with(Config { message_bytes_max: 1000, ..config() }, Fake::new(done));
    let message = complete();
    let large = vec![b'x'; 2000];
    let table = [
        ("nothing", vec![], "13"),
        ("half a prefix", vec![Bytes::from_static(&[0, 0])], "13"),
        ("a compressed message, without saying how", vec![framed(1, length(&message), &message)], "13"),
        ("less than it says", vec![framed(0, length(&message) + 1, &message)], "13"),
        ("more than it says", vec![framed(0, length(&message) - 1, &message)], "13"),
        ("a length beyond the limit", vec![framed(0, u32::MAX, &message)], "8"),
        ("too large", vec![framed(0, 2000, &large)], "8"),
        (
            "too large, in pieces",
            vec![framed(0, 2000, &large[..900]), Bytes::from(large[900..].to_vec())],
            "8",
        ),
        ("no protobuf", vec![framed(0, 3, &[0xff; 3])], "13"),
    ];
    for (what, pieces, code) in table {
        let (status, grpc, _) = send(&server, COMPLETE, "application/grpc+proto", pieces).await;
        assert_eq!((status, grpc.as_deref()), (StatusCode::OK, Some(code)), "{what}");
    }
    assert!(server.fake.commands().is_empty());
}

#[tokio::test]
async fn messages_may_be_compressed_with_gzip() {
    let server = Server::start_with(Config { message_bytes_max: 1000, ..config() }, Fake::new(done));
    let small = gzip(&complete());
    let bomb = gzip(&[b'x'; 2000]);
    let cut = &small[..small.len() - 4];
    let table = [
        ("gzip", 1, &*small, "0"),
        ("gzip", 0, &*complete(), "0"),
        ("gzip", 1, cut, "13"),
        ("gzip", 1, &*complete(), "13"),
        ("gzip", 1, &*bomb, "8"),
        ("zstd", 1, &*small, "12"),
    ];
    for path in [COMPLETE, "/gateway_protocol.Gateway/ThrowError"] {
        for (encoding, flag, message, code) in table {
            let frames = vec![framed(flag, length(message), message)];
            let (_, grpc, _) = send_encoded(&server, path, "application/grpc", encoding, frames).await;
            assert_eq!(grpc.as_deref(), Some(code), "{path} {encoding} {flag} {} bytes", message.len());
        }
    }
    for command in server.fake.commands() {
        if let Command::CompleteJob(complete) = command {
            assert_eq!(complete.variables.as_str(), "{\"a\":1}");
        }
    }
    assert_eq!(server.fake.commands().len(), 4);
}

#[tokio::test]
async fn other_paths_and_types_are_refused() {
    let server = Server::start(Fake::new(done));
    let (_, grpc, _) = send(&server, "/elsewhere.Service/Call", "application/grpc", vec![]).await;
    assert_eq!(grpc.as_deref(), Some("12"));
    let (_, grpc, _) = send(&server, "/gateway_protocol.Gateway/Elsewhere", "application/grpc", vec![]).await;
    assert_eq!(grpc.as_deref(), Some("12"));
    let (status, grpc, _) = send(&server, COMPLETE, "application/json", vec![]).await;
    assert_eq!((status, grpc), (StatusCode::UNSUPPORTED_MEDIA_TYPE, None));
}
