//! A plan in force, with all that lives on from one plan to the next: sockets, clusters, counts.
//!
//! **In:** a [`Plan`](crate::model::Plan), and later others instead.
//! **Out:** what workers act by. A plan comes into force whole or not at all, and no connection drops for it.
//!
//! # Invariants
//! - Everything that can fail (sockets, certificates) is done before the old plan is let go.
//! - A request keeps the plan that it began with; a connection keeps the bounds and clocks that it began with.
//! - What has the same name in both plans keeps its counts, its endpoints' state and its connections.
//!
//! # Where to look
//! `force.rs` a plan with its parts · `door.rs` listeners · `rule.rs` routes · `local.rs` a worker's share ·
//! `crowd.rs` how many connections there may be · `gatekeeper.rs` which are not served · `challenges.rs` what authorities of certificates are shown.

mod challenges;
mod crowd;
mod door;
mod force;
mod gatekeeper;
mod local;
mod rule;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use crate::chance::Dice;
use crate::forward::Via;
use crate::hash::Keyed;
use crate::model::{Current, Plan, Reader};
use crate::moment::Moment;
use crate::upstream::Calls;

pub use challenges::Challenges;
use door::Sockets;
pub(crate) use door::{Bound, Door};
pub use door::{Error, Inherited};
pub use force::InForce;
pub use gatekeeper::TurnedAway;
pub(crate) use local::Local;
pub(crate) use rule::{Limit, Rule};

/// The plan in force, and the way to put another one in force.
#[derive(Debug)]
pub struct Plane {
    current: Arc<Current<InForce>>,
    /// Counts the plans; workers wait for it to see listeners come and go.
    turn: watch::Sender<u64>,
    draining: watch::Sender<bool>,
    started: Instant,
    secret: [u64; 2],
    via: Via,
    /// Held while a plan is put in force.
    hand: Mutex<Hand>,
    /// Bytes of bodies that are kept for another try, all together.
    kept_bytes: Arc<AtomicUsize>,
    calls: Calls,
    allows: Allows,
    challenges: Arc<Challenges>,
}

/// What a plan is put in force with.
#[derive(Debug)]
struct Hand {
    dice: Dice,
    /// How many workers accept; none before they begin.
    workers: usize,
}

/// Whether an address that a name stands for may be an upstream of a plan.
pub struct Allows(pub Box<Judge>);

/// See [`Allows`].
pub type Judge = dyn Fn(&Plan, SocketAddr) -> bool + Send + Sync;

impl fmt::Debug for Allows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Allows(…)")
    }
}

impl Plane {
    /// Puts the first plan in force: its sockets are bound, and wait for [`Service`](crate::listen::Service) to accept.
    ///
    /// # Errors
    /// When an address cannot be bound, or a certificate not be used.
    pub fn build(plan: Plan, allows: Allows) -> Result<Arc<Self>, Error> {
        Self::inherit(plan, allows, Vec::new())
    }

    /// The same on sockets that listen already, for those listeners that ask for their addresses.
    ///
    /// # Errors
    /// When an address cannot be bound, or a certificate not be used.
    pub fn inherit(plan: Plan, allows: Allows, inherited: Vec<Inherited>) -> Result<Arc<Self>, Error> {
        let random = || RandomState::new().hash_one(0);
        let (secret, mut dice) = ([random(), random()], Dice::seeded(random()));
        let via = Via::new(u32::try_from(dice.roll() >> 32).expect("it is half of 64 bits"));
        let inherit = |one: Inherited| {
            let bound = Bound::of(one).map_err(Error::Inherited)?;
            Ok((None, Arc::new(bound)))
        };
        let bound = inherited.into_iter().map(inherit).collect::<Result<_, _>>()?;
        let challenges = Arc::<Challenges>::default();
        let sockets = Sockets { bound, workers: 0, challenges: &challenges };
        let first = InForce::build(plan, None, &sockets, secret, &mut dice)?;
        Ok(Arc::new(Self {
            current: Current::new(first),
            turn: watch::Sender::new(0),
            draining: watch::Sender::new(false),
            started: Instant::now(),
            secret,
            via,
            hand: Mutex::new(Hand { dice, workers: 0 }),
            kept_bytes: Arc::default(),
            calls: Calls::default(),
            allows,
            challenges,
        }))
    }

