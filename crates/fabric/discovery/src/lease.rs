//! Instances that are there for as long as a stream of theirs is open.
//!
//! `POST /v1/coreto/register`: the body begins with the service as a line of JSON, and stays open. When it ends or breaks
//! the instance goes at once; when it falls silent, too, over HTTP/2, whose PINGs are sent by the connection. Where it
//! ends as it should, the answer ends once the instance is gone. After a restart of ours instances are kept for
//! [`RECONNECT_GRACE`], so that their streams come back without a gap.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use coreto_catalog::command::{OnNode, RegisterInstance};
use coreto_catalog::{Check, CheckKind, Command, Definition, Status};
use coreto_machine::Caller;
use coreto_partition::Refused;
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::answer::Fault;
use crate::desk::{Desk, TENANT};
use crate::endpoint::agent;
use crate::read::{self, Fields, STREAM_CHECK};
use crate::server::Reply;
use crate::writing::{Written, client, submit};

/// How long instances are kept after a start of ours whose streams have not come back.
pub(crate) const RECONNECT_GRACE: Duration = Duration::from_secs(5);

/// Bytes of the line that begins a stream.
const LINE_BYTES_MAX: usize = 64 << 10;

/// At what distance it is tried again to forget an instance whose stream has ended.
const PAUSE: Duration = Duration::from_secs(1);

/// Which stream holds which instance: a later one takes it from an earlier one, whose end then means nothing.
///
/// Commands about instances that streams hold are handed over while this is locked, so that the catalog gets them in the
/// order in which streams come and go.
#[derive(Default)]
pub(crate) struct Leases(Mutex<Held>);

#[derive(Default)]
struct Held {
    last: u64,
    /// Streams that are open, each with what ends it when it is dropped.
    open: BTreeMap<u64, oneshot::Sender<()>>,
    by_instance: BTreeMap<Arc<str>, u64>,
}

/// What a stream has got that has taken an instance.
struct Taken<T> {
    number: u64,
    /// Who held it before.
    before: Option<u64>,
    /// Ready when the stream is to end.
    over: oneshot::Receiver<()>,
    submitted: T,
}

impl Leases {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stream takes an instance.
    fn take<T>(&self, id: &Arc<str>, submit: impl FnOnce() -> T) -> Taken<T> {
        let mut held = self.lock();
        held.last += 1;
        let number = held.last;
        let (end, over) = oneshot::channel();
        held.open.insert(number, end);
        let before = held.by_instance.insert(Arc::clone(id), number);
        Taken { number, before, over, submitted: submit() }
    }

    /// A stream has taken an instance in vain: who held it before has it again. Says whether nobody holds it now.
    fn give_back(&self, id: &Arc<str>, number: u64, before: Option<u64>) -> bool {
        let mut held = self.lock();
        held.open.remove(&number);
        if held.by_instance.get(id) != Some(&number) {
            return false;
        }
        held.by_instance.remove(id);
        match before.filter(|before| held.open.contains_key(before)) {
            Some(before) => {
                held.by_instance.insert(Arc::clone(id), before);
                false
            }
            None => true,
        }
    }

    /// A stream has ended. Says whether it still held the instance.
    fn let_go(&self, id: &str, number: u64) -> bool {
        let mut held = self.lock();
        held.open.remove(&number);
        let own = held.by_instance.get(id) == Some(&number);
        if own {
            held.by_instance.remove(id);
        }
        own
    }

    /// Hands a command over, unless a stream holds the instance.
    fn unless_held<T>(&self, id: &str, submit: impl FnOnce() -> T) -> Option<T> {
        let held = self.lock();
        (!held.by_instance.contains_key(id)).then(submit)
    }

    /// Hands a command over about an instance, and tells the stream that holds it.
    fn with_holder<T>(&self, id: &str, submit: impl FnOnce() -> T) -> (Option<u64>, T) {
        let held = self.lock();
        (held.by_instance.get(id).copied(), submit())
    }

    /// The stream that holds an instance.
    pub(crate) fn holder(&self, id: &str) -> Option<u64> {
        self.lock().by_instance.get(id).copied()
    }

    /// Ends a stream whose instance is gone, if it is still the one that holds it.
    pub(crate) fn end(&self, id: &str, number: u64) {
        let mut held = self.lock();
        if held.by_instance.get(id) == Some(&number) {
            held.by_instance.remove(id);
        }
        held.open.remove(&number);
    }
}

