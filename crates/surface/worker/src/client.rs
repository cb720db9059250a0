//! The connection to a gateway, and commands over it.

use std::time::Duration;

use bytes::Bytes;
use coreto_protocol::gateway::{
    self as wire, CancelProcessInstanceRequest, CompleteJobRequest, CreateProcessInstanceRequest,
    CreateProcessInstanceResponse, CreateProcessInstanceWithResultRequest, DeployResourceRequest,
    DeployResourceResponse, FailJobRequest, PublishMessageRequest, ResolveIncidentRequest,
    SetVariablesRequest, ThrowErrorRequest, TopologyRequest, TopologyResponse, UpdateJobRetriesRequest,
    UpdateJobTimeoutRequest,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::error::Error;
use crate::job::variables;

/// The generated client over this crate's connection, for calls that [`Client`] has no method for.
pub type GatewayClient = wire::gateway_client::GatewayClient<InterceptedService<Channel, Authorize>>;

/// A connection to a gateway; clones share it.
///
/// It is made anew by itself when it is lost.
#[derive(Clone, Debug)]
pub struct Client {
    gateway: GatewayClient,
    timeout: Duration,
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    address: String,
    ca_certificate: Option<Vec<u8>>,
    domain_name: Option<String>,
    authorization: Option<String>,
    timeout: Duration,
}

/// Adds the `authorization` header.
#[derive(Clone, Debug)]
pub struct Authorize(Option<MetadataValue<Ascii>>);

impl Interceptor for Authorize {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

impl ClientBuilder {
    /// Trusts this certificate (PEM) instead of those of the machine.
    #[must_use]
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificate = Some(pem.into());
        self
    }

    /// Expects this name in the server's certificate instead of the address's host.
    #[must_use]
    pub fn domain_name(mut self, name: impl Into<String>) -> Self {
        self.domain_name = Some(name.into());
        self
    }

    /// Sends this as `authorization` with each call, e.g. `Bearer …`.
    #[must_use]
    pub fn authorization(mut self, value: impl Into<String>) -> Self {
        self.authorization = Some(value.into());
        self
    }

    /// Gives up an ordinary call after this time; 15 s unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Connects, with TLS where the address begins with `https://`.
    ///
    /// # Errors
    /// The address or the certificates are no good, or nobody answers.
    pub async fn connect(self) -> Result<Client, Error> {
        let (endpoint, authorize) = self.endpoint()?;
        match endpoint.connect().await {
            Ok(channel) => Ok(self.client(channel, authorize)),
            Err(source) => Err(Error::Connect { address: self.address, source }),
        }
    }

    /// Connects with the first call.
    ///
    /// # Errors
    /// The address or the certificates are no good.
    pub fn connect_lazy(self) -> Result<Client, Error> {
        let (endpoint, authorize) = self.endpoint()?;
        let channel = endpoint.connect_lazy();
        Ok(self.client(channel, authorize))
    }

    fn endpoint(&self) -> Result<(Endpoint, Authorize), Error> {
        let authorize = match &self.authorization {
            None => Authorize(None),
            Some(value) => Authorize(Some(value.parse().map_err(|source| Error::Authorization { source })?)),
        };
        let address = || self.address.clone();
        let endpoint = Endpoint::from_shared(self.address.clone())
            .map_err(|source| Error::Address { address: address(), source })?
            .tcp_nodelay(true)
            .connect_timeout(Duration::from_secs(10))
            // A server that vanished without a word must not leave a job stream waiting for ever.
            .http2_keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10))
            .keep_alive_while_idle(true);
        if !self.address.starts_with("https:") {
            return Ok((endpoint, authorize));
        }
        let mut tls = match &self.ca_certificate {
            Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
            None => ClientTlsConfig::new().with_native_roots(),
        };
        if let Some(name) = &self.domain_name {
            tls = tls.domain_name(name);
        }
        let endpoint =
            endpoint.tls_config(tls).map_err(|source| Error::Tls { address: address(), source })?;
        Ok((endpoint, authorize))
    }

    fn client(&self, channel: Channel, authorize: Authorize) -> Client {
        let gateway = GatewayClient::new(InterceptedService::new(channel, authorize))
            // Deployed files and large variables come near the largest message that servers send.
            .max_decoding_message_size(16 << 20);
        Client { gateway, timeout: self.timeout }
    }
}

/// A process to start.
#[derive(Clone, Debug)]
pub struct CreateInstance(CreateProcessInstanceRequest);

impl CreateInstance {
    /// The latest version of a process id.
    pub fn latest(process_id: impl Into<String>) -> Self {
        Self::version(process_id, -1)
    }

    /// A given version of a process id.
    pub fn version(process_id: impl Into<String>, version: i32) -> Self {
        Self(CreateProcessInstanceRequest {
            bpmn_process_id: process_id.into(),
            version,
            ..CreateProcessInstanceRequest::default()
        })
    }

