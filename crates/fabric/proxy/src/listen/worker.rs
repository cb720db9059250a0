//! What the tasks of one worker share.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderValue;

use crate::chance::Dice;
use crate::forward::Account;
use crate::gate::Limits;
use crate::model::Reader;
use crate::plane::{Bound, InForce, Local, Plane};
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
    /// What was in force last with a listener that is gone, by the number of its socket, for as long as it has
    /// connections.
    gone: Vec<(u64, Arc<Local>)>,
    dice: Dice,
}

impl Worker {
    pub(super) fn new(number: usize, plane: Arc<Plane>, ledger: Arc<dyn Ledger>) -> Self {
        let mut reader = plane.reader();
        let mut dice = Dice::seeded(RandomState::new().hash_one(number));
        let local = Arc::new(Local::new(Arc::clone(reader.get()), None, &mut dice));
        // What endpoints send is bounded as usual; names with `_` are theirs to use.
        let limits = Limits { underscores: true, ..Limits::default() };
        let pool = Pool::new(Arc::new(limits), plane.calls().clone());
        Self {
            number,
            plane,
            ledger,
            pool: Arc::new(pool),
            seen: Mutex::new(Seen { reader, local, gone: Vec::new(), dice }),
            ids: Ids::default(),
            date: Mutex::new((0, HeaderValue::from_static(""))),
        }
    }

    /// What is in force now.
    pub(super) fn local(&self) -> Arc<Local> {
        self.seen().now()
    }

    /// What is in force for a listener: that in which it was last, once it is gone.
    pub(super) fn local_of(&self, bound: &Bound) -> Arc<Local> {
        let mut seen = self.seen();
        let now = seen.now();
        let last = seen.gone.iter().find(|(id, _)| *id == bound.id);
        last.map_or(now, |(_, local)| Arc::clone(local))
    }

    /// Lets go what was kept for a listener that is gone, and has no more connections.
    pub(super) fn forget(&self, bound: &Bound) {
        self.seen().gone.retain(|(id, _)| *id != bound.id);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
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

impl Seen {
    fn now(&mut self) -> Arc<Local> {
        let Self { reader, local, gone, dice } = self;
        let force = reader.get();
        if !Arc::ptr_eq(force, local.force()) {
            let next = Arc::new(Local::new(Arc::clone(force), Some(local), dice));
            let ids = local.force().doors.iter().map(|door| door.bound.id);
            gone.extend(ids.filter(|id| force.listener(*id).is_none()).map(|id| (id, Arc::clone(local))));
            *local = next;
        }
        Arc::clone(local)
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
