//! The connections of one listener, at one worker.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::worker::Worker;
use super::{Tls, one, two};
use crate::forward::Client;
use crate::model::Clocks;
use crate::plane::{Bound, Door, is_set};
use crate::wire::{Alarm, Connection, Socket};

/// How long to wait when no connection can be accepted, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a connection that is being drained waits for a request that may be on its way.
pub(super) const DRAIN_IDLE: Duration = Duration::from_secs(1);
/// How long connections of HTTP/2 may take to end when they must, and how often it is looked whether they have.
const END: Duration = Duration::from_secs(1);
const END_LOOK: Duration = Duration::from_millis(5);
/// No more connections wait to be accepted than this; systems queue less.
const QUEUE_MAX: usize = 4096;

/// Accepts until the socket is drained; then what waits already, and lets it end.
pub(super) async fn accept(worker: Arc<Worker>, bound: Arc<Bound>, listener: TcpListener) {
    let mut open = JoinSet::new();
    let mut drained = bound.drained();
    // Bound: until the drain.
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => enter(&worker, &bound, stream, peer, &mut open),
                Err(error) => {
                    if error.kind() != io::ErrorKind::ConnectionAborted && bound.turned_away.note_accept() {
                        let address = bound.address;
                        tracing::error!(%address, %error, "connections cannot be accepted, and wait");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = open.join_next() => {}
            () = is_set(&mut drained) => break,
        }
    }
    // What came meanwhile is known only once the system has been asked.
    tokio::task::yield_now().await;
    // More than its queue holds come only when another process accepts from it, too, and is left to that then.
    for _ in 0..QUEUE_MAX {
        let Some(Ok((stream, peer))) = waiting(&listener).await else { break };
        enter(&worker, &bound, stream, peer, &mut open);
    }
    drop(listener);
    let drain_in = door(&worker, &bound).map_or(Duration::ZERO, |door| door.listener.clocks.drain);
    let rest = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(drain_in, rest).await.is_err() {
        end(&bound, &mut open).await;
    }
    worker.forget(&bound);
}

/// Ends what is still there when the time of a drain is over; each request says so to its client on its way out.
async fn end(bound: &Bound, open: &mut JoinSet<()>) {
    bound.end();
    // What streams say leaves by their connections.
    let told = async {
        while bound.is_streaming() {
            tokio::time::sleep(END_LOOK).await;
        }
    };
    let _ = tokio::time::timeout(END, told).await;
    open.shutdown().await;
    // What was put on connections of HTTP/2 to endpoints leaves by tasks of theirs.
    tokio::time::sleep(END_LOOK).await;
}

/// What can be accepted without waiting.
async fn waiting(listener: &TcpListener) -> Option<io::Result<(TcpStream, SocketAddr)>> {
    // Not told to let others go first: what is not taken now is lost.
    tokio::task::unconstrained(poll_fn(|cx| match listener.poll_accept(cx) {
        Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
        Poll::Pending => Poll::Ready(None),
    }))
    .await
}

/// The listener of a socket, as it is now, or was last.
fn door(worker: &Worker, bound: &Bound) -> Option<Arc<Door>> {
    worker.local_of(bound).force().doors.iter().find(|door| door.bound.id == bound.id).cloned()
}

/// Begins to serve a connection, if there is room for it.
fn enter(
    worker: &Arc<Worker>,
    bound: &Arc<Bound>,
    stream: TcpStream,
    peer: SocketAddr,
    open: &mut JoinSet<()>,
) {
    let Some(door) = door(worker, bound) else { return };
    let Some(place) = bound.crowd.enter(peer.ip(), &door.listener.bounds) else {
        if bound.turned_away.note_crowd() {
            let listener = &door.listener.name;
            tracing::warn!(listener, %peer, "a connection is closed: as many are open as `bounds` allows");
        }
        return;
    };
    let worker = Arc::clone(worker);
    open.spawn(async move {
        connection(&worker, &door, stream, peer).await;
        drop(place);
    });
}

