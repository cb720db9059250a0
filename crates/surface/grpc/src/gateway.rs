//! The service `gateway_protocol.Gateway`: what all calls share, and the list of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use coreto_machine::{Caller, Channel, Tenant};
use coreto_partition::{Address, Answer, Health, Request};
use coreto_protocol::gateway as pb;
use coreto_protocol::gateway::gateway_server;
use coreto_record::{Command, Reply, partition_of_key, partition_of_text};
use tokio::sync::{Semaphore, watch};
use tonic::metadata::MetadataMap;
use tonic::{Response, Status};

use crate::backend::Backend;
use crate::config::Config;
use crate::desk::{Desk, Outcome};
use crate::outlet::Outlet;
use crate::poll::Batches;
use crate::rpc::{
    decision, delete, deploy, incident, instance, job, message, migration, modification, topology,
};
use crate::status::Failure;
use crate::stream::Jobs;
use crate::watch::Watcher;

/// What the calls of one runtime thread share.
pub(crate) struct Gateway {
    pub(crate) shared: Arc<Shared>,
    pub(crate) desk: Arc<Desk>,
    /// The desk's number in the outlet.
    pub(crate) number: usize,
}

/// What all runtime threads share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) outlet: Arc<Outlet>,
    pub(crate) address: std::net::SocketAddr,
    /// Reads records for `Watch`.
    pub(crate) watcher: Arc<dyn Watcher>,
    /// Places for those who watch.
    pub(crate) watches: Arc<Semaphore>,
    /// Says that no new calls are taken.
    pub(crate) drain: watch::Sender<bool>,
    /// When the gateway was made, in milliseconds since 1970.
    pub(crate) started_at: i64,
    /// Where the next command goes that has no key.
    pub(crate) turn: AtomicU32,
}

impl Shared {
    pub(crate) fn is_draining(&self) -> bool {
        *self.drain.borrow()
    }
}

/// The metadata that makes a command safe to repeat.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The longest idempotency key in bytes.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 256;

/// A command with what came beside it.
pub(crate) struct Call<'a> {
    pub(crate) metadata: &'a MetadataMap,
    pub(crate) operation_reference: Option<u64>,
    pub(crate) command: Command,
}

impl Gateway {
    /// Carries a command to its partition and waits for the reply.
    pub(crate) async fn command(&self, call: Call<'_>) -> Result<Reply, Failure> {
        let pending = self.desk.expect_answer(false);
        let intent = intent(&call.command);
        let partition = self.partition_for(&call);
        self.submit(partition, call, pending.ticket())?;
        match pending.await {
            Outcome::Answer(answer) => reply(answer, intent),
            Outcome::TimedOut => Err(Failure::NoAnswer { after: self.shared.config.request_timeout }),
        }
    }

    /// Hands a command to a partition; the answer comes to `ticket`.
    pub(crate) fn submit(&self, partition: u32, call: Call<'_>, ticket: u64) -> Result<(), Failure> {
        if self.shared.is_draining() {
            return Err(Failure::Draining);
        }
        let mut request = Request::new(call.command, caller(), Some(address(&self.desk, ticket)));
        request.operation_reference = call.operation_reference;
        request.idempotency_key = idempotency_key(call.metadata)?;
        self.shared.backend.submit(partition, request)?;
        Ok(())
    }

    /// The partition that a command belongs to: that of its key; deployments begin at the first; messages have that
    /// of what they are about; what is to be done once goes where it went before; all else goes to each in turn that
    /// works.
    pub(crate) fn partition_for(&self, call: &Call<'_>) -> u32 {
        let count = self.shared.backend.partitions();
        if count == 1 || matches!(call.command, Command::Deploy(_) | Command::DeleteResource(_)) {
            return 1;
        }
        if let Command::PublishMessage(publish) = &call.command {
            return partition_of_text(&publish.correlation_key, count);
        }
        let key = call.command.describe().2;
        if key != 0 {
            return partition_of_key(key, count);
        }
        // One that is no text is refused later.
        if let Some(Ok(key)) = call.metadata.get(IDEMPOTENCY_KEY).map(|key| key.to_str()) {
            return partition_of_text(key, count);
        }
        let next = || self.shared.turn.fetch_add(1, Ordering::Relaxed) % count + 1;
        let first = next();
        // Bound: each partition once.
        let others = std::iter::repeat_with(next).take(count as usize - 1);
        let works = |partition: &u32| self.shared.backend.health(*partition) == Health::Healthy;
        std::iter::once(first).chain(others).find(works).unwrap_or(first)
    }
}