    /// Puts another plan in force. Requests under way keep the one they began with; connections stay, but for those
    /// of listeners that are gone, which end with the request that they are at.
    ///
    /// # Errors
    /// When an address cannot be bound, or a certificate not be used; then nothing changes.
    pub fn replace(&self, plan: Plan) -> Result<(), Error> {
        let mut hand = self.hand.lock().unwrap_or_else(PoisonError::into_inner);
        let Hand { dice, workers } = &mut *hand;
        let before = self.current.get();
        let doors = before.doors.iter();
        let bound = doors.map(|door| (Some(door.listener.name.as_str()), Arc::clone(&door.bound))).collect();
        let sockets = Sockets { bound, workers: *workers, challenges: &self.challenges };
        let next = InForce::build(plan, Some(&before), &sockets, self.secret, dice)?;
        let kept: Vec<u64> = next.doors.iter().map(|door| door.bound.id).collect();
        self.current.replace(next);
        self.turn.send_modify(|turn| *turn += 1);
        for door in before.doors.iter().filter(|door| !kept.contains(&door.bound.id)) {
            door.bound.drain();
        }
        Ok(())
    }

    /// Makes all ready that so many workers need, now and with each plan that comes.
    pub(crate) fn prepare(&self, workers: usize) -> io::Result<()> {
        let mut hand = self.hand.lock().unwrap_or_else(PoisonError::into_inner);
        hand.workers = workers;
        self.current.get().doors.iter().try_for_each(|door| door.bound.prepare(workers))
    }

    /// Lets all listeners go: what waits to be accepted still is, and requests under way may end.
    pub fn drain(&self) {
        self.draining.send_replace(true);
        self.current.get().doors.iter().for_each(|door| door.bound.drain());
    }

    /// Copies of the sockets of all listeners, for a process that takes over.
    ///
    /// # Errors
    /// When there are no file descriptors left for them.
    pub fn sockets(&self) -> io::Result<Vec<Inherited>> {
        let force = self.current.get();
        force.doors.iter().filter_map(|door| door.bound.bequeathed().transpose()).collect()
    }

    /// Whether it is being drained.
    pub fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// What is in force.
    pub fn in_force(&self) -> Arc<InForce> {
        self.current.get()
    }

    /// Listeners by name with the addresses in use, also when a port was left to the system.
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        let force = self.current.get();
        force.doors.iter().map(|door| (door.listener.name.clone(), door.bound.address)).collect()
    }

    /// What authorities of certificates are shown.
    pub fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    /// The time now.
    pub fn now(&self) -> Moment {
        Moment::after_start(self.started.elapsed())
    }

    pub(crate) fn reader(&self) -> Reader<InForce> {
        self.current.reader()
    }

    pub(crate) fn turns(&self) -> watch::Receiver<u64> {
        self.turn.subscribe()
    }

    pub(crate) fn drained(&self) -> watch::Receiver<bool> {
        self.draining.subscribe()
    }

    /// Ready once it is being drained.
    pub async fn until_drained(&self) {
        is_set(&mut self.drained()).await;
    }

    /// Hashes that nobody outside can foresee.
    pub(crate) fn hash(&self) -> Keyed {
        Keyed::new(self.secret)
    }

    /// The name that requests carry in `Via`.
    pub fn name(&self) -> &str {
        self.via.name()
    }

    pub(crate) fn via(&self) -> &Via {
        &self.via
    }

    /// Whether an address may be an upstream of what is in force.
    pub(crate) fn allows(&self, address: SocketAddr) -> bool {
        (self.allows.0)(self.current.get().plan(), address)
    }

    pub(crate) fn calls(&self) -> &Calls {
        &self.calls
    }

    pub(crate) fn kept_bytes(&self) -> &Arc<AtomicUsize> {
        &self.kept_bytes
    }
}

/// Ready once it is set.
pub(crate) async fn is_set(flag: &mut watch::Receiver<bool>) {
    // Who sets it lives as long as anybody who waits for it; what it holds is let go at once.
    let _ = flag.wait_for(|set| *set).await.map(drop);
}
