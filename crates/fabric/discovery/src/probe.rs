//! Checks that we run: each asks at its interval, and tells the catalog when its answer is another.

mod grpc;
mod http;
mod tls;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use coreto_catalog::{Check, CheckKind, Definition, Status};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use crate::desk::{Desk, TENANT};

/// How a check was found, and why.
type Found = (Status, String);

/// The checks that run.
pub(crate) struct Probes {
    desk: Weak<Desk>,
    running: Mutex<BTreeMap<Arc<str>, (Definition, AbortHandle)>>,
}

impl Probes {
    pub(crate) const fn new(desk: Weak<Desk>) -> Self {
        Self { desk, running: Mutex::new(BTreeMap::new()) }
    }

    /// Runs a check from now on, if it is one that asks. One that ran with another definition ends.
    pub(crate) fn watch(&self, check: &Check) {
        let asks = matches!(check.definition.kind, CheckKind::Http | CheckKind::Tcp | CheckKind::Grpc);
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running
            .get(&check.id)
            .is_some_and(|(known, task)| *known == check.definition && !task.is_finished())
        {
            return;
        }
        if let Some((_, task)) = running.remove(&check.id) {
            task.abort();
        }
        if asks {
            let task = tokio::spawn(run(self.desk.clone(), Arc::clone(&check.id), check.definition.clone()));
            running.insert(Arc::clone(&check.id), (check.definition.clone(), task.abort_handle()));
        }
    }
}

/// Asks until the check is another, or gone.
async fn run(desk: Weak<Desk>, id: Arc<str>, definition: Definition) {
    let mut row = Row::default();
    // Bound: as long as the catalog has the check.
    loop {
        let (status, output) = ask(&definition).await;
        let Some(desk) = desk.upgrade() else { return };
        let place = (TENANT, Arc::clone(&desk.config.node), Arc::clone(&id));
        let known = desk.replica.read(|state| state.checks.get(&place)).flatten();
        let Some(known) = known.filter(|known| known.check.definition == definition) else { return };
        // The first answer is told of, too, so that a check which is critical says why.
        let is_news = |status: &Status| *status != known.check.status || known.check.output.is_empty();
        let turned = row.turn(&definition, status).filter(is_news);
        if let Some(status) = turned
            && let Err(fault) = desk.tell(&id, status, &output.into()).await
        {
            tracing::warn!(check = %id, ?fault, "the catalog cannot be told how a check is");
        }
        drop(desk);
        tokio::time::sleep(Duration::from_millis(definition.interval_ms)).await;
    }
}

/// Answers in a row.
#[derive(Debug, Default)]
struct Row {
    successes: u32,
    failures: u32,
}

impl Row {
    /// Counts an answer. Gives what the check is now, when there were enough of the kind.
    fn turn(&mut self, definition: &Definition, found: Status) -> Option<Status> {
        let (count, enough) = match found {
            Status::Critical => {
                *self = Self { successes: 0, failures: self.failures.saturating_add(1) };
                (self.failures, definition.failures_before_critical)
            }
            Status::Warning | Status::Passing => {
                *self = Self { successes: self.successes.saturating_add(1), failures: 0 };
                (self.successes, definition.success_before_passing)
            }
        };
        (count >= enough).then_some(found)
    }
}

async fn ask(definition: &Definition) -> Found {
    let timeout = Duration::from_millis(definition.timeout_ms);
    let asked = async {
        match definition.kind {
            CheckKind::Http => http::ask(definition).await,
            CheckKind::Grpc => grpc::ask(definition).await,
            CheckKind::Tcp => reach(&definition.target).await.map(|_| connected(&definition.target)),
            CheckKind::Told
            | CheckKind::Ttl
            | CheckKind::Stream
            | CheckKind::Maintenance
            | CheckKind::Node => Err("such a check asks nobody".to_owned()),
        }
    };
    match tokio::time::timeout(timeout, asked).await {
        Ok(Ok(found)) => found,
        Ok(Err(fault)) => (Status::Critical, format!("{}: {fault}", definition.target)),
        Err(_) => {
            let millis = timeout.as_millis();
            (Status::Critical, format!("{}: there was no answer within {millis} ms", definition.target))
        }
    }
}

fn connected(target: &str) -> Found {
    (Status::Passing, format!("{target}: connected"))
}

async fn reach(address: &str) -> Result<TcpStream, String> {
    TcpStream::connect(address).await.map_err(|error| format!("cannot connect: {error}"))
}

/// A connection, over TLS or not.
trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}

impl<C: AsyncRead + AsyncWrite + Unpin + Send> Connection for C {}

/// Connects to `host:port`, over TLS when the check wants that, and speaks `protocol` then.
async fn connect(
    definition: &Definition,
    (host, port): (&str, u16),
    protocol: &str,
) -> Result<Box<dyn Connection>, String> {
    let stream = reach(&format!("{host}:{port}")).await?;
    if definition.tls {
        Ok(Box::new(tls::encrypt(stream, definition, host, protocol).await?))
    } else {
        Ok(Box::new(stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_when_enough_answers_are_alike() {
        let definition =
            Definition { success_before_passing: 2, failures_before_critical: 3, ..Definition::default() };
        let mut row = Row::default();
        let (good, bad) = (Status::Passing, Status::Critical);
        let found: Vec<_> =
            [good, bad, good, good, bad, bad, bad, bad].map(|found| row.turn(&definition, found)).into();
        assert_eq!(found, [None, None, None, Some(good), None, None, Some(bad), Some(bad)]);
        assert_eq!(
            Row::default().turn(&Definition::default(), bad),
            Some(bad),
            "one is enough when nobody says"
        );
    }
}