    /// A definition by its key.
    pub fn definition(process_definition_key: i64) -> Self {
        Self(CreateProcessInstanceRequest {
            process_definition_key,
            ..CreateProcessInstanceRequest::default()
        })
    }

    /// Sets the variables of the root scope.
    ///
    /// # Errors
    /// They do not make a JSON object.
    pub fn variables<V: Serialize + ?Sized>(mut self, value: &V) -> Result<Self, Error> {
        self.0.variables = object(value)?;
        Ok(self)
    }

    /// Sets the tenant, for servers that have several.
    #[must_use]
    pub fn tenant(mut self, tenant_id: impl Into<String>) -> Self {
        self.0.tenant_id = tenant_id.into();
        self
    }
}

impl Client {
    /// Connects to `http://HOST:PORT`, or with TLS and the machine's certificates to `https://HOST:PORT`.
    ///
    /// # Errors
    /// The address is no good, or nobody answers.
    pub async fn connect(address: impl Into<String>) -> Result<Self, Error> {
        Self::builder(address).connect().await
    }

    /// Settles how to connect.
    pub fn builder(address: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            address: address.into(),
            ca_certificate: None,
            domain_name: None,
            authorization: None,
            timeout: Duration::from_secs(15),
        }
    }

    /// The generated client over this connection.
    pub fn gateway(&self) -> GatewayClient {
        self.gateway.clone()
    }

    /// Asks who is there.
    ///
    /// # Errors
    /// As any call, [`Error::Refused`].
    pub async fn topology(&self) -> Result<TopologyResponse, Error> {
        let answer = self.gateway().topology(self.request(TopologyRequest {})).await;
        Ok(answer.map_err(Error::refused("Topology"))?.into_inner())
    }

    /// Deploys one file; its extension tells what it is.
    ///
    /// # Errors
    /// [`Error::Refused`] with `InvalidArgument` and all that is wrong with the file.
    pub async fn deploy(
        &self,
        name: impl Into<String>,
        content: impl Into<Bytes>,
    ) -> Result<DeployResourceResponse, Error> {
        self.deploy_all(vec![wire::Resource { name: name.into(), content: content.into() }]).await
    }

    /// Deploys several files, all of them or none.
    ///
    /// # Errors
    /// As [`Client::deploy`].
    pub async fn deploy_all(&self, resources: Vec<wire::Resource>) -> Result<DeployResourceResponse, Error> {
        let request = DeployResourceRequest { resources, tenant_id: String::new() };
        let answer = self.gateway().deploy_resource(self.request(request)).await;
        Ok(answer.map_err(Error::refused("DeployResource"))?.into_inner())
    }

    /// Starts a process instance.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NotFound` for an unknown process, `InvalidArgument` for bad variables.
    pub async fn create_instance(
        &self,
        create: CreateInstance,
    ) -> Result<CreateProcessInstanceResponse, Error> {
        let answer = self.gateway().create_process_instance(self.request(create.0)).await;
        Ok(answer.map_err(Error::refused("CreateProcessInstance"))?.into_inner())
    }

    /// Starts a process instance, waits for its end and reads its variables.
    ///
    /// # Errors
    /// As [`Client::create_instance`]; `DeadlineExceeded` when `timeout` passes first (the instance goes on);
    /// [`Error::Result`] when the variables do not fit `Out`.
    pub async fn create_instance_with_result<Out: DeserializeOwned>(
        &self,
        create: CreateInstance,
        timeout: Duration,
    ) -> Result<Out, Error> {
        let message = CreateProcessInstanceWithResultRequest {
            request: Some(create.0),
            request_timeout: millis(timeout),
            fetch_variables: Vec::new(),
        };
        let mut request = Request::new(message);
        request.set_timeout(timeout + self.timeout);
        let answer = self.gateway().create_process_instance_with_result(request).await;
        let answer = answer.map_err(Error::refused("CreateProcessInstanceWithResult"))?.into_inner();
        let process_instance_key = answer.process_instance_key;
        serde_json::from_str(&answer.variables)
            .map_err(|source| Error::Result { process_instance_key, source })
    }

    /// Cancels a process instance.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NotFound` when it is unknown or over.
    pub async fn cancel_instance(&self, process_instance_key: i64) -> Result<(), Error> {
        let request = CancelProcessInstanceRequest { process_instance_key, operation_reference: None };
        let answer = self.gateway().cancel_process_instance(self.request(request)).await;
        answer.map(drop).map_err(Error::refused("CancelProcessInstance"))
    }

    /// Writes variables of a process or element instance: to this scope if `local`, else where each is defined.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NotFound` for an unknown scope.
    pub async fn set_variables<V: Serialize + ?Sized>(
        &self,
        element_instance_key: i64,
        value: &V,
        local: bool,
    ) -> Result<(), Error> {
        let variables = object(value)?;
        let request =
            SetVariablesRequest { element_instance_key, variables, local, operation_reference: None };
        let answer = self.gateway().set_variables(self.request(request)).await;
        answer.map(drop).map_err(Error::refused("SetVariables"))
    }

    /// Publishes a message, kept for `time_to_live` if nothing waits for it yet.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn publish_message<V: Serialize + ?Sized>(
        &self,
        name: impl Into<String>,
        correlation_key: impl Into<String>,
        time_to_live: Duration,
        value: &V,
    ) -> Result<i64, Error> {
        let request = PublishMessageRequest {
            name: name.into(),
            correlation_key: correlation_key.into(),
            time_to_live: millis(time_to_live),
            variables: object(value)?,
            ..PublishMessageRequest::default()
        };
        let answer = self.gateway().publish_message(self.request(request)).await;
        Ok(answer.map_err(Error::refused("PublishMessage"))?.into_inner().key)
    }

    /// Completes a job with variables.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NotFound` when it is already completed or gone.
    pub async fn complete_job<V: Serialize + ?Sized>(&self, job_key: i64, value: &V) -> Result<(), Error> {
        let request =
            CompleteJobRequest { job_key, variables: object(value)?, ..CompleteJobRequest::default() };
        self.complete(request).await.map_err(Error::refused("CompleteJob"))
    }

    /// Fails a job; 0 `retries` raise an incident.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NotFound` when it is gone.
    pub async fn fail_job(
        &self,
        job_key: i64,
        retries: i32,
        message: impl Into<String>,
        backoff: Duration,
    ) -> Result<(), Error> {
        let request = FailJobRequest {
            job_key,
            retries,
            error_message: message.into(),
            retry_back_off: millis(backoff),
            ..FailJobRequest::default()
        };
        self.fail(request).await.map_err(Error::refused("FailJob"))
    }

    /// Throws a BPMN error at the element of a job.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NotFound` when the job is gone.
    pub async fn throw_error<V: Serialize + ?Sized>(
        &self,
        job_key: i64,
        code: impl Into<String>,
        message: impl Into<String>,
        value: &V,
    ) -> Result<(), Error> {
        let request = ThrowErrorRequest {
            job_key,
            error_code: code.into(),
            error_message: message.into(),
            variables: object(value)?,
            lease_token: None,
        };
        self.throw(request).await.map_err(Error::refused("ThrowError"))
    }

    /// Sets how often a job may still be tried.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NotFound` when it is gone, `InvalidArgument` below 1.
    pub async fn update_job_retries(&self, job_key: i64, retries: i32) -> Result<(), Error> {
        let request =
            UpdateJobRetriesRequest { job_key, retries, operation_reference: None, lease_token: None };
        let answer = self.gateway().update_job_retries(self.request(request)).await;
        answer.map(drop).map_err(Error::refused("UpdateJobRetries"))
    }

    /// Sets how long a job stays locked from now.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NotFound` when it is gone, `FailedPrecondition` when no worker holds it.
    pub async fn update_job_timeout(&self, job_key: i64, timeout: Duration) -> Result<(), Error> {
        let timeout = millis(timeout);
        let request =
            UpdateJobTimeoutRequest { job_key, timeout, operation_reference: None, lease_token: None };
        let answer = self.gateway().update_job_timeout(self.request(request)).await;
        answer.map(drop).map_err(Error::refused("UpdateJobTimeout"))
    }

    /// Tries again what an incident had stopped.
    ///
    /// # Errors
    /// [`Error::Refused`] with `NotFound` when it is gone, `FailedPrecondition` while a job has no retries.
    pub async fn resolve_incident(&self, incident_key: i64) -> Result<(), Error> {
        let request = ResolveIncidentRequest { incident_key, operation_reference: None };
        let answer = self.gateway().resolve_incident(self.request(request)).await;
        answer.map(drop).map_err(Error::refused("ResolveIncident"))
    }

    pub(crate) async fn complete(&self, request: CompleteJobRequest) -> Result<(), Status> {
        self.gateway().complete_job(self.request(request)).await.map(drop)
    }

    pub(crate) async fn fail(&self, request: FailJobRequest) -> Result<(), Status> {
        self.gateway().fail_job(self.request(request)).await.map(drop)
    }

    pub(crate) async fn throw(&self, request: ThrowErrorRequest) -> Result<(), Status> {
        self.gateway().throw_error(self.request(request)).await.map(drop)
    }

    fn request<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout);
        request
    }
}

/// Milliseconds as the wire counts them.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn object<V: Serialize + ?Sized>(value: &V) -> Result<String, Error> {
    variables(value).map_err(|why| Error::Variables { source: why.0 })
}
