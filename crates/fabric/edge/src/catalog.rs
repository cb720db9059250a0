//! Clusters that stand for services: a catalog is asked as Consul is, and each answer waits for the next change.
//!
//! # Invariants
//! - A catalog that is away changes nothing: the instances that it told of last stay.
//! - A change is told as soon as the catalog tells it; between two questions there is a pause, however it answers.

mod ask;
mod instances;
mod seat;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use coreto_proxy::model::ServiceName;
use coreto_proxy::tend::{Registry, Told};
use tokio::sync::watch;

use crate::fault::chain;
use ask::{Asking, Error};
use seat::Way;

pub use seat::{Seat, SeatError, SeatTls};

/// Who follows services at a catalog.
pub(crate) struct Catalog {
    way: watch::Sender<Way>,
    /// The token where the file says none.
    token: OnceLock<String>,
    followed: Mutex<HashMap<ServiceName, Followed>>,
}

/// What is known of a service that is followed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Followed {
    /// Clusters that follow it.
    by: usize,
    /// When the catalog told of it last.
    pub(crate) told: Option<Instant>,
    /// Whether the catalog is away.
    pub(crate) away: bool,
}

/// Pauses before a catalog that is away is asked again: doubled up to the longest.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);
/// Between two questions.
const BETWEEN: Duration = Duration::from_millis(2);

impl Catalog {
    /// Of a catalog that is served at an address, and asks for nothing.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self {
            way: watch::Sender::new(Way::plain(address)),
            token: OnceLock::new(),
            followed: Mutex::default(),
        }
    }

    /// Shows this token where the file says none; the first that is said counts.
    pub(crate) fn usually_shows(&self, token: String) {
        let _ = self.token.set(token);
    }

    /// How the catalog is asked as a file says, whose own files are read now.
    pub(crate) fn way(&self, seat: &Seat) -> Result<Way, SeatError> {
        Way::new(seat, self.token.get().map(String::as_str))
    }

    /// The catalog is asked another way from now on.
    pub(crate) fn moves(&self, way: Way) {
        self.way.send_if_modified(|known| {
            // Other files may stand behind the same names.
            let is_same = known.address == way.address
                && known.token == way.token
                && known.tls.is_none()
                && way.tls.is_none();
            *known = way;
            !is_same
        });
    }

    /// What is known of a service.
    pub(crate) fn followed(&self, service: &ServiceName) -> Followed {
        self.lock().get(service).copied().unwrap_or_default()
    }

    async fn follow_on(&self, service: &ServiceName, tell: Told<'_>) {
        let _entry = Entry::of(self, service);
        let mut way = self.way.subscribe();
        let mut pause = FIRST;
        // Bound: until the cluster is gone; between two turns there is a pause, or another way.
        loop {
            let to = way.borrow_and_update().clone();
            let at = to.address;
            let mut heard = false;
            let error = tokio::select! {
                error = self.listen(&to, service, tell, &mut heard) => error,
                _ = way.changed() => continue,
            };
            if !std::mem::replace(&mut self.lock().entry(service.clone()).or_default().away, true) {
                let name = service.name.as_str();
                let error = chain(&error);
                tracing::warn!(service = name, catalog = %at, error, "the catalog is away; endpoints stay as they were");
            }
            pause = if heard { FIRST } else { (pause * 2).min(LONGEST) };
            tokio::time::sleep(pause).await;
        }
    }

    /// Tells what a catalog tells, until it is away.
    async fn listen(&self, way: &Way, service: &ServiceName, tell: Told<'_>, heard: &mut bool) -> Error {
        let at = way.address;
        let mut asking = match Asking::begin(way, service).await {
            Ok(asking) => asking,
            Err(error) => return error,
        };
        // Bound: until the connection ends, with a pause in each turn.
        loop {
            match asking.next().await {
                Ok(endpoints) => {
                    *heard = true;
                    let name = service.name.as_str();
                    let mut followed = self.lock();
                    let entry = followed.entry(service.clone()).or_default();
                    entry.told = Some(Instant::now());
                    if std::mem::replace(&mut entry.away, false) {
                        tracing::info!(service = name, catalog = %at, "the catalog is back");
                    }
                    drop(followed);
                    tell(endpoints);
                }
                Err(error) => return error,
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ServiceName, Followed>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry for Catalog {
    fn follow<'a>(
        &'a self,
        service: &'a ServiceName,
        tell: Told<'a>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(self.follow_on(service, tell))
    }
}

/// Counts a cluster that follows a service, until it is dropped.
struct Entry<'a> {
    catalog: &'a Catalog,
    service: &'a ServiceName,
}

impl<'a> Entry<'a> {
    fn of(catalog: &'a Catalog, service: &'a ServiceName) -> Self {
        catalog.lock().entry(service.clone()).or_default().by += 1;
        Self { catalog, service }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        let mut followed = self.catalog.lock();
        if let Some(entry) = followed.get_mut(self.service) {
            entry.by -= 1;
            if entry.by == 0 {
                followed.remove(self.service);
            }
        }
    }
}
