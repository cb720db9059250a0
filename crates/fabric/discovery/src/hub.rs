//! Who waits for what.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use coreto_catalog::Subject;
use coreto_machine::Topic;
use tokio::sync::{Notify, futures::Notified, watch};

/// Places where watchers wait. Topics share them: who is woken looks again, and waits on.
const PLACES: usize = 1024;

/// Wakes those who wait for a change. A replica tells it what it shows.
pub struct Hub {
    places: Box<[Notify]>,
    applied: watch::Sender<u64>,
}

impl Default for Hub {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| Notify::new()).collect(), applied: watch::Sender::new(0) }
    }
}

impl Hub {
    /// The replica shows all batches up to this one, and these topics were touched by the last; any may have been, when
    /// there is no list.
    pub fn observe(&self, touched: Option<&[Topic]>, applied: u64) {
        self.applied.send_replace(applied);
        match touched {
            Some(touched) => touched.iter().for_each(|topic| self.place(*topic).notify_waiters()),
            None => self.places.iter().for_each(Notify::notify_waiters),
        }
    }

    /// Ready once the replica shows a batch.
    pub(crate) async fn shows(&self, sequence: u64) {
        // The sender is our own, so there is no end to wait for.
        let _ = self.applied.subscribe().wait_for(|applied| *applied >= sequence).await;
    }

    /// Hears of changes from now on.
    pub(crate) fn listen(&self, subjects: &[Subject]) -> Listener<'_> {
        let listen = |subject: &Subject| {
            let mut notified = Box::pin(self.place(subject.topic()).notified());
            notified.as_mut().enable();
            notified
        };
        Listener { heard: subjects.iter().map(listen).collect() }
    }

    fn place(&self, topic: Topic) -> &Notify {
        let hash = (topic.key ^ u64::from(topic.kind).rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let index = usize::try_from(hash >> 32).unwrap_or_default() % PLACES;
        &self.places[index]
    }
}

/// Somebody who waits for one of several changes.
pub(crate) struct Listener<'a> {
    heard: Vec<Pin<Box<Notified<'a>>>>,
}

impl Listener<'_> {
    /// Ready once something may have changed since the listener was made.
    pub(crate) async fn heard(mut self) {
        poll_fn(|cx| {
            let ready = self.heard.iter_mut().any(|heard| heard.as_mut().poll(cx).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use coreto_machine::Tenant;

    use super::*;

    #[tokio::test]
    async fn wakes_who_listened_before_the_change() {
        let hub = Hub::default();
        let subjects =
            [Subject::Services(Tenant::DEFAULT), Subject::Service((Tenant::DEFAULT, "web".into()))];
        let listener = hub.listen(&subjects);
        hub.observe(Some(&[subjects[1].topic()]), 7);
        listener.heard().await;
        hub.shows(7).await;
        let others = hub.listen(&subjects[..1]);
        hub.observe(Some(&[subjects[1].topic()]), 8);
        let waited = tokio::time::timeout(std::time::Duration::from_millis(20), others.heard()).await;
        assert!(waited.is_err(), "another subject wakes nobody");
    }
}
