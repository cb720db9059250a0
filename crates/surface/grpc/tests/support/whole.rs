//! A whole server but for its command line: gateway, engine, partition and a disk log whose appends can be held.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coreto_engine::{Engine, Env, Limits, Query, SinkSpec, Sinks};
use coreto_grpc::{Backend, Feed, Outlet, WatchError, Watcher, Wish};
use coreto_log::{DiskLog, NodeId};
use coreto_machine::Caller;
use coreto_partition::store::MemoryStore;
use coreto_partition::{Address, Clock, Config, Handle, Health, Refused, Request, Service};
use coreto_protocol::gateway as pb;
use coreto_protocol::gateway::gateway_client::GatewayClient;
use coreto_sim::gate::{Gate, GatedLog};
use tonic::transport::{Channel, Endpoint};

use super::Folder;

pub const ORDER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="order">
  <bpmn:process id="order" isExecutable="true">
    <bpmn:startEvent id="begin"><bpmn:outgoing>a</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="a" sourceRef="begin" targetRef="stock"/>
    <bpmn:serviceTask id="stock">
      <bpmn:extensionElements>
        <zeebe:taskDefinition type="check-stock"/>
        <zeebe:taskHeaders><zeebe:header key="unit" value="box"/></zeebe:taskHeaders>
      </bpmn:extensionElements>
      <bpmn:incoming>a</bpmn:incoming><bpmn:outgoing>b</bpmn:outgoing>
    </bpmn:serviceTask>
    <bpmn:sequenceFlow id="b" sourceRef="stock" targetRef="pay"/>
    <bpmn:serviceTask id="pay">
      <bpmn:extensionElements><zeebe:taskDefinition type="make-payment"/></bpmn:extensionElements>
      <bpmn:incoming>b</bpmn:incoming><bpmn:outgoing>c</bpmn:outgoing>
    </bpmn:serviceTask>
    <bpmn:sequenceFlow id="c" sourceRef="pay" targetRef="end"/>
    <bpmn:endEvent id="end"><bpmn:incoming>c</bpmn:incoming></bpmn:endEvent>
  </bpmn:process>
</bpmn:definitions>"#;

struct Partitions {
    handles: Vec<Handle<Engine>>,
    sinks: Arc<Sinks>,
}

impl Partitions {
    fn handle(&self, partition: u32) -> &Handle<Engine> {
        &self.handles[partition as usize - 1]
    }
}

impl Backend for Partitions {
    fn partitions(&self) -> u32 {
        u32::try_from(self.handles.len()).unwrap()
    }
    fn health(&self, partition: u32) -> Health {
        self.handle(partition).health()
    }
    fn position(&self, partition: u32) -> u64 {
        self.handle(partition).statistics().position
    }
    fn submit(&self, partition: u32, request: Request<Engine>) -> Result<(), Refused> {
        self.handle(partition).submit(request)
    }
    fn query(
        &self,
        partition: u32,
        caller: Caller,
        query: Query,
        to: Address<Engine>,
    ) -> Result<(), Refused> {
        self.handle(partition).query(caller, query, to)
    }
    fn open_sink(&self, spec: SinkSpec, credit: u32) -> u64 {
        self.sinks.open(spec, credit)
    }
    fn add_credit(&self, sink: u64, count: u32) {
        self.sinks.add_credit(sink, count);
    }
    fn close_sink(&self, sink: u64) {
        self.sinks.close(sink);
    }
}

struct NoWatcher;

impl Watcher for NoWatcher {
    fn watch(&self, _: Wish, _: Feed) -> Result<(), WatchError> {
        Err(WatchError::Log { reason: "nobody reads it".to_owned() })
    }
}

/// A whole server but for its command line.
pub struct Whole {
    pub gate: Gate,
    pub address: std::net::SocketAddr,
    pub partitions: Service<Engine>,
    pub sinks: Arc<Sinks>,
    pub outlet: Arc<Outlet>,
    drain: tokio::sync::oneshot::Sender<()>,
    gateway: std::thread::JoinHandle<Result<(), coreto_grpc::Error>>,
    folder: Folder,
}

