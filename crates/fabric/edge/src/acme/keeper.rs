//! Orders certificates before those that there are have ended.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use coreto_proxy::chance::Dice;
use coreto_proxy::model;

use super::{Acme, Error, file, order};
use crate::gateway::Shared;

/// Keeps the certificates of one gateway.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    dice: Dice,
    /// What was decided for files: when they are due, and how often in a row that failed.
    plans: HashMap<PathBuf, Plan>,
    /// What the plans are about.
    known: Option<(Acme, Vec<model::Acme>)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Plan {
    /// The end of the certificate that this is about.
    until: Option<SystemTime>,
    due: Option<SystemTime>,
    failures: u32,
    /// Not before.
    pause: Option<Instant>,
}

/// Clocks are set and files replaced by others: it is looked at least this often.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// No pause is longer.
const PAUSE_MAX: Duration = Duration::from_hours(24);

impl Keeper {
    /// Keeps on a thread of its own, until the gateway is drained.
    pub(crate) fn start(shared: Arc<Shared>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let dice = Dice::seeded(RandomState::new().hash_one(0));
        let mut keeper = Self { shared, dice, plans: HashMap::new(), known: None };
        let keep = move || runtime.block_on(keeper.keep());
        std::thread::Builder::new().name("acme".to_owned()).spawn(keep).map(drop)
    }

    async fn keep(&mut self) {
        let shared = Arc::clone(&self.shared);
        let drained = shared.plane().until_drained();
        tokio::pin!(drained);
        // Bound: until the gateway is drained.
        loop {
            tokio::select! {
                wait = self.look() => {
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = shared.until_replaced() => {}
                        () = &mut drained => return,
                    }
                }
                () = &mut drained => return,
            }
        }
    }

    /// Orders what is due. Gives how long there is nothing to do.
    async fn look(&mut self) -> Duration {
        let Some(wanted) = self.shared.acme() else { return LOOK_EVERY };
        if self.known.as_ref() != Some(&wanted) {
            // What failed may have been corrected.
            for plan in self.plans.values_mut() {
                (plan.failures, plan.pause) = (0, None);
            }
            self.known = Some(wanted.clone());
        }
        let (settings, orders) = wanted;
        let mut wait = LOOK_EVERY;
        for order in orders {
            let mut left = self.left(&order);
            if left.is_zero() {
                self.renew(&settings, &order).await;
                left = self.left(&order);
            }
            wait = wait.min(left);
        }
        wait
    }

    /// How long it is until a certificate is to be ordered.
    fn left(&mut self, order: &model::Acme) -> Duration {
        let validity = file::validity(order);
        let plan = self.plans.entry(order.file.clone()).or_default();
        let until = validity.map(|validity| validity.until);
        if plan.until != until || plan.due.is_none() {
            let due = validity.map_or(SystemTime::UNIX_EPOCH, |validity| {
                validity.from + part(validity.length(), self.dice.unit())
            });
            *plan = Plan { until, due: Some(due), ..*plan };
        }
        let due = plan.due.and_then(|due| due.duration_since(SystemTime::now()).ok()).unwrap_or_default();
        let pause =
            plan.pause.map_or(Duration::ZERO, |pause| pause.saturating_duration_since(Instant::now()));
        due.max(pause)
    }

    async fn renew(&mut self, settings: &Acme, order: &model::Acme) {
        let ordered = self.order(settings, order).await;
        let plan = self.plans.entry(order.file.clone()).or_default();
        match ordered {
            Ok(()) => {
                *plan = Plan::default();
                tracing::info!(names = order.names.join(", "), "a new certificate is shown");
            }
            Err(error) => {
                let pause = pause(settings.back_off, plan.failures, self.dice.unit());
                plan.failures += 1;
                plan.pause = Some(Instant::now() + pause);
                let (names, error) = (order.names.join(", "), crate::fault::chain(&error));
                tracing::warn!(
                    names,
                    error,
                    pause_s = pause.as_secs(),
                    "no new certificate; what there is stays"
                );
            }
        }
    }

    async fn order(&self, settings: &Acme, order: &model::Acme) -> Result<(), Error> {
        let text = order::order(settings, &order.names, self.shared.plane().challenges()).await?;
        file::replace(&order.file, &text)?;
        self.shared.read_certificates();
        Ok(())
    }
}

/// Two thirds of a certificate's life, and up to a thirtieth more: not all of a fleet come at once.
fn part(life: Duration, chance: f64) -> Duration {
    life.mul_f64(2.0 / 3.0 + chance / 30.0)
}

/// The pause after so many failures in a row, half of it by chance.
fn pause(first: Duration, failures: u32, chance: f64) -> Duration {
    let whole = first.saturating_mul(1 << failures.min(20)).min(PAUSE_MAX);
    whole.mul_f64(0.5 + chance / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn renews_in_the_last_third() {
        assert_eq!(part(DAY * 90, 0.0), DAY * 60);
        assert_eq!(part(DAY * 90, 1.0), DAY * 63);
    }

    #[test]
    fn pauses_grow_to_a_day() {
        let minute = Duration::from_mins(1);
        assert_eq!(pause(minute, 0, 0.0), minute / 2);
        assert_eq!(pause(minute, 0, 1.0), minute);
        assert_eq!(pause(minute, 3, 1.0), minute * 8);
        assert_eq!(pause(minute, 40, 1.0), DAY);
    }
}
