//! Streams of what changes: `GET /v1/coreto/watch/PATH` tells what `GET /v1/PATH` does, at once and after each change,
//! as server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use hyper::body::{Body, Frame, Incoming};
use serde_json::json;
use tokio::sync::watch;

use crate::answer::{Answer, Fault, Seen};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::feed::Told;
use crate::router;
use crate::server::Reply;

/// What stands before the path that is watched.
pub(crate) const PATH: &str = "/v1/coreto/watch/";

/// Parts of that behind `/v1/`.
const PARTS: usize = 2;

/// How often those hear something who hear of no change, so that a broken connection is found.
const BEAT: Duration = Duration::from_secs(15);

/// What is watched.
#[derive(Clone)]
pub(crate) struct Question {
    /// The same for those who ask for the same.
    pub(crate) key: Arc<str>,
    asked: Arc<Asked>,
}

impl Question {
    /// Reads once there is something after an index; at once, when that is 0.
    pub(crate) async fn ask(&self, desk: &Desk, index: u64) -> Result<Told, Fault> {
        self.look(desk, index).await.map(|(told, _)| told)
    }

    async fn look(&self, desk: &Desk, index: u64) -> Result<(Told, Option<Seen>), Fault> {
        let asked = self.asked.behind(PARTS, index);
        match router::answer(desk, &Method::GET, &asked).await {
            Ok(Answer { body, seen, .. }) => {
                Ok((Told::state(seen.map_or(1, |seen| seen.index), &body), seen))
            }
            // A key that is not there.
            Err(Fault::Nothing(seen)) => Ok((Told::state(seen.index, b"null"), Some(seen))),
            Err(fault) => Err(fault),
        }
    }
}

/// Answers a request to watch.
pub(crate) async fn open(desk: &Arc<Desk>, request: Request<Incoming>) -> Result<Response<Reply>, Fault> {
    let (head, _) = request.into_parts();
    if head.method != Method::GET {
        return Err(Fault::Method("GET"));
    }
    let asked = Asked::new(&head, Bytes::new())?;
    let path = asked.segments.get(PARTS..).unwrap_or_default();
    if !router::is_watched(path) {
        let what = "`catalog/…`, `health/…`, `kv/…` and `session/…` are";
        return Err(Fault::Missing(format!("`{}` cannot be watched; {what}", path.join("/"))));
    }
    if asked.flag("raw")? {
        return Err(Fault::Wrong("a watch tells JSON; leave `raw` away".to_owned()));
    }
    let key = format!("{:?} {}", asked.mode()?, asked.question()).into();
    let question = Question { key, asked: Arc::new(asked) };

    let (first, seen) = question.look(desk, 0).await?;
    let too_many = || Fault::Unavailable("too much is watched at once; try again later".to_owned());
    let mut feed = desk.feeds.follow(desk, &question, first.clone()).ok_or_else(too_many)?;
    // What it has told may be newer than what was just read.
    feed.mark_changed();
    let mut follower = Follower { feed, index: 0, last: None, first: None, origin: desk.started };
    match (&first, last_event(&head.headers)) {
        (Told::State { index, document, .. }, Some(known)) if *index == known => {
            (follower.index, follower.last) = (*index, Some(document.clone()));
        }
        _ => follower.first = follower.news(&first),
    }
    let head = Answer { content_type: "text/event-stream", seen, ..Answer::empty() };
    let body = Reply::Watch(Box::new(Stream { next: Some(Box::pin(follower.next())) }));
    let mut response = head.into_response().map(|_| body);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The index of the last event that a client has seen which comes back.
fn last_event(headers: &HeaderMap) -> Option<u64> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}

/// Somebody who follows a feed.
struct Follower {
    feed: watch::Receiver<Told>,
    /// Up to where it has been told.
    index: u64,
    /// The document that it was told last.
    last: Option<Bytes>,
    /// What it is told before anything else.
    first: Option<Bytes>,
    /// From when the beats of all are counted, so that they come together.
    origin: Instant,
}

