//! A gateway that hands out the jobs a test gives it, and tells the test what was reported.

#![expect(clippy::unwrap_used, reason = "a failing test is meant to stop here")]

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coreto_worker::protocol::gateway_server::{self, GatewayServer};
use coreto_worker::protocol::*;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio_stream::Stream;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status};

#[derive(Debug, PartialEq)]
pub(crate) enum Report {
    Completed { job: i64, variables: String },
    Failed { job: i64, retries: i32, backoff: i64, message: String },
    Thrown { job: i64, code: String, variables: String },
}

pub(crate) struct Gateway {
    shared: Arc<Shared>,
    address: String,
    reports: tokio::sync::Mutex<mpsc::UnboundedReceiver<Report>>,
}

type Pushes = mpsc::Sender<Result<ActivatedJob, Status>>;

struct Shared {
    waiting: Mutex<VecDeque<ActivatedJob>>,
    arrived: Notify,
    streams: Mutex<Vec<Pushes>>,
    opened: Notify,
    streams_opened: AtomicUsize,
    streams_refused: Mutex<Option<Code>>,
    reports_refused: AtomicI32,
    refusal: Mutex<Code>,
    authorization: Mutex<Option<String>>,
    reports: mpsc::UnboundedSender<Report>,
}

impl Gateway {
    pub(crate) async fn start() -> Self {
        Self::serve(Server::builder(), "http").await
    }

    /// Speaks TLS with this certificate and key.
    pub(crate) async fn start_tls(certificate: &str, key: &str) -> Self {
        let identity = Identity::from_pem(certificate, key);
        let tls = ServerTlsConfig::new().identity(identity);
        Self::serve(Server::builder().tls_config(tls).unwrap(), "https").await
    }

