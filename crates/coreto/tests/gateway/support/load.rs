//! Clients that ask all the time, and remember what they were not answered.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::task::JoinSet;

use super::client::{Answer, Caller};
use super::kind::{Kind, LASTING, once};
use super::program::until;
use super::stream::{self, Undone};
use super::way::{PATIENCE, Way};

/// What clients ask.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) address: SocketAddr,
    pub(crate) request: &'static str,
    pub(crate) body: &'static str,
}

/// Clients at work, until they are told to stop.
#[derive(Default)]
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    /// How often each was answered.
    answered: Vec<Arc<AtomicU64>>,
    /// What was not answered as it should be.
    failed: Failed,
    clients: Vec<JoinHandle<()>>,
}

type Failed = Arc<Mutex<Vec<String>>>;

fn note(failed: &Failed, what: String) {
    failed.lock().unwrap().push(what);
}

/// Clients of each kind.
const CLIENTS: usize = 3;

impl Load {
    /// Clients that get answers: on connections that are kept, on connections for one request, and on streams of
    /// HTTP/2.
    pub(crate) fn start(address: SocketAddr, path: &'static str) -> Self {
        let mut load = Self::default();
        load.get(&Way { address, trust: None }, path);
        load
    }

    /// The same, and clients that send bodies, read streams and hold WebSockets, on HTTP/1 and HTTP/2. `calls`:
    /// whether there are calls of gRPC, too.
    pub(crate) fn of_all_kinds(way: &Way, calls: bool) -> Self {
        let mut load = Self::default();
        load.get(way, "/shop/a");
        for kind in LASTING {
            load.add_kept(way, move |caller| once(caller, kind));
        }
        load.add_streams(way, LASTING.into_iter().chain(calls.then_some(Kind::Call)).collect());
        load
    }

    /// Clients on connections that are kept for as long as the gateway keeps them.
    pub(crate) fn kept(asked: &Asked, clients: usize) -> Self {
        let mut load = Self::default();
        for _ in 0..clients {
            let Asked { address, request, body } = *asked;
            load.add_kept(&Way { address, trust: None }, move |caller| caller.ask(request, body));
        }
        load
    }

    fn get(&mut self, way: &Way, path: &'static str) {
        let kind = Kind::Get(path);
        for _ in 0..CLIENTS {
            self.add_kept(way, move |caller| once(caller, kind));
            let way = way.clone();
            self.add(move || once(&mut Caller::by(&way)?, kind));
        }
        self.add_streams(way, vec![kind; CLIENTS]);
    }

    /// Another client, by what it does to ask once on its connection.
    fn add_kept(&mut self, way: &Way, ask: impl Fn(&mut Caller) -> io::Result<Answer> + Send + 'static) {
        let way = way.clone();
        let mut kept: Option<Caller> = None;
        self.add(move || {
            let connected = match kept.take() {
                Some(caller) => caller,
                None => Caller::by(&way)?,
            };
            let answer = ask(kept.insert(connected))?;
            if answer.last {
                kept = None;
            }
            Ok(answer)
        });
    }

    /// Another client, by what it does to ask once.
    fn add(&mut self, mut ask: impl FnMut() -> io::Result<Answer> + Send + 'static) {
        let (stop, answered, failed) = (Arc::clone(&self.stop), self.counter(), Arc::clone(&self.failed));
        self.clients.push(std::thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                match ask() {
                    Ok(answer) if answer.status == 200 => drop(answered.fetch_add(1, Ordering::SeqCst)),
                    Ok(answer) => note(&failed, format!("{}: {}", answer.status, answer.body)),
                    Err(error) => note(&failed, error.to_string()),
                }
            }
        }));
    }

    /// Clients on a connection of HTTP/2 each.
    fn add_streams(&mut self, way: &Way, kinds: Vec<Kind>) {
        let counted: Vec<_> = kinds.into_iter().map(|kind| (kind, self.counter())).collect();
        let (way, stop, failed) = (way.clone(), Arc::clone(&self.stop), Arc::clone(&self.failed));
        self.clients.push(std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut clients = JoinSet::new();
                for (kind, answered) in counted {
                    let (stop, failed) = (Arc::clone(&stop), Arc::clone(&failed));
                    clients.spawn(streams(way.clone(), kind, stop, answered, failed));
                }
                clients.join_all().await;
            });
        }));
    }

    fn counter(&mut self) -> Arc<AtomicU64> {
        let counter = Arc::default();
        self.answered.push(Arc::clone(&counter));
        counter
    }

    fn counts(&self) -> Vec<u64> {
        self.answered.iter().map(|answered| answered.load(Ordering::SeqCst)).collect()
    }

    /// Lets so many more requests be answered.
    pub(crate) fn go_on(&self, more: u64) {
        let enough = self.counts().iter().sum::<u64>() + more;
        until("requests are answered", || self.counts().iter().sum::<u64>() >= enough);
    }

    /// Lets each client be answered something that it asks for from now on.
    pub(crate) fn all_go_on(&self) {
        let before = self.counts();
        until("all are answered, or one is not", || {
            // The first of them may have been under way.
            let all = self.counts().iter().zip(&before).all(|(now, before)| *now >= before + 2);
            all || !self.failed.lock().unwrap().is_empty()
        });
    }

    /// Stops, and gives how many were answered and what was not.
    pub(crate) fn end(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::SeqCst);
        self.clients.into_iter().for_each(|client| client.join().unwrap());
        let answered = self.answered.iter().map(|answered| answered.load(Ordering::SeqCst)).sum();
        (answered, std::mem::take(&mut *self.failed.lock().unwrap()))
    }
}

/// Asks on one connection of HTTP/2, and on another one once that takes no more streams.
async fn streams(way: Way, kind: Kind, stop: Arc<AtomicBool>, answered: Arc<AtomicU64>, failed: Failed) {
    while !stop.load(Ordering::SeqCst) {
        let opened = async {
            let link = way.connect_two().await.map_err(|error| error.to_string())?;
            h2::client::handshake(link).await.map_err(|error| error.to_string())
        };
        let (sender, connection) = match opened.await {
            Ok(opened) => opened,
            Err(error) => {
                note(&failed, format!("no connection of HTTP/2: {error}"));
                continue;
            }
        };
        let open = tokio::spawn(connection);
        while !stop.load(Ordering::SeqCst) {
            // Told to go away before it asked.
            let Ok(ready) = sender.clone().ready().await else { break };
            if kind == Kind::Socket && !ready.is_extended_connect_protocol_enabled() {
                // What the gateway allows has not come yet.
                tokio::task::yield_now().await;
                continue;
            }
            match tokio::time::timeout(PATIENCE, stream::once(ready, way.address, kind)).await {
                Ok(Ok(200)) => drop(answered.fetch_add(1, Ordering::SeqCst)),
                Ok(Ok(status)) => note(&failed, format!("{kind:?}: {status} on a stream")),
                Ok(Err(Undone::Unsent)) => break,
                Ok(Err(Undone::Failed(error))) => {
                    note(&failed, format!("{kind:?}: a stream failed: {error}"));
                    break;
                }
                Err(_) => note(&failed, format!("{kind:?}: a stream had no answer")),
            }
        }
        open.abort();
    }
}