/// Where the answer to a request of this desk goes.
pub(crate) fn address(desk: &Arc<Desk>, ticket: u64) -> Address<coreto_engine::Engine> {
    Address { mailbox: Arc::<Desk>::clone(desk), ticket }
}

/// Whoever calls: identities are off.
pub(crate) const fn caller() -> Caller {
    Caller::anonymous(Channel::Grpc)
}

/// The name of what a command wishes, as it stands in the text of rejections.
pub(crate) fn intent(command: &Command) -> &'static str {
    let (value_type, intent, _) = command.describe();
    value_type.intent_name(intent).unwrap_or("UNKNOWN")
}

/// What an answer to a command means.
pub(crate) fn reply(answer: Answer<coreto_engine::Engine>, intent: &'static str) -> Result<Reply, Failure> {
    match answer {
        Answer::Reply(reply) => Ok(reply),
        Answer::Rejected(rejection) => {
            Err(Failure::Rejected { intent, kind: rejection.kind, reason: rejection.reason })
        }
        Answer::Answered(_) => Err(Failure::Mismatch { call: intent }),
        Answer::Lost { reason } => Err(Failure::Lost { reason }),
        Answer::KeyMisused => Err(Failure::KeyMisused),
        Answer::KeysFull => Err(Failure::KeysFull),
    }
}

/// Refuses the key that makes a command safe to repeat: a request for jobs is not. Jobs in a kept reply may be another
/// worker's by the time of the repetition.
pub(crate) fn without_key(metadata: &MetadataMap) -> Result<(), Failure> {
    if metadata.contains_key(IDEMPOTENCY_KEY) {
        return Err(Failure::invalid(
            IDEMPOTENCY_KEY,
            "a request for jobs takes no such metadata; jobs whose answer was lost can be activated again when their timeout is over",
        ));
    }
    Ok(())
}

/// The key that makes a command safe to repeat.
fn idempotency_key(metadata: &MetadataMap) -> Result<Option<(Tenant, Arc<str>)>, Failure> {
    let Some(key) = metadata.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    match key.to_str() {
        Ok(key) if (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len()) => {
            Ok(Some((Tenant::DEFAULT, key.into())))
        }
        Ok(_) | Err(_) => Err(Failure::invalid(
            IDEMPOTENCY_KEY,
            format!("this metadata must be 1 to {IDEMPOTENCY_KEY_BYTES_MAX} bytes of printable ASCII"),
        )),
    }
}

type Answered<T> = Result<Response<T>, Status>;

/// A call that is not built answers so, and says its name.
macro_rules! unbuilt {
    ($name:literal) => {
        Err(Failure::Unbuilt { what: $name }.into())
    };
}

#[tonic::async_trait]
impl gateway_server::Gateway for Gateway {
    type ActivateJobsStream = Batches;
    type StreamActivatedJobsStream = Jobs;

    async fn topology(&self, _: tonic::Request<pb::TopologyRequest>) -> Answered<pb::TopologyResponse> {
        Ok(Response::new(topology::topology(&self.shared)))
    }

    async fn deploy_resource(
        &self,
        request: tonic::Request<pb::DeployResourceRequest>,
    ) -> Answered<pb::DeployResourceResponse> {
        Ok(Response::new(deploy::resources(self, request).await?))
    }

    async fn deploy_process(
        &self,
        request: tonic::Request<pb::DeployProcessRequest>,
    ) -> Answered<pb::DeployProcessResponse> {
        Ok(Response::new(deploy::processes(self, request).await?))
    }

    async fn create_process_instance(
        &self,
        request: tonic::Request<pb::CreateProcessInstanceRequest>,
    ) -> Answered<pb::CreateProcessInstanceResponse> {
        Ok(Response::new(instance::create(self, request).await?))
    }

    async fn create_process_instance_with_result(
        &self,
        request: tonic::Request<pb::CreateProcessInstanceWithResultRequest>,
    ) -> Answered<pb::CreateProcessInstanceWithResultResponse> {
        Ok(Response::new(instance::create_with_result(self, request).await?))
    }

    async fn cancel_process_instance(
        &self,
        request: tonic::Request<pb::CancelProcessInstanceRequest>,
    ) -> Answered<pb::CancelProcessInstanceResponse> {
        Ok(Response::new(instance::cancel(self, request).await?))
    }

