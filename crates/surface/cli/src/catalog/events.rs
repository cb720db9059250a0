//! What a catalog tells of changes: server-sent events.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::Value;

use super::{ANSWER_BYTES_MAX, Catalog, Driven, sound};
use crate::error::CliError;

/// How long a catalog may say nothing; it says something every 15 seconds.
const SILENCE_MAX: Duration = Duration::from_secs(45);

/// What is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// How it is now: a line of JSON.
    State(String),
    /// It cannot be read now, for this reason.
    Trouble(String),
}

/// Events of one stream.
pub(crate) struct Events {
    body: Incoming,
    buffer: Buffer,
    _driven: Driven,
}

impl Catalog {
    /// Watches what lies behind `/v1/`: how it is, and again after each change.
    pub(crate) async fn watch(&self, path: &str, timeout: Duration) -> Result<Events, CliError> {
        let path = format!("/v1/coreto/watch/{path}");
        let asked = async {
            let (response, driven) = self.send(Method::GET, &path, Bytes::new()).await?;
            let status = response.status();
            if status.is_success() {
                return Ok(Events { body: response.into_body(), buffer: Buffer::default(), _driven: driven });
            }
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            let refused = sound(status, body.map_err(|error| self.unreached(&error))?.to_bytes());
            Err(refused.err().unwrap_or(CliError::Ended))
        };
        tokio::time::timeout(timeout, asked).await.map_err(|_| self.late(timeout))?
    }
}

impl Events {
    /// The next event. The stream ends with an error alone.
    pub(crate) async fn next(&mut self) -> Result<Event, CliError> {
        // Bound: until there is an event, or its bytes are too many.
        loop {
            if let Some(event) = self.buffer.take() {
                return Ok(event);
            }
            if self.buffer.bytes.len() > ANSWER_BYTES_MAX {
                return Err(CliError::CatalogRefused {
                    status: 200,
                    reason: "an event has no end".to_owned(),
                });
            }
            let frame = tokio::time::timeout(SILENCE_MAX, self.body.frame()).await;
            let silence = || format!("nothing was heard for {} s", SILENCE_MAX.as_secs());
            match frame.map_err(|_| CliError::BrokenOff(silence()))? {
                Some(Ok(frame)) => {
                    let data = frame.data_ref().map(|data| &data[..]).unwrap_or_default();
                    self.buffer.bytes.extend_from_slice(data);
                }
                Some(Err(error)) => return Err(CliError::BrokenOff(error.to_string())),
                None => return Err(CliError::Ended),
            }
        }
    }
}

/// Bytes that have come, of which events are taken.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    /// Where an end may begin that was not there yet.
    searched: usize,
}

impl Buffer {
    /// The first whole event; what is said for the sake of the connection alone is passed over.
    fn take(&mut self) -> Option<Event> {
        // Bound: as many rounds as events have come.
        loop {
            let end = self.bytes[self.searched..].windows(2).position(|pair| pair == b"\n\n");
            let Some(end) = end else {
                self.searched = self.bytes.len().saturating_sub(1);
                return None;
            };
            let rest = self.bytes.split_off(self.searched + end + 2);
            let event = read(&String::from_utf8_lossy(&self.bytes));
            (self.bytes, self.searched) = (rest, 0);
            if event.is_some() {
                return event;
            }
        }
    }
}

fn read(text: &str) -> Option<Event> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim_start);
    let data = field("data:")?;
    if field("event:") != Some("trouble") {
        return Some(Event::State(data.to_owned()));
    }
    let told: Value = serde_json::from_str(data).unwrap_or_default();
    Some(Event::Trouble(told["error"].as_str().unwrap_or(data).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_whole_however_they_come() {
        let told =
            b"id: 1\ndata: [1]\n\n:\n\nevent: trouble\ndata: {\"error\":\"it recovers\"}\n\nid: 2\ndata: [";
        for piece in [1, 7, told.len()] {
            let (mut buffer, mut events) = (Buffer::default(), Vec::new());
            for bytes in told.chunks(piece) {
                buffer.bytes.extend_from_slice(bytes);
                events.extend(std::iter::from_fn(|| buffer.take()));
            }
            let wanted = [Event::State("[1]".to_owned()), Event::Trouble("it recovers".to_owned())];
            assert_eq!(events, wanted, "in pieces of {piece}");
        }
    }
}
