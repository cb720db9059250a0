//! What the tasks of one worker share.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use tokio::sync::watch;

use super::Config;
use crate::forward::{Account, Failure, Order};
use crate::gate::{Limits, Request};
use crate::upstream::Pool;

/// Says what is to be done with a request.
pub trait Rules: Send + Sync + 'static {
    /// Where it may go.
    ///
    /// # Errors
    /// When it may go nowhere.
    fn order(&self, request: &Request) -> Result<Order, Failure>;
}

/// Is told of every request when it has ended.
pub trait Ledger: Send + Sync + 'static {
    /// Takes note.
    fn note(&self, account: &Account);
}

pub(super) struct Worker {
    pub(super) config: Config,
    pub(super) limits: Arc<Limits>,
    pub(super) rules: Arc<dyn Rules>,
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) pool: Pool,
    pub(super) drain: watch::Receiver<bool>,
    ids: Ids,
    date: Mutex<(u64, HeaderValue)>,
}

impl Worker {
    pub(super) fn new(
        config: Config,
        rules: Arc<dyn Rules>,
        ledger: Arc<dyn Ledger>,
        drain: watch::Receiver<bool>,
    ) -> Self {
        let limits = Arc::new(config.limits.clone());
        // What endpoints send is bounded likewise; names with `_` are theirs to use.
        let of_endpoints = Limits { underscores: true, ..config.limits.clone() };
        Self {
            config,
            limits,
            rules,
            ledger,
            pool: Pool::new(Arc::new(of_endpoints)),
            drain,
            ids: Ids::default(),
            date: Mutex::new((0, HeaderValue::from_static(""))),
        }
    }

    /// The time as fields say it, made once a second.
    pub(super) fn date(&self) -> HeaderValue {
        let now = SystemTime::now();
        let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut date = self.date.lock().unwrap_or_else(PoisonError::into_inner);
        if date.0 != second {
            let text = httpdate::fmt_http_date(now);
            *date = (second, HeaderValue::try_from(text).expect("a date is text"));
        }
        date.1.clone()
    }

    pub(super) fn id(&self) -> u128 {
        self.ids.next()
    }

    pub(super) fn is_draining(&self) -> bool {
        *self.drain.borrow()
    }
}

/// Names for requests: random enough to be unlike those of other processes, and no secret.
struct Ids {
    high: u64,
    low: AtomicU64,
}

impl Default for Ids {
    fn default() -> Self {
        let random = || RandomState::new().hash_one(0);
        Self { high: random(), low: AtomicU64::new(random()) }
    }
}

impl Ids {
    fn next(&self) -> u128 {
        let low = self.low.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (low ^ (low >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        (u128::from(self.high) << 64) | u128::from(mixed ^ (mixed >> 32))
    }
}
