//! The calls of the bare server.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use coreto_protocol::gateway::gateway_server::Gateway;
use coreto_protocol::gateway::{
    self as wire, ActivateJobsRequest, ActivateJobsResponse, ActivatedJob, CompleteJobRequest,
    CompleteJobResponse, CreateProcessInstanceRequest, CreateProcessInstanceResponse, DeployResourceRequest,
    DeployResourceResponse, PublishMessageRequest, PublishMessageResponse, StreamActivatedJobsRequest,
    TopologyRequest, TopologyResponse,
};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Request, Response, Status};

use super::commit::Committer;
use crate::bench::message::{instance_number, number};
use crate::bench::model::Scenario;

type Pushes = mpsc::UnboundedSender<Result<ActivatedJob, Status>>;

/// Jobs in memory, one type only; their number is bounded by what the generator keeps in flight.
pub(super) struct Bare {
    jobs: Mutex<Jobs>,
    arrived: Notify,
    keys: AtomicI64,
    committer: Arc<Committer>,
}

#[derive(Default)]
struct Jobs {
    streams: VecDeque<Pushes>,
    waiting: VecDeque<Step>,
    /// Those of instances that wait for a message, by their number.
    expecting: HashMap<u64, Step>,
    running: HashMap<i64, Step>,
}

/// One task of an instance.
#[derive(Clone)]
struct Step {
    key: i64,
    instance: i64,
    left: u32,
    process_id: String,
    variables: String,
}

impl Step {
    fn activated(&self) -> ActivatedJob {
        ActivatedJob {
            key: self.key,
            r#type: self.process_id.clone(),
            process_instance_key: self.instance,
            bpmn_process_id: self.process_id.clone(),
            process_definition_version: 1,
            process_definition_key: 1,
            element_id: "task".into(),
            element_instance_key: self.key,
            custom_headers: "{}".into(),
            worker: "bench".into(),
            retries: 3,
            deadline: i64::MAX,
            variables: self.variables.clone(),
            tenant_id: "<default>".into(),
            ..ActivatedJob::default()
        }
    }
}

impl Bare {
    pub(super) fn new(committer: Arc<Committer>) -> Self {
        Self { jobs: Mutex::default(), arrived: Notify::new(), keys: AtomicI64::new(1 << 51), committer }
    }

    fn key(&self) -> i64 {
        self.keys.fetch_add(1, Ordering::Relaxed)
    }

    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offer(&self, step: Step) {
        let mut jobs = self.jobs();
        while let Some(stream) = jobs.streams.pop_front() {
            if stream.send(Ok(step.activated())).is_ok() {
                jobs.streams.push_back(stream);
                jobs.running.insert(step.key, step);
                return;
            }
        }
        jobs.waiting.push_back(step);
        drop(jobs);
        self.arrived.notify_one();
    }

    fn take(&self, most: usize) -> Vec<ActivatedJob> {
        let mut jobs = self.jobs();
        let some = most.min(jobs.waiting.len());
        let steps: Vec<_> = jobs.waiting.drain(..some).collect();
        let activated = steps.iter().map(Step::activated).collect();
        jobs.running.extend(steps.into_iter().map(|step| (step.key, step)));
        if !jobs.waiting.is_empty() {
            self.arrived.notify_one();
        }
        activated
    }
}

/// The calls that are there, and those that are not.
macro_rules! bare {
    ({ $($built:tt)* } $($name:ident: $request:ident => $response:ident;)*) => {
        #[tonic::async_trait]
        impl Gateway for Bare {
            $($built)*
            $(async fn $name(&self, _: Request<wire::$request>) -> Result<Response<wire::$response>, Status> {
                Err(Status::unimplemented(concat!("not implemented by the bare server: ", stringify!($name))))
            })*
        }
    };
}

