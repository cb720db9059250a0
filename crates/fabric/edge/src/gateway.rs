//! The gateway itself: a configuration that runs, and can be replaced while it does.

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use coreto_proxy::listen::{self, Service};
use coreto_proxy::model;
use coreto_proxy::plane::{self, Allows, Plane};
use coreto_proxy::tend::Registry;
use tokio::sync::{Notify, watch};

use crate::acme::{self, Acme, Keeper};
use crate::admin::Admin;
use crate::catalog::{Catalog, SeatError};
use crate::diff::{Change, diff};
use crate::hand_over::{self, Offer, Taken};
use crate::internal::{Ours, Served};
use crate::log::{AccessLog, Output};
use crate::metrics::Metrics;
use crate::{Config, Fault, descriptors, fault, internal};

/// Why a gateway cannot run, or not by another configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration's file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not sound.
    #[error("`{path}` is not sound:{}", list(.faults))]
    Faults {
        /// The file.
        path: PathBuf,
        /// All that is wrong.
        faults: Vec<Fault>,
    },
    /// It cannot come into force.
    #[error("the configuration cannot come into force")]
    Plane(#[from] plane::Error),
    /// The gateway's management cannot be served.
    #[error("cannot listen on `{address}` for the gateway's management")]
    Admin {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// There is no place for certificates that are ordered.
    #[error("cannot keep certificates")]
    Acme(#[from] acme::Error),
    /// The catalog cannot be asked.
    #[error("the catalog cannot be asked")]
    Catalog(#[from] SeatError),
    /// Sockets cannot be taken over, or not be offered to a successor.
    #[error(transparent)]
    HandOver(#[from] hand_over::Error),
    /// A thread cannot be started, or panicked.
    #[error("the gateway cannot serve")]
    Serve(#[source] io::Error),
    /// The address of the management cannot change while it is served.
    #[error("`admin.address` changes with a restart only")]
    AdminMoved,
}

fn list(faults: &[Fault]) -> String {
    faults.iter().fold(String::new(), |list, fault| list + "\n" + &fault.to_string())
}

/// A gateway whose sockets are bound. [`Gateway::start`] serves.
pub struct Gateway {
    shared: Arc<Shared>,
    admin: Admin,
    workers: usize,
    hand_over: Option<PathBuf>,
    taken: Option<Taken>,
}

/// A gateway that serves.
pub struct Serving {
    workers: listen::Serving,
    management: JoinHandle<()>,
    /// Writes the access log.
    writer: JoinHandle<()>,
    log: Arc<AccessLog>,
    ended: Arc<Notify>,
}

/// What is asked and told while a gateway runs.
pub struct Shared {
    path: PathBuf,
    plane: Arc<Plane>,
    pub(crate) metrics: Arc<Metrics>,
    log: Arc<AccessLog>,
    /// Held while it is replaced.
    config: Mutex<Config>,
    /// Whether a drain was announced.
    announced: AtomicBool,
    /// Whether another gateway has taken over.
    left: watch::Sender<bool>,
    /// Wakes who keeps certificates when the configuration is another.
    replaced: Notify,
    /// Who follows services.
    pub(crate) catalog: Arc<Catalog>,
    /// What this process serves beside the gateway.
    beside: Beside,
}

/// What the process of a gateway serves beside it.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Its catalog, which the gateway follows wherever its file looks for one.
    pub catalog: Option<SocketAddr>,
    /// All its addresses: none of them is an upstream.
    pub served: Vec<Served>,
}

/// How long the last lines of the access log may take, and how often it is looked whether they are written.
const LOG_END: Duration = Duration::from_secs(2);
const LOG_LOOK: Duration = Duration::from_millis(5);

impl Gateway {
    /// Reads a file and binds all its addresses. Nothing is served before [`Gateway::start`].
    ///
    /// # Errors
    /// When it cannot be read, is not sound, or an address or certificate in it cannot be used.
    pub fn build(path: &Path, workers: usize, output: Output) -> Result<Self, Error> {
        Self::build_beside(Beside::default(), path, workers, output)
    }

    /// The same in a process that serves more.
    ///
    /// # Errors
    /// As [`Gateway::build`].
    pub fn build_beside(beside: Beside, path: &Path, workers: usize, output: Output) -> Result<Self, Error> {
        Self::assemble(read(path, &beside)?, path, workers, output, None, beside)
    }

    /// The same in the place of the gateway that listens at a Unix socket, if there is one: on its sockets, where the
    /// file asks for their addresses. The one that runs goes on until this one serves, which listens there then.
    ///
    /// # Errors
    /// As [`Gateway::build`], or when the gateway that runs does not hand over.
    pub fn succeed(hand_over: &Path, path: &Path, workers: usize, output: Output) -> Result<Self, Error> {
        let beside = Beside::default();
        let config = read(path, &beside)?;
        let taken = Taken::ask(hand_over)?;
        let gateway = Self::assemble(config, path, workers, output, taken, beside)?;
        Ok(Self { hand_over: Some(hand_over.to_owned()), ..gateway })
    }

    fn assemble(
        config: Config,
        path: &Path,
        workers: usize,
        output: Output,
        mut taken: Option<Taken>,
        beside: Beside,
    ) -> Result<Self, Error> {
        descriptors::check(config.plan.model());
        acme::prepare(config.plan.model())?;
        let admin_address = config.admin;
        let (listeners, management) = match &mut taken {
            Some(taken) => (mem::take(&mut taken.listeners), taken.management.take()),
            None => (Vec::new(), None),
        };
        let served = beside.served.clone();
        let allows = Allows(Box::new(move |plan, address| {
            let ours = Ours { admin: admin_address, beside: &served };
            internal::name(address, &ours, plan.model()).is_none()
        }));
        let plane = Plane::inherit(config.plan.clone(), allows, listeners)?;
        let metrics = Arc::new(Metrics::new(workers));
        let failed = |source| Error::Admin { address: admin_address, source };
        let admin = Admin::bind(admin_address, management).map_err(failed)?;
        let log = Arc::new(AccessLog::new(workers, output));
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            plane,
            metrics,
            catalog: Arc::new(Catalog::at(beside.catalog.unwrap_or(config.catalog.address))),
            beside,
            log,
            config: Mutex::new(config),
            announced: AtomicBool::new(false),
            left: watch::Sender::new(false),
            replaced: Notify::new(),
        });
        Ok(Self { shared, admin, workers, hand_over: None, taken })
    }

    /// Shows a token to the catalog where the file says none.
    #[must_use]
    pub fn with_catalog_token(self, token: String) -> Self {
        self.shared.catalog.usually_shows(token);
        self
    }

    /// What can be asked and told while it runs.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Where the management is served, also when the port was left to the system.
    pub fn admin(&self) -> SocketAddr {
        self.admin.local_addr()
    }

    /// Begins to serve; a gateway that it takes over from then ends.
    ///
    /// # Errors
    /// When a thread cannot be started, the catalog cannot be asked as the file says, or the other gateway goes on all
    /// the same.
    pub fn start(self) -> Result<Serving, Error> {
        let Self { shared, admin, workers, hand_over, taken } = self;
        if shared.beside.catalog.is_none() {
            let config = shared.config.lock().unwrap_or_else(PoisonError::into_inner);
            shared.catalog.moves(shared.catalog.way(&config.catalog)?);
        }
        let (log, ended) = (Arc::clone(&shared.log), Arc::new(Notify::new()));
        let successors = hand_over.is_some().then(|| admin.bequeathed()).transpose().map_err(Error::Serve)?;
        let management = admin.start(Arc::clone(&shared), Arc::clone(&ended)).map_err(Error::Serve)?;
        let writer = AccessLog::start(&log).map_err(Error::Serve)?;
        let ledger = crate::ledger::Ledger { metrics: Arc::clone(&shared.metrics), log: Arc::clone(&log) };
        Keeper::start(Arc::clone(&shared)).map_err(Error::Serve)?;
        let service = Service::new(Arc::clone(&shared.plane), workers, Arc::new(ledger))
            .with_registry(Arc::clone(&shared.catalog) as Arc<dyn Registry>);
        let workers = service.start().map_err(Error::Serve)?;
        let serving = Serving { workers, management, writer, log, ended };
        let placed = taken.map_or(Ok(()), Taken::ready).and_then(|()| match hand_over.zip(successors) {
            Some((path, sockets)) => Offer::bind(&path, sockets).map(Some),
            None => Ok(None),
        });
        match placed {
            Ok(None) => {}
            Ok(Some(offer)) => offer.start(Arc::clone(&shared)).map_err(Error::Serve)?,
            Err(error) => {
                shared.drain();
                serving.wait()?;
                return Err(error.into());
            }
        }
        Ok(serving)
    }

    /// Serves until it is drained and all requests have ended, or the time for that is over.
    ///
    /// # Errors
    /// When it cannot start.
    pub fn run(self) -> Result<(), Error> {
        self.start()?.wait()
    }
}

impl Serving {
    /// Waits until it is drained and all requests have ended, or the time for that is over.
    ///
    /// # Errors
    /// When a thread could not serve.
    pub fn wait(self) -> Result<(), Error> {
        let served = self.workers.wait();
        self.log.close();
        self.ended.notify_one();
        let panicked = |_| Error::Serve(io::Error::other("a thread of the gateway panicked"));
        self.management.join().map_err(panicked)?;
        let asked = Instant::now();
        // Bound: who reads the log may be stuck, and is not waited for longer.
        while !self.writer.is_finished() && asked.elapsed() < LOG_END {
            std::thread::sleep(LOG_LOOK);
        }
        if self.writer.is_finished() {
            self.writer.join().map_err(panicked)?;
        } else {
            tracing::warn!("the last lines of the access log are not written: nobody reads what is there");
        }
        served.map_err(Error::Serve)
    }
}

impl Shared {
    /// Opens the file of the access log again.
    pub fn reopen_log(&self) {
        self.log.reopen();
    }

    /// Reads the file again and puts it in force, as a whole or not at all. Gives what changed. The file of the access
    /// log is opened again in any case.
    ///
    /// # Errors
    /// When it cannot be read, is not sound, or cannot come into force; then all goes on as before.
    pub fn reload(&self) -> Result<Vec<Change>, Error> {
        self.reopen_log();
        let mut config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        let next = read(&self.path, &self.beside)?;
        if next.admin != config.admin {
            return Err(Error::AdminMoved);
        }
        let made = acme::prepare(next.plan.model())?;
        let replaced = self.catalog.way(&next.catalog).map_err(Error::from).and_then(|way| {
            self.plane.replace(next.plan.clone())?;
            Ok(way)
        });
        let way = match replaced {
            Ok(way) => way,
            Err(error) => {
                // As a whole or not at all.
                for file in made {
                    let _ = std::fs::remove_file(file);
                }
                return Err(error);
            }
        };
        descriptors::check(next.plan.model());
        self.metrics.keep(|name| next.plan.model().routes.iter().any(|route| route.name == name));
        if self.beside.catalog.is_none() {
            self.catalog.moves(way);
        }
        let changes = diff(&config, &next);
        *config = next;
        self.replaced.notify_one();
        Ok(changes)
    }

    /// Puts the configuration in force again, so that files of certificates are read again.
    pub(crate) fn read_certificates(&self) {
        let config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.plane.replace(config.plan.clone()) {
            tracing::error!(error = fault::chain(&error), "certificates stay as they were");
        }
    }

    /// From whom certificates are ordered, and which.
    pub(crate) fn acme(&self) -> Option<(Acme, Vec<model::Acme>)> {
        let config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        let orders = acme::orders(config.plan.model()).cloned().collect();
        Some((config.acme.clone()?, orders))
    }

    /// Ready once the configuration is another.
    pub(crate) async fn until_replaced(&self) {
        self.replaced.notified().await;
    }

    /// Says from now on that it drains, and gives how long it is to serve all the same.
    pub fn announce_drain(&self) -> Duration {
        self.announced.store(true, Ordering::SeqCst);
        self.config.lock().unwrap_or_else(PoisonError::into_inner).pre_drain
    }

    /// Whether it says that it drains.
    pub(crate) fn says_that_it_drains(&self) -> bool {
        self.announced.load(Ordering::SeqCst) || self.plane.is_draining()
    }

    /// Lets requests under way end, and takes no others.
    pub fn drain(&self) {
        self.plane.drain();
    }

    /// The same, and leaves the management to the gateway that has taken over.
    pub(crate) fn leave(&self) {
        self.left.send_replace(true);
        self.drain();
    }

    /// Ready once another gateway has taken over.
    pub(crate) async fn until_left(&self) {
        // Its sender is ours.
        let _ = self.left.subscribe().wait_for(|left| *left).await.map(drop);
    }

    /// What runs.
    pub fn plane(&self) -> &Arc<Plane> {
        &self.plane
    }

    /// Listeners by name with the addresses in use.
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        self.plane.addresses()
    }

    /// The configuration in force, with every default in it, and without secrets.
    pub fn config(&self) -> String {
        crate::config::render_open(&self.config.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn read(path: &Path, beside: &Beside) -> Result<Config, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    Config::read_beside(&text, &beside.served)
        .map_err(|faults| Error::Faults { path: path.to_owned(), faults })
}