/// Registers what the stream says, and holds it open.
pub(crate) async fn open(desk: &Arc<Desk>, mut body: Incoming) -> Result<Response<Reply>, Fault> {
    let line = tokio::time::timeout(desk.config.request_timeout, first_line(&mut body)).await;
    let line = line.map_err(|_| {
        Fault::Body(
            StatusCode::REQUEST_TIMEOUT,
            "the line with the service did not arrive in time".to_owned(),
        )
    })??;
    let map = read::object(&line)?;
    let fields = Fields::of(&map);
    let instance = read::service(&fields, "name")?;
    let mut checks = agent::checks(&fields, &instance)?;
    let ids: Vec<Arc<str>> = checks.iter().map(|check| Arc::clone(&check.id)).collect();
    let id = Arc::clone(&instance.id);
    let check = Check {
        id: format!("{STREAM_CHECK}{id}").into(),
        name: "Stream".into(),
        status: Status::Passing,
        output: "the stream is open".into(),
        definition: Definition { kind: CheckKind::Stream, ..Definition::default() },
        ..Check::default()
    };
    checks.push(check);
    let node = Arc::clone(&desk.config.node);
    let command = RegisterInstance { tenant: TENANT, node, instance, checks, replace_checks: true };
    let told: Value = json!({ "ID": &*id, "Node": &*desk.config.node });
    let hello = Some(format!("{told}\n").into());
    // It is held before it is there, so that it goes however this ends.
    let register = || submit(&desk.handle, Command::RegisterInstance(command), Caller::internal());
    let Taken { number, before, over, submitted } = desk.leases.take(&id, register);
    let drained = drained(desk);
    let held = Stream { desk: Arc::clone(desk), id, number, before, body, hello, over, drained, going: None };
    if let Err((certainty, fault)) = registered(submitted).await {
        if certainty == Certainty::Nothing {
            held.was_nothing();
        }
        return Err(fault);
    }
    desk.watch_checks(&ids).await;
    let mut response = Response::new(Reply::Stream(Box::new(held)));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    Ok(response)
}

/// What is known of a registration that failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certainty {
    /// Nothing was registered.
    Nothing,
    /// It may be there.
    Unknown,
}

/// Waits until the catalog has registered an instance.
async fn registered(submitted: Result<Written, Refused>) -> Result<(), (Certainty, Fault)> {
    let nothing = |fault| (Certainty::Nothing, fault);
    let written = submitted.map_err(|refused| nothing(Fault::of_refusal(&refused)))?;
    let outcome = written.outcome().await.map_err(|fault| (Certainty::Unknown, fault))?;
    outcome.map(drop).map_err(|rejection| nothing(Fault::of_rejection(rejection)))
}

async fn first_line(body: &mut Incoming) -> Result<Vec<u8>, Fault> {
    let mut line = Vec::new();
    // Bound: LINE_BYTES_MAX.
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Fault::Wrong(format!("the stream broke off: {error}")))?;
        let data = frame.into_data().unwrap_or_default();
        if let Some(end) = data.iter().position(|byte| *byte == b'\n') {
            line.extend_from_slice(&data[..end]);
            return Ok(line);
        }
        line.extend_from_slice(&data);
        if line.len() > LINE_BYTES_MAX {
            let text = format!("the line with the service may have {LINE_BYTES_MAX} bytes");
            return Err(Fault::Body(StatusCode::PAYLOAD_TOO_LARGE, text));
        }
    }
    Err(Fault::Wrong("the stream ended before the line with the service did; it is to stay open".to_owned()))
}

type Drained = Pin<Box<dyn Future<Output = ()> + Send>>;

fn drained(desk: &Desk) -> Drained {
    let mut drained = desk.drained.clone();
    Box::pin(async move { drop(drained.wait_for(|drained| *drained).await) })
}

/// A stream that holds an instance. What is still said on it is passed over.
pub(crate) struct Stream {
    desk: Arc<Desk>,
    id: Arc<str>,
    number: u64,
    /// Who held the instance before.
    before: Option<u64>,
    body: Incoming,
    /// What is said first: as long as it is there, the client does not know that it is registered.
    hello: Option<Bytes>,
    /// Ready when somebody else has deregistered the instance.
    over: oneshot::Receiver<()>,
    drained: Drained,
    /// What is waited for once the client has ended its side: the instance goes.
    going: Option<JoinHandle<()>>,
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(hello) = self.hello.take() {
            return Poll::Ready(Some(Ok(Frame::data(hello))));
        }
        if self.drained.as_mut().poll(cx).is_ready() || Pin::new(&mut self.over).poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        // Bound: as long as there is something to pass over.
        while self.going.is_none() {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(_))) => (),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(None),
                Poll::Ready(None) => match self.let_go() {
                    Some(going) => self.going = Some(going),
                    None => return Poll::Ready(None),
                },
                Poll::Pending => return Poll::Pending,
            }
        }
        match &mut self.going {
            Some(going) => Pin::new(going).poll(cx).map(|_| None),
            None => Poll::Ready(None),
        }
    }
}