    async fn serve(mut server: Server, scheme: &str) -> Self {
        let (sender, reports) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            waiting: Mutex::default(),
            arrived: Notify::new(),
            streams: Mutex::default(),
            opened: Notify::new(),
            streams_opened: AtomicUsize::new(0),
            streams_refused: Mutex::new(None),
            reports_refused: AtomicI32::new(0),
            refusal: Mutex::new(Code::Unavailable),
            authorization: Mutex::new(None),
            reports: sender,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("{scheme}://{}", listener.local_addr().unwrap());
        let service = GatewayServer::new(Served(shared.clone()));
        tokio::spawn(server.add_service(service).serve_with_incoming(TcpListenerStream::new(listener)));
        Self { shared, address, reports: tokio::sync::Mutex::new(reports) }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Leaves a job for the next poll.
    pub(crate) fn wait_with_job(&self, key: i64, variables: &str) {
        self.shared.waiting.lock().unwrap().push_back(job(key, variables));
        self.shared.arrived.notify_one();
    }

    /// Pushes a job to an open stream, waiting for one.
    pub(crate) async fn push_job(&self, key: i64, variables: &str) {
        loop {
            let stream = self.shared.streams.lock().unwrap().last().cloned();
            if let Some(stream) = stream {
                if stream.send(Ok(job(key, variables))).await.is_ok() {
                    return;
                }
                self.shared.streams.lock().unwrap().pop();
            } else {
                tokio::time::timeout(Duration::from_secs(10), self.shared.opened.notified()).await.unwrap();
            }
        }
    }

    pub(crate) async fn end_streams(&self, code: Code) {
        let streams = std::mem::take(&mut *self.shared.streams.lock().unwrap());
        for stream in streams {
            let _ = stream.send(Err(Status::new(code, "going away"))).await;
        }
    }

    pub(crate) fn refuse_streams(&self, code: Code) {
        *self.shared.streams_refused.lock().unwrap() = Some(code);
    }

    pub(crate) fn refuse_reports(&self, times: i32, code: Code) {
        *self.shared.refusal.lock().unwrap() = code;
        self.shared.reports_refused.store(times, SeqCst);
    }

    pub(crate) fn streams_opened(&self) -> usize {
        self.shared.streams_opened.load(SeqCst)
    }

    pub(crate) fn authorization(&self) -> Option<String> {
        self.shared.authorization.lock().unwrap().clone()
    }

    pub(crate) async fn report(&self) -> Report {
        let mut reports = self.reports.lock().await;
        tokio::time::timeout(Duration::from_secs(10), reports.recv())
            .await
            .expect("a report in time")
            .unwrap()
    }
}

fn job(key: i64, variables: &str) -> ActivatedJob {
    ActivatedJob {
        key,
        retries: 3,
        variables: variables.into(),
        custom_headers: "{}".into(),
        ..ActivatedJob::default()
    }
}

impl Shared {
    fn take(&self, max: usize) -> Vec<ActivatedJob> {
        let mut waiting = self.waiting.lock().unwrap();
        let some = max.min(waiting.len());
        waiting.drain(..some).collect()
    }
}

struct Served(Arc<Shared>);

impl Served {
    fn note(&self, report: Report) -> Result<(), Status> {
        if self.0.reports_refused.fetch_sub(1, SeqCst) > 0 {
            return Err(Status::new(*self.0.refusal.lock().unwrap(), "refused for a test"));
        }
        // A test that has seen enough no longer listens.
        let _ = self.0.reports.send(report);
        Ok(())
    }
}

type Sent<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

macro_rules! served {
    ({ $($built:tt)* } $($name:ident: $request:ty => $response:ty;)*) => {
        #[tonic::async_trait]
        impl gateway_server::Gateway for Served {
            $($built)*
            $(async fn $name(&self, _: Request<$request>) -> Result<Response<$response>, Status> {
                Err(Status::unimplemented(stringify!($name)))
            })*
        }
    };
}

served! {
    {
        type ActivateJobsStream = Sent<ActivateJobsResponse>;
        type StreamActivatedJobsStream = Sent<ActivatedJob>;

        async fn activate_jobs(
            &self,
            request: Request<ActivateJobsRequest>,
        ) -> Result<Response<Self::ActivateJobsStream>, Status> {
            let request = request.into_inner();
            let wait = Duration::from_millis(request.request_timeout.try_into().unwrap_or(0));
            let end = tokio::time::Instant::now() + wait;
            let max = usize::try_from(request.max_jobs_to_activate).unwrap();
            let jobs = loop {
                let jobs = self.0.take(max);
                if !jobs.is_empty() || tokio::time::timeout_at(end, self.0.arrived.notified()).await.is_err() {
                    break jobs;
                }
            };
            Ok(Response::new(Box::pin(tokio_stream::once(Ok(ActivateJobsResponse { jobs })))))
        }

        async fn stream_activated_jobs(
            &self,
            _: Request<StreamActivatedJobsRequest>,
        ) -> Result<Response<Self::StreamActivatedJobsStream>, Status> {
            if let Some(code) = *self.0.streams_refused.lock().unwrap() {
                return Err(Status::new(code, "refused for a test"));
            }
            let (jobs, pushed) = mpsc::channel(64);
            self.0.streams.lock().unwrap().push(jobs);
            self.0.streams_opened.fetch_add(1, SeqCst);
            self.0.opened.notify_one();
            Ok(Response::new(Box::pin(ReceiverStream::new(pushed))))
        }

        async fn complete_job(
            &self,
            request: Request<CompleteJobRequest>,
        ) -> Result<Response<CompleteJobResponse>, Status> {
            let CompleteJobRequest { job_key: job, variables, .. } = request.into_inner();
            self.note(Report::Completed { job, variables })?;
            Ok(Response::new(CompleteJobResponse {}))
        }

        async fn fail_job(&self, request: Request<FailJobRequest>) -> Result<Response<FailJobResponse>, Status> {
            let request = request.into_inner();
            self.note(Report::Failed {
                job: request.job_key,
                retries: request.retries,
                backoff: request.retry_back_off,
                message: request.error_message,
            })?;
            Ok(Response::new(FailJobResponse {}))
        }

        async fn throw_error(
            &self,
            request: Request<ThrowErrorRequest>,
        ) -> Result<Response<ThrowErrorResponse>, Status> {
            let ThrowErrorRequest { job_key: job, error_code: code, variables, .. } = request.into_inner();
            self.note(Report::Thrown { job, code, variables })?;
            Ok(Response::new(ThrowErrorResponse {}))
        }

        async fn create_process_instance(
            &self,
            request: Request<CreateProcessInstanceRequest>,
        ) -> Result<Response<CreateProcessInstanceResponse>, Status> {
            Err(Status::not_found(format!("no process `{}`", request.get_ref().bpmn_process_id)))
        }

        async fn create_process_instance_with_result(
            &self,
            request: Request<CreateProcessInstanceWithResultRequest>,
        ) -> Result<Response<CreateProcessInstanceWithResultResponse>, Status> {
            let authorization = request.metadata().get("authorization");
            *self.0.authorization.lock().unwrap() = authorization.map(|value| value.to_str().unwrap().into());
            let variables = r#"{"paid":true}"#.into();
            Ok(Response::new(CreateProcessInstanceWithResultResponse { variables, ..Default::default() }))
        }
    }
    assign_process_instance_business_id: AssignProcessInstanceBusinessIdRequest => AssignProcessInstanceBusinessIdResponse;
    broadcast_signal: BroadcastSignalRequest => BroadcastSignalResponse;
    cancel_process_instance: CancelProcessInstanceRequest => CancelProcessInstanceResponse;
    delete_resource: DeleteResourceRequest => DeleteResourceResponse;
    deploy_process: DeployProcessRequest => DeployProcessResponse;
    deploy_resource: DeployResourceRequest => DeployResourceResponse;
    evaluate_conditional: EvaluateConditionalRequest => EvaluateConditionalResponse;
    evaluate_decision: EvaluateDecisionRequest => EvaluateDecisionResponse;
    migrate_process_instance: MigrateProcessInstanceRequest => MigrateProcessInstanceResponse;
    modify_process_instance: ModifyProcessInstanceRequest => ModifyProcessInstanceResponse;
    publish_message: PublishMessageRequest => PublishMessageResponse;
    resolve_incident: ResolveIncidentRequest => ResolveIncidentResponse;
    set_variables: SetVariablesRequest => SetVariablesResponse;
    topology: TopologyRequest => TopologyResponse;
    update_job_priority: UpdateJobPriorityRequest => UpdateJobPriorityResponse;
    update_job_retries: UpdateJobRetriesRequest => UpdateJobRetriesResponse;
    update_job_timeout: UpdateJobTimeoutRequest => UpdateJobTimeoutResponse;
}
