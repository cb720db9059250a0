//! The gateway itself: a configuration that runs, and can be replaced while it does.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use coreto_proxy::listen::Service;
use coreto_proxy::plane::{self, Allows, Plane};

use crate::admin::Admin;
use crate::diff::{Change, diff};
use crate::log::{AccessLog, Output};
use crate::metrics::Metrics;
use crate::{Config, Fault, internal};

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
        address: std::net::SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The address of the management cannot change while it is served.
    #[error("`admin.address` changes with a restart only")]
    AdminMoved,
}

fn list(faults: &[Fault]) -> String {
    faults.iter().fold(String::new(), |list, fault| list + "\n" + &fault.to_string())
}

/// A gateway whose sockets are bound. [`Gateway::run`] serves.
pub struct Gateway {
    shared: Arc<Shared>,
    admin: Admin,
    log: AccessLog,
    workers: usize,
}

/// What is asked and told while a gateway runs.
pub struct Shared {
    path: PathBuf,
    plane: Arc<Plane>,
    pub(crate) metrics: Arc<Metrics>,
    /// Held while it is replaced.
    config: Mutex<Config>,
}

impl Gateway {
    /// Reads a file and binds all its addresses. Nothing is served before [`Gateway::run`].
    ///
    /// # Errors
    /// When it cannot be read, is not sound, or an address or certificate in it cannot be used.
    pub fn build(path: &Path, workers: usize, output: Output) -> Result<Self, Error> {
        let config = read(path)?;
        let admin_address = config.admin;
        let allows = Allows(Box::new(move |plan, address| {
            internal::name(address, admin_address, plan.model()).is_none()
        }));
        let plane = Plane::build(config.plan.clone(), allows)?;
        let metrics = Arc::new(Metrics::new(workers));
        let admin =
            Admin::bind(admin_address).map_err(|source| Error::Admin { address: admin_address, source })?;
        let log = AccessLog::new(workers, output);
        let shared = Shared { path: path.to_owned(), plane, metrics, config: Mutex::new(config) };
        Ok(Self { shared: Arc::new(shared), admin, log, workers })
    }

    /// What can be asked and told while it runs.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Where the management is served, also when the port was left to the system.
    pub fn admin(&self) -> std::net::SocketAddr {
        self.admin.local_addr()
    }

    /// Serves until it is drained and all requests have ended, or the time for that is over.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn run(self) -> io::Result<()> {
        let Self { shared, admin, log, workers } = self;
        let log = Arc::new(log);
        let ended = Arc::new(tokio::sync::Notify::new());
        let management = admin.start(Arc::clone(&shared), Arc::clone(&ended))?;
        let writer = AccessLog::start(&log)?;
        let ledger = crate::ledger::Ledger { metrics: Arc::clone(&shared.metrics), log: Arc::clone(&log) };
        let served = Service::new(Arc::clone(&shared.plane), workers, Arc::new(ledger)).run();
        log.close();
        ended.notify_one();
        for thread in [management, writer] {
            thread.join().map_err(|_| io::Error::other("a thread of the gateway panicked"))?;
        }
        served
    }
}

impl Shared {
    /// Reads the file again and puts it in force, as a whole or not at all. Gives what changed.
    ///
    /// # Errors
    /// When it cannot be read, is not sound, or cannot come into force; then all goes on as before.
    pub fn reload(&self) -> Result<Vec<Change>, Error> {
        let mut config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        let next = read(&self.path)?;
        if next.admin != config.admin {
            return Err(Error::AdminMoved);
        }
        self.plane.replace(next.plan.clone())?;
        let changes = diff(&config, &next);
        *config = next;
        Ok(changes)
    }

    /// Lets requests under way end, and takes no others.
    pub fn drain(&self) {
        self.plane.drain();
    }

    /// What runs.
    pub fn plane(&self) -> &Arc<Plane> {
        &self.plane
    }

    /// Listeners by name with the addresses in use.
    pub fn addresses(&self) -> Vec<(String, std::net::SocketAddr)> {
        self.plane.addresses()
    }

    /// The configuration in force, with every default in it.
    pub fn config(&self) -> String {
        crate::render(&self.config.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn read(path: &Path) -> Result<Config, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    Config::read(&text).map_err(|faults| Error::Faults { path: path.to_owned(), faults })
}
