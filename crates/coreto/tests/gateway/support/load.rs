//! Clients that ask all the time, and remember what they were not answered.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;

use super::client::{Answer, Caller, PATIENCE, ask};
use super::program::until;

/// What clients ask.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) address: SocketAddr,
    pub(crate) request: &'static str,
    pub(crate) body: &'static str,
}

/// Clients at work, until they are told to stop.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

/// Clients of each kind.
const CLIENTS: usize = 3;

impl Load {
    /// Clients on connections that are kept, on connections for one request, and on streams of HTTP/2.
    pub(crate) fn start(address: SocketAddr, path: &'static str) -> Self {
        let get = Asked { address, request: path, body: "" };
        let mut load = Self::kept(&get, CLIENTS);
        for _ in 0..CLIENTS {
            let asked = get.clone();
            load.add(move || ask(asked.address, asked.request, asked.body));
        }
        load.add_streams(address, path);
        load
    }

    /// Clients on connections that are kept for as long as the gateway keeps them.
    pub(crate) fn kept(asked: &Asked, clients: usize) -> Self {
        let mut load = Self { stop: Arc::default(), answered: Arc::default(), clients: Vec::new() };
        for _ in 0..clients {
            let asked = asked.clone();
            let mut caller: Option<Caller<TcpStream>> = None;
            load.add(move || {
                let connected = match caller.take() {
                    Some(caller) => caller,
                    None => Caller::connect(asked.address)?,
                };
                let answer = caller.insert(connected).ask(asked.request, asked.body)?;
                if answer.last {
                    caller = None;
                }
                Ok(answer)
            });
        }
        load
    }

    /// Another client, by what it does to ask once.
    pub(crate) fn add(&mut self, mut ask: impl FnMut() -> io::Result<Answer> + Send + 'static) {
        let (stop, answered) = (Arc::clone(&self.stop), Arc::clone(&self.answered));
        self.clients.push(std::thread::spawn(move || {
            let mut failed = Vec::new();
            while !stop.load(Ordering::SeqCst) {
                match ask() {
                    Ok(answer) if answer.status == 200 => drop(answered.fetch_add(1, Ordering::SeqCst)),
                    Ok(answer) => failed.push(format!("{}: {}", answer.status, answer.body)),
                    Err(error) => failed.push(error.to_string()),
                }
            }
            failed
        }));
    }

    fn add_streams(&mut self, address: SocketAddr, request: &'static str) {
        let (stop, answered) = (Arc::clone(&self.stop), Arc::clone(&self.answered));
        self.clients.push(std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let clients = (0..CLIENTS).map(|_| streams(address, request, &stop, &answered));
                let mut failed = Vec::new();
                for list in join(clients).await {
                    failed.extend(list);
                }
                failed
            })
        }));
    }

    /// Lets so many more requests be answered.
    pub(crate) fn go_on(&self, more: u64) {
        let enough = self.answered.load(Ordering::SeqCst) + more;
        until("requests are answered", || self.answered.load(Ordering::SeqCst) >= enough);
    }

    /// Stops, and gives how many were answered and what was not.
    pub(crate) fn end(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::SeqCst);
        let failed = self.clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        (self.answered.load(Ordering::SeqCst), failed)
    }
}

/// Asks on one connection of HTTP/2, and on another one once that takes no more streams.
async fn streams(address: SocketAddr, request: &str, stop: &AtomicBool, answered: &AtomicU64) -> Vec<String> {
    let mut failed = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let opened = async {
            let stream = tokio::net::TcpStream::connect(address).await.map_err(|error| error.to_string())?;
            h2::client::handshake(stream).await.map_err(|error| error.to_string())
        };
        let (sender, connection) = match opened.await {
            Ok(opened) => opened,
            Err(error) => {
                failed.push(format!("no connection of HTTP/2: {error}"));
                continue;
            }
        };
        let open = tokio::spawn(connection);
        while !stop.load(Ordering::SeqCst) {
            // Told to go away before it asked.
            let Ok(ready) = sender.clone().ready().await else { break };
            match tokio::time::timeout(PATIENCE, stream(ready, address, request)).await {
                Ok(Ok(200)) => drop(answered.fetch_add(1, Ordering::SeqCst)),
                Ok(Ok(status)) => failed.push(format!("{status} on a stream")),
                Ok(Err(Gone::Unsent)) => break,
                Ok(Err(Gone::Sent(error))) => {
                    failed.push(format!("a stream failed: {error}"));
                    break;
                }
                Err(_) => failed.push("a stream had no answer".to_owned()),
            }
        }
        open.abort();
    }
    failed
}

enum Gone {
    /// The connection takes no streams: nothing was asked.
    Unsent,
    Sent(h2::Error),
}

async fn stream(
    mut sender: h2::client::SendRequest<Bytes>,
    address: SocketAddr,
    request: &str,
) -> Result<u16, Gone> {
    let (method, path) = request.split_once(' ').unwrap();
    let request =
        http::Request::builder().method(method).uri(format!("http://{address}{path}")).body(()).unwrap();
    let (response, _) = sender.send_request(request, true).map_err(|_| Gone::Unsent)?;
    let response = response.await.map_err(Gone::Sent)?;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    while let Some(piece) = body.data().await {
        let piece = piece.map_err(Gone::Sent)?;
        let _ = body.flow_control().release_capacity(piece.len());
    }
    Ok(status)
}

async fn join<F: Future<Output = Vec<String>>>(all: impl Iterator<Item = F>) -> Vec<Vec<String>> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<Vec<String>>> = vec![None; all.len()];
    std::future::poll_fn(|cx| {
        for (future, done) in all.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(output) = future.as_mut().poll(cx) {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
