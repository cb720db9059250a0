//! Commands on their way to the catalog, and their answers on the way back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coreto_catalog::{Catalog, Command, Reply};
use coreto_machine::{Caller, Channel};
use coreto_partition::{Address, Answer, Handle, Mailbox, Refused, Request};
use coreto_record::Rejection;
use tokio::sync::oneshot;

use crate::answer::Fault;

/// How long a command may take: a disk that takes nothing is waited for, and its clients are told.
const PATIENCE: Duration = Duration::from_secs(30);

/// A command that was taken, and whose outcome will be known.
pub(crate) struct Written(oneshot::Receiver<Answer<Catalog>>);

/// Takes one answer.
struct Single(Mutex<Option<oneshot::Sender<Answer<Catalog>>>>);

impl Mailbox<Catalog> for Single {
    fn put(&self, _ticket: u64, answer: Answer<Catalog>) {
        if let Some(sender) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Whoever asked may have gone.
            let _ = sender.send(answer);
        }
    }
    fn flush(&self) {}
}

/// Hands a command to the catalog, in the order of the calls. Never blocks.
pub(crate) fn submit(handle: &Handle<Catalog>, command: Command, caller: Caller) -> Result<Written, Refused> {
    let (sender, receiver) = oneshot::channel();
    let answer = Address { mailbox: Arc::new(Single(Mutex::new(Some(sender)))), ticket: 0 };
    handle.submit(Request::new(command, caller, Some(answer)))?;
    Ok(Written(receiver))
}

/// A client of this door.
pub(crate) const fn client() -> Caller {
    Caller::anonymous(Channel::Http)
}

impl Written {
    /// What became of it, once that is durable.
    pub(crate) async fn outcome(self) -> Result<Result<Reply, Rejection>, Fault> {
        let lost = |reason: &str| Fault::Unavailable(format!("whether it was done is not known: {reason}"));
        match tokio::time::timeout(PATIENCE, self.0).await {
            Ok(Ok(Answer::Reply(reply))) => Ok(Ok(reply)),
            Ok(Ok(Answer::Rejected(rejection))) => Ok(Err(rejection)),
            Ok(Ok(Answer::Lost { reason })) => Err(lost(&reason)),
            Ok(Ok(Answer::Answered(_) | Answer::KeyMisused | Answer::KeysFull) | Err(_)) => {
                Err(lost("there was no answer"))
            }
            Err(_) => Err(lost(&format!("there was no answer within {} s", PATIENCE.as_secs()))),
        }
    }
}
