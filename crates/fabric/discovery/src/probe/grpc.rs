//! The health protocol of gRPC (`grpc.health.v1.Health/Check`): SERVING passes, anything else is critical.

use bytes::Bytes;
use coreto_catalog::{Definition, Status};
use coreto_machine::codec::{Field, Reader};
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::{Found, connect};

/// Bytes that an answer may have: it is a single small number.
const BODY_BYTES: usize = 1024;

/// What stands before a message: whether it is compressed, and its length in four bytes.
const PREFIX: usize = 5;

/// The number of SERVING.
const SERVING: u32 = 1;

pub(super) async fn ask(definition: &Definition) -> Result<Found, String> {
    let (address, service) = definition.target.split_once('/').unwrap_or((&definition.target, ""));
    let told = |error: hyper::Error| format!("the call failed: {error}");
    let scheme = if definition.tls { "https" } else { "http" };
    let uri = format!("{scheme}://{address}/grpc.health.v1.Health/Check");
    let uri: Uri = uri.parse().map_err(|error| format!("this is no address: {error}"))?;
    let host = uri.host().ok_or("the address has no host")?;
    let stream = connect(definition, (host, uri.port_u16().ok_or("the address has no port")?), "h2").await?;
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(told)?;
    let connection = tokio::spawn(connection);
    let request = Request::post(&uri)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(question(service)))
        .map_err(|error| format!("this is no address: {error}"))?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(told)?;
        if let Some(status) = response.headers().get("grpc-status").filter(|status| *status != "0") {
            return Err(format!("the call failed with status {}", status.to_str().unwrap_or("unknown")));
        }
        let body = Limited::new(response.into_body(), BODY_BYTES).collect().await;
        let body = body.map_err(|error| format!("the answer broke off: {error}"))?.to_bytes();
        let serving = status(&body).ok_or("the answer is no health")? == SERVING;
        let status = if serving { Status::Passing } else { Status::Critical };
        Ok((status, format!("{}: {}", definition.target, if serving { "SERVING" } else { "not SERVING" })))
    };
    let found = answered.await;
    connection.abort();
    found
}

fn question(service: &str) -> Bytes {
    let mut message = Vec::new();
    service.to_owned().write(1, &mut message);
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[0], &length[..], &message].concat().into()
}

/// The status in an answer.
fn status(body: &[u8]) -> Option<u32> {
    let mut reader = Reader::new(body.get(PREFIX..)?);
    let mut status = 0;
    while let Some((number, wire)) = reader.field().ok()? {
        if number == 1 {
            status.read(1, wire, &mut reader).ok()?;
        } else {
            reader.skip(wire).ok()?;
        }
    }
    Some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_questions_and_reads_answers() {
        assert_eq!(&*question(""), [0, 0, 0, 0, 0]);
        assert_eq!(&*question("ab"), [0, 0, 0, 0, 4, 0x0a, 2, b'a', b'b']);
        assert_eq!(status(&[0, 0, 0, 0, 2, 0x08, 1]), Some(SERVING));
        assert_eq!(status(&[0, 0, 0, 0, 0]), Some(0));
        assert_eq!(status(&[0, 0, 0, 0, 2, 0x08]), None);
        assert_eq!(status(&[0]), None);
    }
}
