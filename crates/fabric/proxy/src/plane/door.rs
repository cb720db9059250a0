//! Listeners in force.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::challenges::Challenges;
use super::crowd::Crowd;
use super::gatekeeper::TurnedAway;
use crate::gate::Limits;
use crate::listen::{Tls, TlsError};
use crate::model::Listener;

/// Why a plan cannot come into force.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen on `{address}` for listener `{listener}`")]
    Bind {
        /// The listener's name.
        listener: String,
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// What another process handed over is no socket that listens.
    #[error("cannot use a socket that was handed over")]
    Inherited(#[source] io::Error),
    /// TLS to a cluster cannot be had.
    #[error("cannot encrypt for cluster `{cluster}`")]
    ClusterTls {
        /// The cluster's name.
        cluster: String,
        /// Why.
        source: Box<TlsError>,
    },
    /// TLS of a listener cannot be had.
    #[error("cannot encrypt for listener `{listener}`")]
    Tls {
        /// The listener's name.
        listener: String,
        /// Why.
        source: Box<TlsError>,
    },
}

/// A socket that listens already, when a process takes over from another.
#[derive(Debug)]
pub struct Inherited {
    /// The address that its listener asks for.
    pub asked: SocketAddr,
    /// The socket itself.
    pub socket: TcpListener,
}

/// A socket that is bound. It stays while plans change around it.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) id: u64,
    /// What was asked for; the port may have been left to the system.
    asked: SocketAddr,
    pub(crate) address: SocketAddr,
    /// None once it is drained: the workers' own copies then empty its queue, and close it.
    listener: Mutex<Option<Listening>>,
    drain: watch::Sender<bool>,
    /// Whether the time that a drain leaves is over.
    end: watch::Sender<bool>,
    /// Connections of HTTP/2, which end by themselves then.
    streaming: AtomicUsize,
    pub(crate) crowd: Arc<Crowd>,
    pub(crate) turned_away: TurnedAway,
}

#[derive(Debug)]
struct Listening {
    socket: TcpListener,
    /// Copies for workers, made when it was bound: later there may be no file descriptors left for them.
    copies: Vec<TcpListener>,
}

/// What listeners stand on.
pub(super) struct Sockets<'a> {
    /// Those that are bound already, with the names of their listeners where these are known.
    pub(super) bound: Vec<(Option<&'a str>, Arc<Bound>)>,
    /// How many workers accept from each.
    pub(super) workers: usize,
    pub(super) challenges: &'a Arc<Challenges>,
}

impl Sockets<'_> {
    /// For each listener the socket that is bound to its address already, if there is one. None goes to two of them,
    /// also when several leave their port to the system: those that keep their names keep their sockets.
    pub(super) fn share_out(&self, listeners: &[Listener]) -> Vec<Option<Arc<Bound>>> {
        let mut free = self.bound.clone();
        let mut given = vec![None; listeners.len()];
        for by_name in [true, false] {
            for (listener, given) in listeners.iter().zip(&mut given).filter(|(_, given)| given.is_none()) {
                let at = free.iter().position(|(name, bound)| {
                    bound.asked == listener.address && (!by_name || *name == Some(&listener.name))
                });
                *given = at.map(|at| free.remove(at).1);
            }
        }
        given
    }
}

/// A listener with its socket.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) bound: Arc<Bound>,
    pub(crate) listener: Listener,
    pub(crate) limits: Arc<Limits>,
    pub(crate) tls: Option<Tls>,
}

impl Bound {
    fn new(listener: &Listener, workers: usize) -> Result<Self, Error> {
        let asked = listener.address;
        let bind = || {
            let bound = Self::of(Inherited { asked, socket: TcpListener::bind(asked)? })?;
            bound.prepare(workers).map(|()| bound)
        };
        bind().map_err(|source| Error::Bind { listener: listener.name.clone(), address: asked, source })
    }

    pub(super) fn of(Inherited { asked, socket }: Inherited) -> io::Result<Self> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        socket.set_nonblocking(true)?;
        Ok(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            asked,
            address: socket.local_addr()?,
            listener: Mutex::new(Some(Listening { socket, copies: Vec::new() })),
            drain: watch::Sender::new(false),
            end: watch::Sender::new(false),
            streaming: AtomicUsize::new(0),
            crowd: Arc::default(),
            turned_away: TurnedAway::default(),
        })
    }

    /// Makes a copy of the socket for each worker.
    pub(super) fn prepare(&self, workers: usize) -> io::Result<()> {
        let mut listener = self.lock();
        let Some(listening) = &mut *listener else { return Ok(()) };
        listening.copies = (0..workers).map(|_| listening.socket.try_clone()).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// The next worker's copy of the socket to accept from; none once it is drained.
    pub(crate) fn accepting(&self) -> Option<TcpListener> {
        self.lock().as_mut()?.copies.pop()
    }

    /// A copy of the socket for a process that takes over; none once it is drained.
    pub(super) fn bequeathed(&self) -> io::Result<Option<Inherited>> {
        let socket = self.lock().as_ref().map(|listening| listening.socket.try_clone()).transpose()?;
        Ok(socket.map(|socket| Inherited { asked: self.asked, socket }))
    }

    pub(crate) fn drain(&self) {
        drop(self.lock().take());
        self.drain.send_replace(true);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Listening>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_draining(&self) -> bool {
        *self.drain.borrow()
    }

    pub(crate) fn drained(&self) -> watch::Receiver<bool> {
        self.drain.subscribe()
    }

    /// The time that the drain leaves is over.
    pub(crate) fn end(&self) {
        self.end.send_replace(true);
    }

    pub(crate) fn ended(&self) -> watch::Receiver<bool> {
        self.end.subscribe()
    }

    /// Counts a connection of HTTP/2, until what it gives is dropped.
    pub(crate) fn stream(&self) -> Streaming<'_> {
        self.streaming.fetch_add(1, Ordering::SeqCst);
        Streaming(&self.streaming)
    }

    pub(crate) fn is_streaming(&self) -> bool {
        self.streaming.load(Ordering::SeqCst) > 0
    }
}

/// A connection of HTTP/2.
pub(crate) struct Streaming<'a>(&'a AtomicUsize);

impl Drop for Streaming<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Door {
    /// Puts a listener in force, on a socket that is bound to its address already, if there is one.
    pub(super) fn new(
        listener: &Listener,
        bound: Option<Arc<Bound>>,
        limits: Limits,
        sockets: &Sockets<'_>,
        before: Option<&Self>,
    ) -> Result<Self, Error> {
        let bound = match bound {
            Some(bound) => bound,
            None => Arc::new(Bound::new(listener, sockets.workers)?),
        };
        // Certificates are read again each time: their files may be others under the same names.
        let before = before.and_then(|before| before.tls.as_ref());
        let tls = listener.tls.as_ref().map(|tls| Tls::build(tls, sockets.challenges, before)).transpose();
        let tls =
            tls.map_err(|source| Error::Tls { listener: listener.name.clone(), source: Box::new(source) })?;
        Ok(Self { bound, listener: listener.clone(), limits: Arc::new(limits), tls })
    }
}