async fn connection(worker: &Arc<Worker>, door: &Arc<Door>, stream: TcpStream, peer: SocketAddr) {
    // Small writes leave at once; a failure only costs time.
    let _ = stream.set_nodelay(true);
    if let Some(tls) = &door.tls {
        return encrypted(worker, door, tls, stream, peer).await;
    }
    let client = Arc::new(Client::new(door, peer));
    let mut connection = Box::new(Connection::new(Socket::plain(stream), Arc::clone(&door.limits)));
    match Opening::new(&door.listener.clocks).first(&mut connection, &door.bound).await {
        First::Two => two::serve(worker, &client, connection.into_socket()).await,
        First::One(begun) => one::serve(worker, &client, connection, begun).await,
        First::Nothing => {}
    }
}

/// How long a connection may take to show which protocol it speaks.
struct Opening<'a> {
    clocks: &'a Clocks,
    alarm: Alarm,
    /// When it ends if nothing comes.
    silent_until: Instant,
    /// When something came.
    begun: Option<Instant>,
}

/// What a connection begins with.
enum First {
    Two,
    /// Since when its first head comes, if that has begun.
    One(Option<Instant>),
    Nothing,
}

impl<'a> Opening<'a> {
    fn new(clocks: &'a Clocks) -> Self {
        let silent_until = Instant::now() + clocks.idle;
        Self { clocks, alarm: Alarm::new(silent_until), silent_until, begun: None }
    }

    async fn first(mut self, connection: &mut Connection, bound: &Bound) -> First {
        let mut drained = bound.drained();
        tokio::select! {
            biased;
            first = poll_fn(|cx| self.poll(cx, connection)) => return first,
            () = is_set(&mut drained) => {}
        }
        self.silent_until = Instant::now() + DRAIN_IDLE;
        poll_fn(|cx| self.poll(cx, connection)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>, connection: &mut Connection) -> Poll<First> {
        match connection.poll_preface(cx) {
            Poll::Ready(Ok(true)) => return Poll::Ready(First::Two),
            Poll::Ready(Ok(false)) => return Poll::Ready(First::One(self.begun)),
            Poll::Ready(Err(_)) => return Poll::Ready(First::Nothing),
            Poll::Pending => {}
        }
        if connection.has_begun() {
            self.begun.get_or_insert_with(Instant::now);
        }
        self.alarm.set(self.begun.map_or(self.silent_until, |begun| begun + self.clocks.header));
        // What has begun and does not go on is told so.
        self.alarm
            .poll(cx)
            .map(|()| if self.begun.is_some() { First::One(self.begun) } else { First::Nothing })
    }
}

async fn encrypted(worker: &Arc<Worker>, door: &Arc<Door>, tls: &Tls, stream: TcpStream, peer: SocketAddr) {
    let handshake = tokio::time::timeout(door.listener.clocks.handshake, tls.acceptor().accept(stream));
    let mut drained = door.bound.drained();
    let drained = async {
        is_set(&mut drained).await;
        tokio::time::sleep(DRAIN_IDLE).await;
    };
    let agreed = tokio::select! {
        biased;
        agreed = handshake => agreed,
        () = drained => return,
    };
    let stream = match agreed.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(stream) => stream,
        // Who closes in the midst of it looks whether the port is open, or has lost interest.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return,
        // A client that cannot be agreed with has been told so by an alert.
        Err(error) => {
            if door.bound.turned_away.note_handshake() {
                let listener = &door.listener.name;
                tracing::info!(listener, %peer, %error, "a handshake failed");
            }
            return;
        }
    };
    let session = stream.get_ref().1;
    if Tls::is_check(session.alpn_protocol()) {
        return;
    }
    let shown = session.server_name().and_then(|name| Some((name, tls.shown_for(name)?)));
    let certificate = session.peer_certificates().and_then(|chain| chain.first());
    let client = Client::new(door, peer).encrypted(shown, certificate.map(AsRef::as_ref));
    let client = Arc::new(client);
    let is_two = session.alpn_protocol() == Some(b"h2");
    let socket = Socket::tls(stream.into());
    if is_two {
        two::serve(worker, &client, socket).await;
    } else {
        let connection = Connection::new(socket, Arc::clone(&door.limits));
        one::serve(worker, &client, Box::new(connection), None).await;
    }
}
