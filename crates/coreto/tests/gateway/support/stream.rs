//! The same on streams of HTTP/2.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Method, Request};

use super::kind::{Kind, PAUSE, PIECES, all_events, is_same, piece, receipt_of_all};
use super::websocket::{CLOSE, TEXT, masked, plain};

/// Why it has not been done.
pub(crate) enum Undone {
    /// The connection takes no streams: nothing was asked.
    Unsent,
    Failed(String),
}

impl From<io::Error> for Undone {
    fn from(error: io::Error) -> Self {
        Undone::Failed(error.to_string())
    }
}

impl From<h2::Error> for Undone {
    fn from(error: h2::Error) -> Self {
        Undone::Failed(error.to_string())
    }
}

/// Does it on a stream of a connection that is ready; gives the status.
pub(crate) async fn once(
    mut sender: SendRequest<Bytes>,
    address: SocketAddr,
    kind: Kind,
) -> Result<u16, Undone> {
    let ended = matches!(kind, Kind::Get(_) | Kind::Events);
    let (response, mut body) =
        sender.send_request(request(address, kind), ended).map_err(|_| Undone::Unsent)?;
    match kind {
        Kind::Get(_) | Kind::Events => {}
        Kind::Upload | Kind::Chunks => {
            // The end comes with the last piece: an answer to all that was said to come may be there before another frame.
            for at in 0..PIECES {
                put(&mut body, piece(at), at + 1 == PIECES).await?;
                tokio::time::sleep(PAUSE).await;
            }
        }
        Kind::Call => body.send_data(Bytes::from_static(&[0; 5]), true)?,
        Kind::Socket => return socket(response, body).await,
    }
    let (status, body, trailers) = whole(response).await?;
    match kind {
        Kind::Get(_) | Kind::Socket => {}
        Kind::Upload | Kind::Chunks => is_same(&body, receipt_of_all().as_bytes())?,
        Kind::Events => is_same(&body, all_events().as_bytes())?,
        Kind::Call => {
            is_same(&body, &[0; 5 * PIECES])?;
            is_same(trailers.get("grpc-status").map_or(b"none", |status| status.as_bytes()), b"0")?;
        }
    }
    Ok(status)
}

fn request(address: SocketAddr, kind: Kind) -> Request<()> {
    let method = match kind {
        Kind::Get(_) | Kind::Events => Method::GET,
        Kind::Upload | Kind::Chunks | Kind::Call => Method::POST,
        Kind::Socket => Method::CONNECT,
    };
    let request = Request::builder().method(method).uri(format!("http://{address}{}", kind.path()));
    let request = match kind {
        Kind::Get(_) | Kind::Events | Kind::Chunks => request,
        Kind::Upload => request.header("content-length", PIECES * piece(0).len()),
        Kind::Call => request.header("content-type", "application/grpc").header("te", "trailers"),
        Kind::Socket => request
            .extension(h2::ext::Protocol::from_static("websocket"))
            .header("sec-websocket-version", "13"),
    };
    request.body(()).unwrap()
}

/// Sends as much as the other side takes, until all is sent. `last`: whether it ends the body.
async fn put(body: &mut SendStream<Bytes>, bytes: impl Into<Bytes>, last: bool) -> Result<(), Undone> {
    let mut bytes = bytes.into();
    while !bytes.is_empty() {
        body.reserve_capacity(bytes.len());
        let capacity = std::future::poll_fn(|cx| body.poll_capacity(cx)).await;
        let room = capacity.ok_or_else(|| Undone::Failed("a stream takes no more".to_owned()))??;
        let piece = bytes.split_to(room.min(bytes.len()));
        body.send_data(piece, last && bytes.is_empty())?;
    }
    Ok(())
}

async fn whole(response: ResponseFuture) -> Result<(u16, Vec<u8>, HeaderMap), Undone> {
    let response = response.await?;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut whole = Vec::new();
    while let Some(piece) = next(&mut body).await? {
        whole.extend_from_slice(&piece);
    }
    Ok((status, whole, body.trailers().await?.unwrap_or_default()))
}

async fn next(body: &mut RecvStream) -> Result<Option<Bytes>, Undone> {
    let Some(piece) = body.data().await.transpose()? else { return Ok(None) };
    body.flow_control().release_capacity(piece.len())?;
    Ok(Some(piece))
}

async fn socket(response: ResponseFuture, mut up: SendStream<Bytes>) -> Result<u16, Undone> {
    let response = response.await?;
    let status = response.status().as_u16();
    let mut down = response.into_body();
    let messages = (0..PIECES).map(|at| (TEXT, at.to_string().into_bytes()));
    for (kind, payload) in messages.chain([(CLOSE, vec![3, 232])]) {
        put(&mut up, masked(kind, &payload), false).await?;
        let (mut found, expected) = (Vec::new(), plain(kind, &payload));
        while found.len() < expected.len() {
            let Some(piece) = next(&mut down).await? else { break };
            found.extend_from_slice(&piece);
        }
        is_same(&found, &expected)?;
        tokio::time::sleep(PAUSE).await;
    }
    up.send_data(Bytes::new(), true)?;
    // The end may come with a frame of nothing.
    let mut more = Vec::new();
    while let Some(piece) = next(&mut down).await? {
        more.extend_from_slice(&piece);
    }
    is_same(&more, &[])?;
    Ok(status)
}
