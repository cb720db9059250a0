//! Jobs that the server pushes.

use std::future::Future;
use std::pin::Pin;

use coreto_protocol::gateway::{ActivatedJob, StreamActivatedJobsRequest};
use tokio::time::{Instant, sleep_until};
use tonic::{Code, Response, Status, Streaming};

use crate::backoff::Backoff;
use crate::client::Client;

type Opening = Pin<Box<dyn Future<Output = Result<Response<Streaming<ActivatedJob>>, Status>> + Send>>;

/// One job stream, opened again whenever it ends.
pub(crate) struct Push {
    client: Client,
    request: StreamActivatedJobsRequest,
    backoff: Backoff,
    state: State,
}

enum State {
    /// Not wanted, or the server has no streams.
    Off,
    Pausing(Instant),
    /// Some servers answer the call with its first job only, so this may last.
    Opening(Opening),
    Open(Box<Streaming<ActivatedJob>>),
}

/// What a stream brings.
pub(crate) enum Pushed {
    Job(Box<ActivatedJob>),
    /// The stream was lost: what became ready meanwhile was pushed to nobody.
    Lost(Status),
}

impl Push {
    pub(crate) fn new(
        client: Client,
        request: StreamActivatedJobsRequest,
        on: bool,
        backoff: Backoff,
    ) -> Self {
        let state = if on { State::Pausing(Instant::now()) } else { State::Off };
        Self { client, request, backoff, state }
    }

    /// Whether jobs may come this way.
    pub(crate) fn is_on(&self) -> bool {
        !matches!(self.state, State::Off)
    }

    /// Waits for the next thing; loses nothing when it is dropped before.
    pub(crate) async fn next(&mut self) -> Pushed {
        loop {
            match &mut self.state {
                State::Off => std::future::pending().await,
                State::Pausing(until) => {
                    sleep_until(*until).await;
                    let (mut gateway, request) = (self.client.gateway(), self.request.clone());
                    let opening = async move { gateway.stream_activated_jobs(request).await };
                    self.state = State::Opening(Box::pin(opening));
                }
                State::Opening(opening) => match opening.as_mut().await {
                    Ok(stream) => self.state = State::Open(Box::new(stream.into_inner())),
                    Err(status) => return self.lost(status),
                },
                State::Open(stream) => match stream.message().await {
                    Ok(Some(job)) => {
                        self.backoff.reset();
                        return Pushed::Job(Box::new(job));
                    }
                    Ok(None) => return self.lost(Status::unavailable("the server ended the stream")),
                    Err(status) => return self.lost(status),
                },
            }
        }
    }

    fn lost(&mut self, status: Status) -> Pushed {
        self.state = if status.code() == Code::Unimplemented {
            State::Off
        } else {
            State::Pausing(Instant::now() + self.backoff.pause())
        };
        Pushed::Lost(status)
    }
}