bare! {
    {
        type ActivateJobsStream = tokio_stream::Iter<std::option::IntoIter<Result<ActivateJobsResponse, Status>>>;
        type StreamActivatedJobsStream = UnboundedReceiverStream<Result<ActivatedJob, Status>>;

        async fn create_process_instance(
            &self,
            request: Request<CreateProcessInstanceRequest>,
        ) -> Result<Response<CreateProcessInstanceResponse>, Status> {
            let CreateProcessInstanceRequest { bpmn_process_id, variables, .. } = request.into_inner();
            let instance = self.key();
            self.committer.durable().await?;
            let ten = bpmn_process_id.starts_with(&Scenario::TenTasks.process_id(""));
            let tasks = if ten { Scenario::TenTasks } else { Scenario::OneTask }.tasks();
            let (key, process_id) = (self.key(), bpmn_process_id.clone());
            let step = Step { key, instance, left: tasks, process_id, variables };
            if bpmn_process_id.starts_with(&Scenario::Message.process_id("")) {
                let number = instance_number(step.variables.as_bytes());
                let number = number.ok_or_else(|| Status::invalid_argument("the variables have no `bench`"))?;
                self.jobs().expecting.insert(number, step);
            } else {
                self.offer(step);
            }
            Ok(Response::new(CreateProcessInstanceResponse {
                process_definition_key: 1,
                bpmn_process_id,
                version: 1,
                process_instance_key: instance,
                tenant_id: "<default>".into(),
                tags: Vec::new(),
                business_id: None,
            }))
        }

        async fn publish_message(
            &self,
            request: Request<PublishMessageRequest>,
        ) -> Result<Response<PublishMessageResponse>, Status> {
            let step = number(request.into_inner().correlation_key.as_bytes())
                .and_then(|number| self.jobs().expecting.remove(&number));
            let Some(step) = step else { return Err(Status::not_found("nobody waits for it")) };
            self.committer.durable().await?;
            self.offer(step);
            Ok(Response::new(PublishMessageResponse { key: self.key(), tenant_id: "<default>".into() }))
        }

        async fn complete_job(
            &self,
            request: Request<CompleteJobRequest>,
        ) -> Result<Response<CompleteJobResponse>, Status> {
            let key = request.into_inner().job_key;
            let step = self.jobs().running.remove(&key);
            let Some(mut step) = step else { return Err(Status::not_found("no such job")) };
            self.committer.durable().await?;
            step.left -= 1;
            if step.left > 0 {
                step.key = self.key();
                self.offer(step);
            }
            Ok(Response::new(CompleteJobResponse {}))
        }

        async fn activate_jobs(
            &self,
            request: Request<ActivateJobsRequest>,
        ) -> Result<Response<Self::ActivateJobsStream>, Status> {
            let request = request.into_inner();
            let most = usize::try_from(request.max_jobs_to_activate).unwrap_or(0);
            let wait = Duration::from_millis(u64::try_from(request.request_timeout).unwrap_or(0));
            let end = Instant::now() + wait;
            let jobs = loop {
                let jobs = self.take(most);
                if !jobs.is_empty() || timeout_at(end, self.arrived.notified()).await.is_err() {
                    break jobs;
                }
            };
            if jobs.is_empty() {
                return Ok(Response::new(tokio_stream::iter(None)));
            }
            // To hand out a job is a command too.
            self.committer.durable().await?;
            Ok(Response::new(tokio_stream::iter(Some(Ok(ActivateJobsResponse { jobs })))))
        }

        async fn stream_activated_jobs(
            &self,
            _: Request<StreamActivatedJobsRequest>,
        ) -> Result<Response<Self::StreamActivatedJobsStream>, Status> {
            let (pushes, jobs) = mpsc::unbounded_channel();
            self.jobs().streams.push_back(pushes);
            Ok(Response::new(UnboundedReceiverStream::new(jobs)))
        }

        async fn deploy_resource(
            &self,
            _: Request<DeployResourceRequest>,
        ) -> Result<Response<DeployResourceResponse>, Status> {
            Ok(Response::new(DeployResourceResponse { key: self.key(), ..DeployResourceResponse::default() }))
        }

        async fn topology(&self, _: Request<TopologyRequest>) -> Result<Response<TopologyResponse>, Status> {
            let gateway_version = "none: a bare server without an engine".into();
            Ok(Response::new(TopologyResponse { gateway_version, ..TopologyResponse::default() }))
        }
    }
    assign_process_instance_business_id: AssignProcessInstanceBusinessIdRequest => AssignProcessInstanceBusinessIdResponse;
    broadcast_signal: BroadcastSignalRequest => BroadcastSignalResponse;
    cancel_process_instance: CancelProcessInstanceRequest => CancelProcessInstanceResponse;
    create_process_instance_with_result: CreateProcessInstanceWithResultRequest => CreateProcessInstanceWithResultResponse;
    delete_resource: DeleteResourceRequest => DeleteResourceResponse;
    deploy_process: DeployProcessRequest => DeployProcessResponse;
    evaluate_conditional: EvaluateConditionalRequest => EvaluateConditionalResponse;
    evaluate_decision: EvaluateDecisionRequest => EvaluateDecisionResponse;
    fail_job: FailJobRequest => FailJobResponse;
    migrate_process_instance: MigrateProcessInstanceRequest => MigrateProcessInstanceResponse;
    modify_process_instance: ModifyProcessInstanceRequest => ModifyProcessInstanceResponse;
    resolve_incident: ResolveIncidentRequest => ResolveIncidentResponse;
    set_variables: SetVariablesRequest => SetVariablesResponse;
    throw_error: ThrowErrorRequest => ThrowErrorResponse;
    update_job_priority: UpdateJobPriorityRequest => UpdateJobPriorityResponse;
    update_job_retries: UpdateJobRetriesRequest => UpdateJobRetriesResponse;
    update_job_timeout: UpdateJobTimeoutRequest => UpdateJobTimeoutResponse;
}
