//! Listeners in force.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::challenges::Challenges;
use super::crowd::Crowd;
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
    listener: Mutex<Option<TcpListener>>,
    drain: watch::Sender<bool>,
    pub(crate) crowd: Arc<Crowd>,
}

/// What listeners stand on.
pub(super) struct Sockets<'a> {
    /// Those that are bound already.
    pub(super) bound: Vec<Arc<Bound>>,
    pub(super) challenges: &'a Arc<Challenges>,
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
    fn new(listener: &Listener) -> Result<Self, Error> {
        let asked = listener.address;
        let failed = |source| Error::Bind { listener: listener.name.clone(), address: asked, source };
        let socket = TcpListener::bind(asked).map_err(failed)?;
        Self::of(Inherited { asked, socket }).map_err(failed)
    }

    pub(super) fn of(Inherited { asked, socket }: Inherited) -> io::Result<Self> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        socket.set_nonblocking(true)?;
        Ok(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            asked,
            address: socket.local_addr()?,
            listener: Mutex::new(Some(socket)),
            drain: watch::Sender::new(false),
            crowd: Arc::default(),
        })
    }

    /// A copy of the socket to accept from; none once it is drained.
    pub(crate) fn accepting(&self) -> io::Result<Option<TcpListener>> {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        listener.as_ref().map(TcpListener::try_clone).transpose()
    }

    /// A copy of the socket for a process that takes over; none once it is drained.
    pub(super) fn bequeathed(&self) -> io::Result<Option<Inherited>> {
        Ok(self.accepting()?.map(|socket| Inherited { asked: self.asked, socket }))
    }

    pub(crate) fn drain(&self) {
        drop(self.listener.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.drain.send_replace(true);
    }

    pub(crate) fn is_draining(&self) -> bool {
        *self.drain.borrow()
    }

    pub(crate) fn drained(&self) -> watch::Receiver<bool> {
        self.drain.subscribe()
    }
}

impl Door {
    /// Puts a listener in force, on the socket that is bound to its address already, if there is one.
    pub(super) fn new(listener: &Listener, sockets: &Sockets<'_>) -> Result<Self, Error> {
        let same = sockets.bound.iter().find(|bound| bound.asked == listener.address);
        let bound = match same {
            Some(bound) => Arc::clone(bound),
            None => Arc::new(Bound::new(listener)?),
        };
        // Certificates are read again each time: their files may be others under the same names.
        let tls = listener.tls.as_ref().map(|tls| Tls::build(tls, sockets.challenges)).transpose();
        let tls =
            tls.map_err(|source| Error::Tls { listener: listener.name.clone(), source: Box::new(source) })?;
        let limits = Arc::new(Limits::of(&listener.bounds));
        Ok(Self { bound, listener: listener.clone(), limits, tls })
    }
}