/// Starts one of one partition in a folder of its own.
pub fn start(name: &str) -> Whole {
    start_in(Folder::new(name), 1)
}

/// Starts one on what a folder holds.
pub fn start_in(folder: Folder, partitions: u32) -> Whole {
    let gate = Gate::default();
    let sinks = Arc::new(Sinks::default());
    let outlet = Outlet::new(1);
    let lent = Arc::clone(&sinks);
    let partitions = Service::start(Config {
        group: "engine".into(),
        partitions,
        executors: 2,
        log: Arc::new(GatedLog { log: DiskLog::open(&folder.0).unwrap(), gate: gate.clone() }),
        node: NodeId(1),
        stores: Box::new(|_| Ok(Box::new(MemoryStore::default()))),
        env: Box::new(move |_| Env::new(Arc::clone(&lent), Limits::default(), "UTC".into())),
        effects: Arc::<Outlet>::clone(&outlet),
        replicas: Vec::new(),
        watcher: None,
        clock: Arc::new(Clock::real()),
        limits: coreto_partition::Limits::default(),
        snapshots: coreto_partition::SnapshotPolicy::default(),
    })
    .unwrap();
    let backend = Partitions { handles: partitions.handles().to_vec(), sinks: Arc::clone(&sinks) };
    let service = super::config().build(Arc::new(backend), Arc::clone(&outlet), Arc::new(NoWatcher)).unwrap();
    let address = service.local_addr();
    let (drain, drained) = tokio::sync::oneshot::channel();
    let gateway = std::thread::spawn(move || service.run(async { drop(drained.await) }));
    Whole { gate, address, partitions, sinks, outlet, drain, gateway, folder }
}

impl Whole {
    pub async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    pub async fn client(&self) -> GatewayClient<Channel> {
        GatewayClient::new(self.channel().await)
    }

    /// A client of a server to which the order process is deployed.
    pub async fn deployed(&self) -> GatewayClient<Channel> {
        let mut client = self.client().await;
        let resources = vec![pb::Resource { name: "order.bpmn".into(), content: ORDER.into() }];
        let request = pb::DeployResourceRequest { resources, tenant_id: String::new() };
        let deployed = client.deploy_resource(request).await.unwrap().into_inner();
        assert_eq!(deployed.deployments.len(), 1);
        client
    }

    /// Ends gateway and partitions, in this order, while clients hear of it, and leaves what is durable.
    pub async fn stop(self) -> Folder {
        let stop = move || {
            self.drain.send(()).unwrap();
            self.gateway.join().unwrap().unwrap();
            self.partitions.stop();
            self.folder
        };
        tokio::task::spawn_blocking(stop).await.unwrap()
    }

    pub async fn until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !is(self) {
            assert!(begin.elapsed() < Duration::from_secs(10), "not seen within 10 s: {what}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

pub fn order(variables: &str) -> pb::CreateProcessInstanceRequest {
    let variables = variables.to_owned();
    pb::CreateProcessInstanceRequest {
        bpmn_process_id: "order".into(),
        version: -1,
        variables,
        ..Default::default()
    }
}

pub fn poll(job_type: &str, request_timeout: i64) -> pb::ActivateJobsRequest {
    pb::ActivateJobsRequest {
        r#type: job_type.into(),
        worker: "w".into(),
        timeout: 60_000,
        max_jobs_to_activate: 8,
        request_timeout,
        ..Default::default()
    }
}

pub async fn take(
    client: &mut GatewayClient<Channel>,
    request: pb::ActivateJobsRequest,
) -> Vec<pb::ActivatedJob> {
    let mut stream = client.activate_jobs(request).await.unwrap().into_inner();
    let mut jobs = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        jobs.extend(message.jobs);
    }
    jobs
}

pub fn complete(job: &pb::ActivatedJob, variables: &str) -> pb::CompleteJobRequest {
    pb::CompleteJobRequest { job_key: job.key, variables: variables.to_owned(), ..Default::default() }
}