impl Follower {
    /// What is to be said next; nothing, when the feed has ended.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if let Some(first) = self.first.take() {
            return Some((first, self));
        }
        let beat = tokio::time::sleep_until(next_beat(self.origin, Instant::now()).into());
        tokio::pin!(beat);
        // Bound: until there is something to say.
        loop {
            tokio::select! {
                changed = self.feed.changed() => {
                    changed.ok()?;
                    let told = self.feed.borrow_and_update().clone();
                    if let Some(event) = self.news(&told) {
                        return Some((event, self));
                    }
                }
                () = &mut beat => return Some((Bytes::from_static(b":\n\n"), self)),
            }
        }
    }

    /// The event that tells this, if it is new.
    fn news(&mut self, told: &Told) -> Option<Bytes> {
        match told {
            Told::State { index, document, event } => {
                let known = *index <= self.index;
                self.index = self.index.max(*index);
                if known || self.last.as_ref() == Some(document) {
                    return None;
                }
                self.last = Some(document.clone());
                Some(event.clone())
            }
            Told::Trouble(sentence) => {
                // Whatever comes next is news.
                (self.index, self.last) = (0, None);
                let told = json!({ "error": String::from_utf8_lossy(sentence) });
                Some(format!("event: trouble\ndata: {told}\n\n").into())
            }
        }
    }
}

fn next_beat(origin: Instant, now: Instant) -> Instant {
    let past = now.saturating_duration_since(origin).as_millis() / BEAT.as_millis();
    origin + BEAT * (u32::try_from(past).unwrap_or(u32::MAX - 1) + 1)
}

type Next = Pin<Box<dyn Future<Output = Option<(Bytes, Follower)>> + Send>>;

/// The body of an answer that tells of changes.
pub(crate) struct Stream {
    /// What is waited for; nothing, when the stream is over.
    next: Option<Next>,
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(next) = &mut self.next else { return Poll::Ready(None) };
        let told = std::task::ready!(next.as_mut().poll(cx));
        self.next = None;
        Poll::Ready(told.map(|(event, follower)| {
            self.next = Some(Box::pin(follower.next()));
            Ok(Frame::data(event))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follower(told: Told) -> (watch::Sender<Told>, Follower) {
        let (sender, feed) = watch::channel(told);
        (sender, Follower { feed, index: 0, last: None, first: None, origin: Instant::now() })
    }

    #[test]
    fn only_what_is_new_is_told_and_it_is_not_copied() {
        let (_sender, mut follower) = follower(Told::state(1, b"[]"));
        let mut news = |told: &Told| follower.news(told);
        let three = Told::state(3, b"[1]");
        let Told::State { event, .. } = &three else { unreachable!("it is a state") };
        assert_eq!(news(&three).map(|told| told.as_ptr()), Some(event.as_ptr()));
        assert_eq!(news(&three), None);
        assert_eq!(news(&Told::state(2, b"[0]")), None, "it is older");
        assert_eq!(news(&Told::state(4, b"[1]")), None, "it is the same");
        assert_eq!(news(&Told::state(5, b"[2]")).as_deref(), Some(&b"id: 5\ndata: [2]\n\n"[..]));
        let trouble = news(&Told::Trouble("it recovers".into()));
        assert_eq!(trouble.as_deref(), Some(&b"event: trouble\ndata: {\"error\":\"it recovers\"}\n\n"[..]));
        assert!(news(&Told::state(5, b"[2]")).is_some(), "it is well again");
    }

    #[tokio::test]
    async fn who_is_slow_is_told_the_last_state_alone() {
        let (sender, follower) = follower(Told::state(1, b"[]"));
        for index in 2..100 {
            sender.send_replace(Told::state(index, index.to_string().as_bytes()));
        }
        let (told, follower) = follower.next().await.unwrap();
        assert_eq!(&*told, b"id: 99\ndata: 99\n\n");
        drop(sender);
        assert!(follower.next().await.is_none(), "the feed has ended");
    }

    #[test]
    fn beats_come_together() {
        let origin = Instant::now();
        let at = |seconds| next_beat(origin, origin + Duration::from_secs(seconds)) - origin;
        assert_eq!([at(0), at(14), at(15)], [BEAT, BEAT, 2 * BEAT]);
    }
}
