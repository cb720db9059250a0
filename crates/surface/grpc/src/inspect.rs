//! The service `coreto.v1.Inspect`: reads of what the partitions hold, and watching.
//!
//! Lists are ordered by key. A key's upper bits are its partition, so a list goes on from partition to partition.

mod answer;
mod question;

use std::sync::Arc;

use coreto_engine::{Answer, Query};
use coreto_partition::Health;
use coreto_protocol::inspect as pb;
use coreto_protocol::inspect::inspect_server;
use coreto_protocol::inspect::query_request::Query as Question;
use coreto_protocol::inspect::query_response::Answer as Told;
use coreto_record::{partition_of, partition_of_key};
use tonic::{Request, Response, Status};

use crate::desk::{Desk, Outcome};
use crate::gateway::{Shared, address, caller};
use crate::rpc::topology::GATEWAY_VERSION;
use crate::status::Failure;
use crate::watch::{self, Events};

/// What the calls of one runtime thread share.
pub(crate) struct Inspect {
    pub(crate) shared: Arc<Shared>,
    pub(crate) desk: Arc<Desk>,
}

#[tonic::async_trait]
impl inspect_server::Inspect for Inspect {
    type WatchStream = Events;

    async fn query(&self, request: Request<pb::QueryRequest>) -> Result<Response<pb::QueryResponse>, Status> {
        let Some(question) = request.into_inner().query else {
            return Err(Failure::invalid("query", "it must say what is asked").into());
        };
        let answer = match question {
            Question::Status(pb::StatusQuery {}) => Told::Status(self.status().await?),
            Question::Instance(instance) => Told::Instance(self.instance(instance.key).await?),
            question => self.list(question).await?,
        };
        Ok(Response::new(pb::QueryResponse { answer: Some(answer) }))
    }

    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Events>, Status> {
        let events = watch::open(&self.shared, request.get_ref())?;
        Ok(Response::new(events))
    }
}

impl Inspect {
    /// Asks one partition; the answer is durable.
    async fn ask(&self, partition: u32, query: Query) -> Result<Answer, Failure> {
        if self.shared.is_draining() {
            return Err(Failure::Draining);
        }
        let pending = self.desk.expect_answer(false);
        let to = address(&self.desk, pending.ticket());
        self.shared.backend.query(partition, caller(), query, to)?;
        match pending.await {
            Outcome::Answer(coreto_partition::Answer::Answered(answer)) => Ok(answer),
            Outcome::Answer(coreto_partition::Answer::Lost { reason }) => Err(Failure::Lost { reason }),
            Outcome::Answer(_) => Err(Failure::Mismatch { call: "a question" }),
            Outcome::TimedOut => Err(Failure::NoAnswer { after: self.shared.config.request_timeout }),
        }
    }

    async fn instance(&self, key: i64) -> Result<pb::InstanceAnswer, Failure> {
        let instance = question::instance(key)?;
        let partition = partition_of_key(key.unsigned_abs(), self.shared.backend.partitions());
        match self.ask(partition, Query::Instance(instance)).await? {
            Answer::Instance(Some(details)) => Ok(answer::instance(&details)),
            Answer::Instance(None) => Err(Failure::Unknown {
                what: format!("no process instance with key {key} is running; it may have ended"),
            }),
            _ => Err(Failure::Mismatch { call: "a question for an instance" }),
        }
    }

    /// One page, from the partition that it begins in, and from those behind it while nothing is found.
    async fn list(&self, question: Question) -> Result<Told, Failure> {
        // All partitions hold the same definitions.
        let count = match question {
            Question::Definitions(_) => 1,
            _ => self.shared.backend.partitions(),
        };
        let (mut query, after) = question::list(question)?;
        let first = if after == 0 { 1 } else { partition_of(after).clamp(1, count) };
        for partition in first..=count {
            let listed = answer::list(self.ask(partition, query.clone()).await?)?;
            if partition == count || answer::goes_on(&listed) {
                return Ok(listed);
            }
            let (found, listed) = answer::ends(listed, partition);
            if found {
                return Ok(listed);
            }
            query = question::from_the_first(query);
        }
        Err(Failure::Mismatch { call: "a question for a list" })
    }

    async fn status(&self) -> Result<pb::StatusAnswer, Failure> {
        let statistics = self.shared.outlet.statistics();
        let mut partitions = Vec::new();
        for number in 1..=self.shared.backend.partitions() {
            let health = self.shared.backend.health(number);
            let mut told = pb::PartitionStatus {
                number,
                serving: health == Health::Healthy,
                trouble: trouble(&health),
                job_streams: u32::try_from(statistics.streams).unwrap_or(u32::MAX),
                parked_polls: u32::try_from(statistics.polls).unwrap_or(u32::MAX),
                ..pb::PartitionStatus::default()
            };
            // A partition that does not answer has its trouble told, and no numbers.
            if let Ok(Answer::Status(view)) = self.ask(number, Query::Status).await {
                told.position = self.shared.backend.position(number).cast_signed();
                told.instances = view.instances;
                told.jobs = view.jobs;
                told.incidents = view.incidents;
                told.definitions = view.definitions;
            }
            partitions.push(told);
        }
        Ok(pb::StatusAnswer {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            gateway_version: GATEWAY_VERSION.to_owned(),
            started_at: self.shared.started_at,
            partitions,
        })
    }
}

/// What keeps a partition from working; empty when nothing does.
fn trouble(health: &Health) -> String {
    match health {
        Health::Healthy => String::new(),
        Health::Recovering => "it loads its store and replays its log".to_owned(),
        Health::NoSpace { free_bytes } => format!("the disk has {free_bytes} bytes left"),
        Health::CannotWrite { reason } => format!("its log cannot be written: {reason}"),
        Health::Stopped { reason } => format!("it has stopped: {reason}"),
    }
}
