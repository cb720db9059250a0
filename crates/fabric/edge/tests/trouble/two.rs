//! An upstream of HTTP/2 that does to each request what is planned for it.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::book::{Book, id};
use crate::plan::{Act, brings, plan};

pub(crate) fn start(seed: u64, book: &Book) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let book = book.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, seed, book.clone()));
            }
        });
    });
    address
}

/// What a stream asks of its connection.
#[derive(Default)]
struct Fate {
    leave: Notify,
    drop: Notify,
}

async fn connection(stream: TcpStream, seed: u64, book: Book) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    let fate = Arc::new(Fate::default());
    loop {
        tokio::select! {
            accepted = connection.accept() => {
                let Some(Ok((request, respond))) = accepted else { return };
                let (book, fate) = (book.clone(), Arc::clone(&fate));
                tokio::spawn(async move {
                    // A stream that the gateway has given up is over.
                    let _ = stream_of(request, respond, seed, &book, &fate).await;
                });
            }
            () = fate.leave.notified() => connection.graceful_shutdown(),
            () = fate.drop.notified() => return,
        }
    }
}

async fn stream_of(
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    seed: u64,
    book: &Book,
    fate: &Fate,
) -> Result<(), h2::Error> {
    let (head, mut body) = request.into_parts();
    let id = id(head.uri.path());
    let attempt =
        head.headers.get("coreto-attempt").map_or(0, |attempt| attempt.to_str().unwrap().parse().unwrap());
    let plan = plan(seed, id, attempt);
    if plan.act == Act::Refuse {
        respond.send_reset(Reason::REFUSED_STREAM);
        return Ok(());
    }
    book.acted(id);
    if plan.act == Act::Early {
        return answer(respond, plan.act, &plan.body, fate).await;
    }
    let mut brought = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        brought.extend_from_slice(&piece);
    }
    if brought != brings(seed, id).unwrap_or_default().as_bytes() {
        book.wrong(format!("request {id} brought {} bytes that are not its own", brought.len()));
    }
    answer(respond, plan.act, &plan.body, fate).await
}

async fn answer(
    mut respond: SendResponse<Bytes>,
    act: Act,
    body: &str,
    fate: &Fate,
) -> Result<(), h2::Error> {
    let length = body.len();
    let half = &body[..length / 2];
    let head = |length: Option<usize>| {
        let head = http::Response::builder();
        let head = length.into_iter().fold(head, |head, length| head.header("content-length", length));
        head.body(()).unwrap()
    };
    match act {
        Act::Whole | Act::Early | Act::Hints => {
            send(respond.send_response(head(Some(length)), false)?, body, true)
        }
        Act::Pieces => {
            let mut stream = respond.send_response(head(None), false)?;
            stream.send_data(Bytes::copy_from_slice(half.as_bytes()), false)?;
            send(stream, &body[half.len()..], true)
        }
        Act::Leave => {
            fate.leave.notify_one();
            send(respond.send_response(head(Some(length)), false)?, body, true)
        }
        Act::Close | Act::Refuse => {
            respond.send_reset(Reason::INTERNAL_ERROR);
            Ok(())
        }
        Act::Reset => {
            respond.send_reset(Reason::CANCEL);
            Ok(())
        }
        Act::Garbage => {
            fate.drop.notify_one();
            std::future::pending().await
        }
        Act::Stall => std::future::poll_fn(|cx| respond.poll_reset(cx)).await.map(drop),
        Act::Short | Act::HalfGarbage => {
            send(respond.send_response(head(Some(half.len())), false)?, body, true)
        }
        Act::HalfClose => send(respond.send_response(head(Some(length)), false)?, half, true),
        Act::HalfReset => {
            let mut stream = respond.send_response(head(Some(length)), false)?;
            stream.send_data(Bytes::copy_from_slice(half.as_bytes()), false)?;
            stream.send_reset(Reason::INTERNAL_ERROR);
            Ok(())
        }
        Act::HalfStall => {
            let mut stream = respond.send_response(head(Some(length)), false)?;
            stream.send_data(Bytes::copy_from_slice(half.as_bytes()), false)?;
            std::future::poll_fn(|cx| stream.poll_reset(cx)).await.map(drop)
        }
    }
}

fn send(mut stream: SendStream<Bytes>, text: &str, end: bool) -> Result<(), h2::Error> {
    stream.send_data(Bytes::copy_from_slice(text.as_bytes()), end)
}