    async fn set_variables(
        &self,
        request: tonic::Request<pb::SetVariablesRequest>,
    ) -> Answered<pb::SetVariablesResponse> {
        Ok(Response::new(instance::set_variables(self, request).await?))
    }

    async fn activate_jobs(
        &self,
        request: tonic::Request<pb::ActivateJobsRequest>,
    ) -> Answered<Self::ActivateJobsStream> {
        Ok(Response::new(crate::poll::activate(self, request).await?))
    }

    async fn stream_activated_jobs(
        &self,
        request: tonic::Request<pb::StreamActivatedJobsRequest>,
    ) -> Answered<Self::StreamActivatedJobsStream> {
        let (metadata, _, request) = request.into_parts();
        Ok(Response::new(Jobs(crate::stream::open(self, &metadata, request)?)))
    }

    async fn complete_job(
        &self,
        request: tonic::Request<pb::CompleteJobRequest>,
    ) -> Answered<pb::CompleteJobResponse> {
        Ok(Response::new(job::complete(self, request).await?))
    }

    async fn fail_job(&self, request: tonic::Request<pb::FailJobRequest>) -> Answered<pb::FailJobResponse> {
        Ok(Response::new(job::fail(self, request).await?))
    }

    async fn throw_error(
        &self,
        request: tonic::Request<pb::ThrowErrorRequest>,
    ) -> Answered<pb::ThrowErrorResponse> {
        Ok(Response::new(job::throw_error(self, request).await?))
    }

    async fn update_job_retries(
        &self,
        request: tonic::Request<pb::UpdateJobRetriesRequest>,
    ) -> Answered<pb::UpdateJobRetriesResponse> {
        Ok(Response::new(job::update_retries(self, request).await?))
    }

    async fn update_job_timeout(
        &self,
        request: tonic::Request<pb::UpdateJobTimeoutRequest>,
    ) -> Answered<pb::UpdateJobTimeoutResponse> {
        Ok(Response::new(job::update_timeout(self, request).await?))
    }

    async fn resolve_incident(
        &self,
        request: tonic::Request<pb::ResolveIncidentRequest>,
    ) -> Answered<pb::ResolveIncidentResponse> {
        Ok(Response::new(incident::resolve(self, request).await?))
    }

    async fn assign_process_instance_business_id(
        &self,
        _: tonic::Request<pb::AssignProcessInstanceBusinessIdRequest>,
    ) -> Answered<pb::AssignProcessInstanceBusinessIdResponse> {
        unbuilt!("AssignProcessInstanceBusinessId")
    }

    async fn broadcast_signal(
        &self,
        request: tonic::Request<pb::BroadcastSignalRequest>,
    ) -> Answered<pb::BroadcastSignalResponse> {
        Ok(Response::new(message::broadcast(self, request).await?))
    }

    async fn delete_resource(
        &self,
        request: tonic::Request<pb::DeleteResourceRequest>,
    ) -> Answered<pb::DeleteResourceResponse> {
        Ok(Response::new(delete::resource(self, request).await?))
    }

    async fn evaluate_conditional(
        &self,
        _: tonic::Request<pb::EvaluateConditionalRequest>,
    ) -> Answered<pb::EvaluateConditionalResponse> {
        unbuilt!("EvaluateConditional")
    }

    async fn evaluate_decision(
        &self,
        request: tonic::Request<pb::EvaluateDecisionRequest>,
    ) -> Answered<pb::EvaluateDecisionResponse> {
        Ok(Response::new(decision::evaluate(self, request).await?))
    }

    async fn migrate_process_instance(
        &self,
        request: tonic::Request<pb::MigrateProcessInstanceRequest>,
    ) -> Answered<pb::MigrateProcessInstanceResponse> {
        Ok(Response::new(migration::migrate(self, request).await?))
    }

    async fn modify_process_instance(
        &self,
        request: tonic::Request<pb::ModifyProcessInstanceRequest>,
    ) -> Answered<pb::ModifyProcessInstanceResponse> {
        Ok(Response::new(modification::modify(self, request).await?))
    }

    async fn publish_message(
        &self,
        request: tonic::Request<pb::PublishMessageRequest>,
    ) -> Answered<pb::PublishMessageResponse> {
        Ok(Response::new(message::publish(self, request).await?))
    }

    async fn update_job_priority(
        &self,
        _: tonic::Request<pb::UpdateJobPriorityRequest>,
    ) -> Answered<pb::UpdateJobPriorityResponse> {
        unbuilt!("UpdateJobPriority")
    }
}
