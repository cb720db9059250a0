//! Instances that are there for as long as a stream of theirs is open.
//!
//! `POST /v1/coreto/register`: the body begins with the service as a line of JSON, and stays open. When it ends or breaks
//! the instance goes at once; when it falls silent, too, over HTTP/2, whose PINGs are sent by the connection. Where it
//! ends as it should, the answer ends once the instance is gone. After a restart of ours instances are kept for
//! [`RECONNECT_GRACE`], so that their streams come back without a gap.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use coreto_catalog::command::{OnNode, RegisterInstance};
use coreto_catalog::{Check, CheckKind, Command, Definition, Status};
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::answer::Fault;
use crate::desk::{Desk, TENANT};
use crate::endpoint::agent;
use crate::read::{self, Fields};
use crate::server::{Reply, internally};

/// How long instances are kept after a start of ours whose streams have not come back.
pub(crate) const RECONNECT_GRACE: Duration = Duration::from_secs(5);

/// Bytes of the line that begins a stream.
const LINE_BYTES_MAX: usize = 64 << 10;

/// How often, and at what distance, it is tried to forget an instance whose stream has ended.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// Which stream holds which instance: a later one takes it from an earlier one, whose end then means nothing.
#[derive(Default)]
pub(crate) struct Leases(Mutex<Held>);

#[derive(Default)]
struct Held {
    last: u64,
    open: BTreeSet<u64>,
    by_instance: BTreeMap<Arc<str>, u64>,
}

impl Leases {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stream takes an instance; gives the number of the stream, and that of who held it before.
    fn take(&self, id: &Arc<str>) -> (u64, Option<u64>) {
        let mut held = self.lock();
        held.last += 1;
        let number = held.last;
        held.open.insert(number);
        (number, held.by_instance.insert(Arc::clone(id), number))
    }

    /// A stream has taken an instance in vain: who held it before has it again. Says whether that has ended meanwhile.
    fn give_back(&self, id: &Arc<str>, number: u64, before: Option<u64>) -> bool {
        let mut held = self.lock();
        if held.by_instance.get(id) != Some(&number) {
            return false;
        }
        held.by_instance.remove(id);
        match before {
            Some(before) if held.open.contains(&before) => {
                held.by_instance.insert(Arc::clone(id), before);
                false
            }
            before => before.is_some(),
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

    fn is_held(&self, id: &str) -> bool {
        self.lock().by_instance.contains_key(id)
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
        id: format!("stream:{id}").into(),
        name: "Stream".into(),
        status: Status::Passing,
        output: "the stream is open".into(),
        definition: Definition { kind: CheckKind::Stream, ..Definition::default() },
        ..Check::default()
    };
    checks.push(check);
    let node = Arc::clone(&desk.config.node);
    let command = RegisterInstance { tenant: TENANT, node, instance, checks, replace_checks: true };
    // It is held before it is there, so that it goes however this ends.
    let (number, before) = desk.leases.take(&id);
    let told: Value = json!({ "ID": &*id, "Node": &*desk.config.node });
    let hello = Some(format!("{told}\n").into());
    let held =
        Stream { desk: Arc::clone(desk), id, number, body, hello, drained: drained(desk), going: None };
    if let Err(rejection) = desk.try_write(Command::RegisterInstance(command)).await? {
        if desk.leases.give_back(&held.id, number, before) {
            tokio::spawn(forget(Arc::clone(desk), Arc::clone(&held.id)));
        }
        return Err(Fault::of_rejection(rejection));
    }
    desk.watch_checks(&ids).await;
    let mut response = Response::new(Reply::Stream(Box::new(held)));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    Ok(response)
}

async fn first_line(body: &mut Incoming) -> Result<Vec<u8>, Fault> {
    let mut line = Vec::new();
    // Bound: LINE_BYTES_MAX.
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Fault::Wrong(format!("the stream broke off: {error}")))?;
        if let Ok(data) = frame.into_data() {
            line.extend_from_slice(&data);
        }
        if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            line.truncate(end);
            return Ok(line);
        }
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
    body: Incoming,
    hello: Option<Bytes>,
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
        if self.drained.as_mut().poll(cx).is_ready() {
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
    /// Has the instance forgotten, if this stream still holds it.
    fn let_go(&self) -> Option<JoinHandle<()>> {
        let own = self.desk.leases.let_go(&self.id, self.number);
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
    for _ in 0..TRIES {
        if desk.leases.is_held(&id) {
            return;
        }
        let node = Arc::clone(&desk.config.node);
        let deregister = OnNode { tenant: TENANT, node, id: Arc::clone(&id) };
        match internally(&desk, Command::DeregisterInstance(deregister)).await {
            Ok(()) | Err(Fault::Missing(_)) => return,
            Err(fault) => {
                tracing::warn!(instance = %id, ?fault, "an instance whose stream has ended cannot be forgotten; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
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
        let (first, _) = leases.take(&id);
        let (second, before) = leases.take(&id);
        assert_eq!(before, Some(first));
        assert!(!leases.let_go(&id, first) && leases.is_held(&id));
        assert!(leases.let_go(&id, second) && !leases.is_held(&id));
    }

    #[test]
    fn what_was_taken_in_vain_is_given_back_to_a_stream_that_is_open() {
        let (leases, id) = (Leases::default(), Arc::from("web-1"));
        let (first, _) = leases.take(&id);
        let (second, before) = leases.take(&id);
        assert!(!leases.give_back(&id, second, before));
        assert!(leases.let_go(&id, first), "it has it again");
        let (third, _) = leases.take(&id);
        let (fourth, before) = leases.take(&id);
        assert!(!leases.let_go(&id, third));
        assert!(leases.give_back(&id, fourth, before), "nobody holds it, and it may be there");
    }
}
