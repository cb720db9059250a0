//! Checks that we run: each asks at its interval, and tells the catalog when its answer is another.

mod grpc;
mod http;
mod tls;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use coreto_catalog::{Check, CheckKind, Definition, Status};
use coreto_machine::Caller;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use crate::desk::{Desk, TENANT};
use crate::read::without_user;

/// How a check was found, and why.
type Found = (Status, String);

/// Questions at once: each takes a socket.
const QUESTIONS_MAX: usize = 256;

/// When a check asks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// At once.
    Now,
    /// Within its interval, so that those of a start do not all ask together.
    Spread,
}

/// The checks that run.
pub(crate) struct Probes {
    desk: Weak<Desk>,
    questions: Arc<Semaphore>,
    running: Mutex<BTreeMap<Arc<str>, (Definition, AbortHandle)>>,
}

impl Probes {
    pub(crate) fn new(desk: Weak<Desk>) -> Self {
        let questions = Arc::new(Semaphore::new(QUESTIONS_MAX));
        Self { desk, questions, running: Mutex::new(BTreeMap::new()) }
    }

    /// Forgets those that have ended, since their checks are gone.
    pub(crate) fn forget_ended(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|_, (_, task)| !task.is_finished());
    }

    /// Runs a check from now on, if it is one that asks. One that ran with another definition ends.
    pub(crate) fn watch(&self, check: &Check, first: First) {
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
            let (id, definition) = (Arc::clone(&check.id), check.definition.clone());
            let pause = match first {
                First::Now => Duration::ZERO,
                First::Spread => Duration::from_millis(spread(&id, definition.interval_ms)),
            };
            let (desk, questions) = (self.desk.clone(), Arc::clone(&self.questions));
            let task = tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                run(desk, questions, id, definition).await;
            });
            running.insert(Arc::clone(&check.id), (check.definition.clone(), task.abort_handle()));
        }
    }
}

/// A part of the interval that differs from check to check.
fn spread(id: &str, interval_ms: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish() % interval_ms.max(1)
}

/// Asks until the check is another, or gone.
async fn run(desk: Weak<Desk>, questions: Arc<Semaphore>, id: Arc<str>, definition: Definition) {
    let mut row = Row::default();
    // Bound: as long as the catalog has the check.
    loop {
        let Ok(question) = questions.acquire().await else { return };
        let (status, output) = ask(&definition).await;
        drop(question);
        let Some(desk) = desk.upgrade() else { return };
        let place = (TENANT, Arc::clone(&desk.config.node), Arc::clone(&id));
        let known = desk.replica.read(|state| state.checks.get(&place)).flatten();
        if known.is_none_or(|known| known.check.definition != definition) {
            return;
        }
        if let Some(status) = row.turn(&definition, status)
            && let Err(fault) = desk.tell(Caller::internal(), &id, status, &output).await
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
        Ok(Err(fault)) => (Status::Critical, format!("{}: {fault}", without_user(&definition.target))),
        Err(_) => {
            let millis = timeout.as_millis();
            let target = without_user(&definition.target);
            (Status::Critical, format!("{target}: there was no answer within {millis} ms"))
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