impl Stream {
    /// Nothing was registered: what is there is of who held it before, and goes only if that has ended meanwhile.
    fn was_nothing(&self) {
        if self.desk.leases.give_back(&self.id, self.number, self.before) && self.before.is_some() {
            tokio::spawn(forget(Arc::clone(&self.desk), Arc::clone(&self.id)));
        }
    }

    /// Has the instance forgotten, if this stream still holds it.
    fn let_go(&self) -> Option<JoinHandle<()>> {
        let own = if self.hello.is_some() {
            // Whether it was registered is not known to the client; who holds it still, has it.
            self.desk.leases.give_back(&self.id, self.number, self.before)
        } else {
            self.desk.leases.let_go(&self.id, self.number)
        };
        // When it is we who end, the instance is there after our start.
        let goes = own && !*self.desk.drained.borrow();
        let runtime = tokio::runtime::Handle::try_current().ok().filter(|_| goes)?;
        Some(runtime.spawn(forget(Arc::clone(&self.desk), Arc::clone(&self.id))))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // One that has let go already does not hold it.
        drop(self.let_go());
    }
}

/// Forgets an instance, unless another stream has taken it.
async fn forget(desk: Arc<Desk>, id: Arc<str>) {
    // Bound: until the catalog takes it, or the server drains.
    while !*desk.drained.borrow() {
        let deregister = || desk.submit_deregister(&id, Caller::internal());
        let Some(submitted) = desk.leases.unless_held(&id, deregister) else { return };
        match desk.done(submitted).await {
            Ok(()) | Err(Fault::Missing(_)) => return,
            Err(fault) => {
                tracing::warn!(instance = %id, ?fault, "an instance whose stream has ended cannot be forgotten; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl Desk {
    /// Forgets an instance of this node at somebody's wish, and ends the stream that holds it.
    pub(crate) async fn deregister(&self, id: &str) -> Result<(), Fault> {
        let (holder, submitted) = self.leases.with_holder(id, || self.submit_deregister(id, client()));
        self.done(submitted).await?;
        if let Some(holder) = holder {
            self.leases.end(id, holder);
        }
        Ok(())
    }

    fn submit_deregister(&self, id: &str, caller: Caller) -> Result<Written, Refused> {
        let deregister = OnNode { tenant: TENANT, node: Arc::clone(&self.config.node), id: id.into() };
        submit(&self.handle, Command::DeregisterInstance(deregister), caller)
    }

    async fn done(&self, submitted: Result<Written, Refused>) -> Result<(), Fault> {
        let written = submitted.map_err(|refused| Fault::of_refusal(&refused))?;
        written.outcome().await?.map(drop).map_err(Fault::of_rejection)
    }
}

/// After a start: forgets an instance if its stream does not come back.
pub(crate) async fn await_return(desk: Arc<Desk>, id: Arc<str>) {
    tokio::time::sleep(RECONNECT_GRACE).await;
    forget(desk, id).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_stream_takes_the_instance_from_an_earlier_one() {
        let (leases, id) = (Leases::default(), Arc::from("web-1"));
        let first = leases.take(&id, || ()).number;
        let Taken { number: second, before, .. } = leases.take(&id, || ());
        assert_eq!(before, Some(first));
        assert!(!leases.let_go(&id, first) && leases.unless_held(&id, || ()).is_none());
        assert!(leases.let_go(&id, second) && leases.unless_held(&id, || ()).is_some());
    }

    #[test]
    fn what_was_taken_in_vain_is_given_back_to_a_stream_that_is_open() {
        let (leases, id) = (Leases::default(), Arc::from("web-1"));
        let first = leases.take(&id, || ()).number;
        let Taken { number: second, before, .. } = leases.take(&id, || ());
        assert!(!leases.give_back(&id, second, before));
        assert!(leases.let_go(&id, first), "it has it again");
        let third = leases.take(&id, || ()).number;
        let Taken { number: fourth, before, .. } = leases.take(&id, || ());
        assert!(!leases.let_go(&id, third));
        assert!(leases.give_back(&id, fourth, before), "nobody holds it, and it may be there");
    }

    #[test]
    fn a_stream_is_ended_when_its_instance_is_gone_and_no_later_one_with_it() {
        let (leases, id) = (Leases::default(), Arc::from("web-1"));
        let mut first = leases.take(&id, || ());
        let mut second = leases.take(&id, || ());
        leases.end(&id, first.number);
        assert!(first.over.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Closed));
        assert_eq!(leases.holder(&id), Some(second.number));
        assert!(second.over.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Empty));
    }
}
