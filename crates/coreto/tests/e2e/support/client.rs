//! A client of both services, over a connection of its own.

use std::time::Duration;

use coreto_protocol::gateway::gateway_client::GatewayClient;
use coreto_protocol::gateway::{self as wire, ActivatedJob};
use coreto_protocol::inspect::inspect_client::InspectClient;
use coreto_protocol::inspect::query_request::Query;
use coreto_protocol::inspect::query_response::Answer;
use coreto_protocol::inspect::{self, Page, QueryRequest};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

/// Entries of a page.
const PAGE: u32 = 1000;

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) gateway: GatewayClient<Channel>,
    pub(crate) inspect: InspectClient<Channel>,
}

/// A request for jobs.
pub(crate) struct Poll<'a> {
    pub(crate) job_type: &'a str,
    pub(crate) max: i32,
    /// How long it waits for the first; not at all when it is zero.
    pub(crate) wait: Duration,
    /// How long the jobs are the worker's.
    pub(crate) lock: Duration,
}

impl Client {
    pub(crate) async fn connect(address: &str) -> Result<Self, tonic::transport::Error> {
        Ok(Self::over(Endpoint::from_shared(format!("http://{address}"))?.connect().await?))
    }

    /// A client that takes no more than so many bytes of an answer before they are read.
    pub(crate) async fn connect_with_window(address: &str, bytes: u32) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        Self::over(endpoint.initial_stream_window_size(bytes).connect().await.unwrap())
    }

    fn over(channel: Channel) -> Self {
        let limit = 16 << 20;
        Self {
            gateway: GatewayClient::new(channel.clone()).max_decoding_message_size(limit),
            inspect: InspectClient::new(channel).max_decoding_message_size(limit),
        }
    }

    pub(crate) async fn deploy(&self, name: &str, model: &str) -> Result<(), Status> {
        let resource = wire::Resource { name: name.to_owned(), content: model.as_bytes().to_vec().into() };
        let request = wire::DeployResourceRequest { resources: vec![resource], tenant_id: String::new() };
        self.gateway.clone().deploy_resource(request).await.map(drop)
    }

    /// Starts an instance of the latest version; gives its key.
    pub(crate) async fn create(&self, process: &str, variables: &str) -> Result<i64, Status> {
        let answer = self.gateway.clone().create_process_instance(creation(process, variables)).await?;
        Ok(answer.into_inner().process_instance_key)
    }

    /// Starts an instance, once for each key.
    pub(crate) async fn create_keyed(
        &self,
        process: &str,
        variables: &str,
        key: &'static str,
    ) -> Result<i64, Status> {
        let mut request = Request::new(creation(process, variables));
        request.metadata_mut().insert("idempotency-key", key.parse().unwrap());
        let answer = self.gateway.clone().create_process_instance(request).await?;
        Ok(answer.into_inner().process_instance_key)
    }

    /// Starts an instance and waits for its end; gives its key and variables.
    pub(crate) async fn create_with_result(
        &self,
        process: &str,
        variables: &str,
        wait: Duration,
    ) -> Result<(i64, String), Status> {
        let request = wire::CreateProcessInstanceWithResultRequest {
            request: Some(creation(process, variables)),
            request_timeout: millis(wait),
            fetch_variables: Vec::new(),
        };
        let answer = self.gateway.clone().create_process_instance_with_result(request).await?.into_inner();
        Ok((answer.process_instance_key, answer.variables))
    }

    pub(crate) async fn cancel(&self, process_instance_key: i64) -> Result<(), Status> {
        let request = wire::CancelProcessInstanceRequest { process_instance_key, operation_reference: None };
        self.gateway.clone().cancel_process_instance(request).await.map(drop)
    }

    /// Publishes a message without variables, which an hour later is forgotten. One with an id that is known is refused.
    pub(crate) async fn publish(&self, name: &str, key: &str, id: &str) -> Result<(), Status> {
        let request = wire::PublishMessageRequest {
            name: name.to_owned(),
            correlation_key: key.to_owned(),
            time_to_live: 3_600_000,
            message_id: id.to_owned(),
            ..Default::default()
        };
        self.gateway.clone().publish_message(request).await.map(drop)
    }

    pub(crate) async fn complete(&self, job_key: i64, variables: &str) -> Result<(), Status> {
        let variables = variables.to_owned();
        let request = wire::CompleteJobRequest { job_key, variables, ..Default::default() };
        self.gateway.clone().complete_job(request).await.map(drop)
    }

    pub(crate) async fn fail(&self, job_key: i64, retries: i32) -> Result<(), Status> {
        let request = wire::FailJobRequest { job_key, retries, ..Default::default() };
        self.gateway.clone().fail_job(request).await.map(drop)
    }

    pub(crate) async fn throw_error(&self, job_key: i64, code: &str) -> Result<(), Status> {
        let request = wire::ThrowErrorRequest { job_key, error_code: code.to_owned(), ..Default::default() };
        self.gateway.clone().throw_error(request).await.map(drop)
    }

    pub(crate) async fn update_retries(&self, job_key: i64, retries: i32) -> Result<(), Status> {
        let request = wire::UpdateJobRetriesRequest { job_key, retries, ..Default::default() };
        self.gateway.clone().update_job_retries(request).await.map(drop)
    }

    pub(crate) async fn update_timeout(&self, job_key: i64, timeout: Duration) -> Result<(), Status> {
        let timeout = millis(timeout);
        let request = wire::UpdateJobTimeoutRequest { job_key, timeout, ..Default::default() };
        self.gateway.clone().update_job_timeout(request).await.map(drop)
    }

    pub(crate) async fn set_variables(&self, scope: i64, variables: &str) -> Result<(), Status> {
        let request = wire::SetVariablesRequest {
            element_instance_key: scope,
            variables: variables.to_owned(),
            ..Default::default()
        };
        self.gateway.clone().set_variables(request).await.map(drop)
    }

    pub(crate) async fn resolve(&self, incident_key: i64) -> Result<(), Status> {
        let request = wire::ResolveIncidentRequest { incident_key, operation_reference: None };
        self.gateway.clone().resolve_incident(request).await.map(drop)
    }

    pub(crate) async fn poll(&self, poll: Poll<'_>) -> Result<Vec<ActivatedJob>, Status> {
        let request = wire::ActivateJobsRequest {
            r#type: poll.job_type.to_owned(),
            worker: "poll".to_owned(),
            timeout: millis(poll.lock),
            max_jobs_to_activate: poll.max,
            request_timeout: if poll.wait.is_zero() { -1 } else { millis(poll.wait) },
            ..Default::default()
        };
        let mut answers = self.gateway.clone().activate_jobs(request).await?.into_inner();
        let mut jobs = Vec::new();
        while let Some(answer) = answers.message().await? {
            jobs.extend(answer.jobs);
        }
        Ok(jobs)
    }

    pub(crate) async fn stream(
        &self,
        job_type: &str,
        lock: Duration,
    ) -> Result<Streaming<ActivatedJob>, Status> {
        let request = wire::StreamActivatedJobsRequest {
            r#type: job_type.to_owned(),
            worker: "stream".to_owned(),
            timeout: millis(lock),
            ..Default::default()
        };
        Ok(self.gateway.clone().stream_activated_jobs(request).await?.into_inner())
    }

    async fn ask(&self, query: Query) -> Result<Answer, Status> {
        let mut request = Request::new(QueryRequest { query: Some(query) });
        request.set_timeout(Duration::from_secs(20));
        let answer = self.inspect.clone().query(request).await?.into_inner();
        Ok(answer.answer.unwrap())
    }

    /// All running instances.
    pub(crate) async fn instances(&self) -> Result<Vec<inspect::Instance>, Status> {
        let (mut instances, mut after) = (Vec::new(), 0);
        loop {
            let page = Some(Page { limit: PAGE, after });
            let query = inspect::InstancesQuery { page, ..Default::default() };
            let Answer::Instances(answer) = self.ask(Query::Instances(query)).await? else { unreachable!() };
            instances.extend(answer.instances);
            after = answer.next;
            if after == 0 {
                return Ok(instances);
            }
        }
    }

    /// All jobs.
    pub(crate) async fn jobs(&self) -> Result<Vec<inspect::Job>, Status> {
        let (mut jobs, mut after) = (Vec::new(), 0);
        loop {
            let page = Some(Page { limit: PAGE, after });
            let query = inspect::JobsQuery { page, ..Default::default() };
            let Answer::Jobs(answer) = self.ask(Query::Jobs(query)).await? else { unreachable!() };
            jobs.extend(answer.jobs);
            after = answer.next;
            if after == 0 {
                return Ok(jobs);
            }
        }
    }

    /// One running instance with all that it holds.
    pub(crate) async fn instance(&self, key: i64) -> Result<inspect::InstanceAnswer, Status> {
        let query = Query::Instance(inspect::InstanceQuery { key });
        let Answer::Instance(answer) = self.ask(query).await? else { unreachable!() };
        Ok(answer)
    }

    /// How the partition fares.
    pub(crate) async fn status(&self) -> Result<inspect::PartitionStatus, Status> {
        let Answer::Status(mut answer) = self.ask(Query::Status(inspect::StatusQuery {})).await? else {
            unreachable!()
        };
        Ok(answer.partitions.remove(0))
    }
}

fn creation(process: &str, variables: &str) -> wire::CreateProcessInstanceRequest {
    wire::CreateProcessInstanceRequest {
        bpmn_process_id: process.to_owned(),
        version: -1,
        variables: variables.to_owned(),
        ..Default::default()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap()
}

/// The number `id` among variables.
pub(crate) fn id_of(variables: &str) -> u64 {
    let variables: serde_json::Value = serde_json::from_str(variables).unwrap();
    variables["id"].as_u64().unwrap()
}
