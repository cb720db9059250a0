//! What the tasks of one worker share.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderValue;

use crate::chance::Dice;
use crate::forward::Account;
use crate::gate::Limits;
use crate::model::Reader;
use crate::plane::{InForce, Local, Plane};
use crate::upstream::Pool;

/// Is told of every request when it has ended.
pub trait Ledger: Send + Sync + 'static {
    /// Takes note, on the thread of the worker with this number.
    fn note(&self, worker: usize, account: &Account);
}

pub(super) struct Worker {
    pub(super) number: usize,
    pub(super) plane: Arc<Plane>,
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) pool: Arc<Pool>,
    seen: Mutex<Seen>,
    ids: Ids,
    date: Mutex<(u64, HeaderValue)>,
}

struct Seen {
    reader: Reader<InForce>,
    local: Arc<Local>,
    dice: Dice,
}

impl Worker {
    pub(super) fn new(number: usize, plane: Arc<Plane>, ledger: Arc<dyn Ledger>) -> Self {
        let mut reader = plane.reader();
        let mut dice = Dice::seeded(RandomState::new().hash_one(number));
        let local = Arc::new(Local::new(Arc::clone(reader.get()), None, &mut dice));
        // What endpoints send is bounded as usual; names with `_` are theirs to use.
        let limits = Limits { underscores: true, ..Limits::default() };
        Self {
            number,
            plane,
            ledger,
            pool: Arc::new(Pool::new(Arc::new(limits))),
            seen: Mutex::new(Seen { reader, local, dice }),
            ids: Ids::default(),
            date: Mutex::new((0, HeaderValue::from_static(""))),
        }
    }

    /// What is in force now.
    pub(super) fn local(&self) -> Arc<Local> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen { reader, local, dice } = &mut *seen;
        let force = reader.get();
        if !Arc::ptr_eq(force, local.force()) {
            *local = Arc::new(Local::new(Arc::clone(force), Some(local), dice));
        }
        Arc::clone(local)
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
