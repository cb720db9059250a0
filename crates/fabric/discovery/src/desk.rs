//! Reading, waiting and writing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coreto_catalog::{Catalog, Command, Name, Reply, State, Subject};
use coreto_machine::Tenant;
use coreto_partition::{Handle, Health, Replica};
use coreto_record::Rejection;
use tokio::sync::watch;

use serde_json::Value;

use crate::answer::{Answer, Fault, Seen};
use crate::asked::{Asked, Mode, Wait};
use crate::bodies::{Bodies, Body};
use crate::clocks::Clocks;
use crate::config::Config;
use crate::feed::Feeds;
use crate::hub::Hub;
use crate::lease::Leases;
use crate::probe::Probes;
use crate::writing::{client, submit};

/// What every answer is made of.
pub(crate) struct Desk {
    pub(crate) config: Config,
    pub(crate) handle: Handle<Catalog>,
    pub(crate) replica: Arc<Replica<Catalog>>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) bodies: Bodies,
    pub(crate) clocks: Clocks,
    pub(crate) probes: Probes,
    pub(crate) leases: Leases,
    pub(crate) feeds: Feeds,
    pub(crate) started: Instant,
    /// Whether the server drains: then nobody is made to wait any more.
    pub(crate) drained: watch::Receiver<bool>,
}

/// Of whom everything is, as long as there is only one.
pub(crate) const TENANT: Tenant = Tenant::DEFAULT;

/// A name of that owner.
pub(crate) fn named(name: &str) -> Name {
    (TENANT, name.into())
}

impl Desk {
    /// Looks at the catalog as fresh as the client wants, and when it waits for a change, once there is one or its time
    /// is over. `look` gives when what it sees changed last.
    pub(crate) async fn read<T>(
        &self,
        asked: &Asked,
        subjects: &[Subject],
        look: impl Fn(&State) -> (u64, T),
    ) -> Result<(Seen, T), Fault> {
        let (mode, wait) = (asked.mode()?, asked.wait()?);
        self.read_until(mode, wait.map(|wait| wait.time), subjects, look, |index, _| match wait {
            // An index that is above is of another life of the catalog: who has it begins anew.
            Some(Wait { index: known, .. }) => index != known,
            None => true,
        })
        .await
    }

    /// Answers a question that the same path and parameters always mean, with a body that is made once per change.
    /// `index` gives when what `find` finds changed last.
    pub(crate) async fn answer<T>(
        &self,
        asked: &Asked,
        subjects: &[Subject],
        index: impl Fn(&State) -> u64,
        find: impl Fn(&State) -> T,
        render: impl FnOnce(T) -> Value,
    ) -> Result<Answer, Fault> {
        let (mut seen, ()) = self.read(asked, subjects, |state| (index(state), ())).await?;
        let render = || {
            let (now, found) = self.look(seen.mode, |state| (index(state), find(state)))?;
            Ok(Body { index: now.index, bytes: render(found).to_string().into() })
        };
        let body = self.bodies.get(&asked.question(), seen.index, render).await?;
        seen.index = body.index;
        Ok(Answer::made(seen, body.bytes))
    }

    /// Looks again with each change until `done`, or the time is over.
    pub(crate) async fn read_until<T>(
        &self,
        mode: Mode,
        time: Option<Duration>,
        subjects: &[Subject],
        look: impl Fn(&State) -> (u64, T),
        done: impl Fn(u64, &T) -> bool,
    ) -> Result<(Seen, T), Fault> {
        let end = time.map(|time| Instant::now() + time + spread(time));
        let mut drained = self.drained.clone();
        // Bound: until `end`; each round but the first follows a change.
        loop {
            let listener = self.hub.listen(subjects);
            if mode != Mode::Stale {
                self.be_current().await?;
            }
            let (seen, found) = self.look(mode, &look)?;
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            match left {
                Some(left) if !done(seen.index, &found) && !left.is_zero() && !*drained.borrow() => {
                    tokio::select! {
                        () = listener.heard() => (),
                        () = tokio::time::sleep(left) => (),
                        _ = drained.wait_for(|drained| *drained) => (),
                    }
                }
                _ => return Ok((seen, found)),
            }
        }
    }

    fn look<T>(&self, mode: Mode, look: impl Fn(&State) -> (u64, T)) -> Result<(Seen, T), Fault> {
        let applied = self.replica.applied();
        let lag = self.replica.lag(self.handle.durable());
        let leader = self.is_led().is_ok();
        let Some((index, found)) = self.replica.read(look) else {
            return Err(Fault::Unavailable("the catalog is not there yet; try again".to_owned()));
        };
        let lag_ms = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
        Ok((Seen { index: index.max(1), mode, applied, lag_ms, leader }, found))
    }

    /// Waits until the replica shows all that is durable now.
    pub(crate) async fn be_current(&self) -> Result<(), Fault> {
        self.is_led()?;
        let wanted = self.handle.durable();
        if self.replica.applied() >= wanted {
            return Ok(());
        }
        let patience = self.config.strong_wait_max;
        let shown = tokio::time::timeout(patience, self.hub.shows(wanted)).await;
        shown.map_err(|_| {
            Fault::Unavailable(format!(
                "the replica has not caught up within {} ms; ask with `?stale` for what is at hand",
                patience.as_millis()
            ))
        })
    }

    /// Whether the catalog's owner works, so that what is durable is known.
    fn is_led(&self) -> Result<(), Fault> {
        let told = match self.handle.health() {
            Health::Healthy | Health::NoSpace { .. } => return Ok(()),
            Health::Recovering => "it recovers".to_owned(),
            Health::CannotWrite { reason } => format!("its log cannot be written: {reason}"),
            Health::Stopped { reason } => format!("it has stopped: {reason}"),
        };
        Err(Fault::Unavailable(format!(
            "the catalog has no leader: {told}; ask with `?stale` for what is at hand"
        )))
    }

    /// Whether a request that names a data centre means this one.
    pub(crate) fn is_own_datacenter(&self, named: &str) -> Result<(), Fault> {
        let own = &*self.config.datacenter;
        if named.is_empty() || named == own {
            return Ok(());
        }
        Err(Fault::Unavailable(format!("there is no way to data centre `{named}`; this is `{own}`")))
    }

    /// Has a command carried out.
    pub(crate) async fn write(&self, command: Command) -> Result<Reply, Fault> {
        self.try_write(command).await?.map_err(Fault::of_rejection)
    }

    /// Has a command carried out, if the catalog does not reject it.
    pub(crate) async fn try_write(&self, command: Command) -> Result<Result<Reply, Rejection>, Fault> {
        submit(&self.handle, command, client())
            .map_err(|refused| Fault::of_refusal(&refused))?
            .outcome()
            .await
    }
}

/// Up to a sixteenth of a wait, so that those who came together do not leave together.
fn spread(time: Duration) -> Duration {
    let nanos =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().subsec_nanos();
    time / 16 * (nanos / 1000 % 1000) / 1000
}
