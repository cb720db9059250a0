//! A service of gRPC, over HTTP/2 without TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Response};
use tokio::net::{TcpListener, TcpStream};

use super::kind::{PAUSE, PIECES};

/// It answers each call by a stream of empty messages, for as long as the test lives.
pub(crate) struct Calls {
    pub(crate) address: SocketAddr,
    calls: Arc<AtomicU64>,
}

impl Calls {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let service = Self { address: listener.local_addr().unwrap(), calls: Arc::default() };
        let calls = Arc::clone(&service.calls);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&calls)));
                }
            });
        });
        service
    }

    /// How many came.
    pub(crate) fn count(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn serve(stream: TcpStream, calls: Arc<AtomicU64>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((_, respond))) = connection.accept().await {
        calls.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(answer(respond));
    }
}

async fn answer(mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    let mut body = respond.send_response(head, false)?;
    for _ in 0..PIECES {
        body.send_data(Bytes::from_static(&[0; 5]), false)?;
        tokio::time::sleep(PAUSE).await;
    }
    body.send_trailers(HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from(0))]))
}
