//! `coreto demo`: the order process with two workers, told step by step.

use std::collections::HashMap;
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use coreto_cli::catalog::{Catalog, Lease};
use coreto_protocol::inspect::inspect_client::InspectClient;
use coreto_protocol::inspect::{RecordType, WatchEvent, WatchRequest};
use coreto_worker::{Client, CreateInstance, Job, JobError, Worker};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_stream::StreamExt;
use tonic::Streaming;
use tracing_subscriber::filter::LevelFilter;

use crate::args::DemoArgs;
use crate::config::{Flag, ServerConfig, Settings};
use crate::server::{Addresses, Server};

/// The model that `examples/order` shows.
const ORDER: &[u8] = include_bytes!("../../../../examples/order/order.bpmn");

/// How long the story may take; a machine that is slower than that has another problem.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Order {
    #[serde(rename = "orderId")]
    order: u64,
    items: u32,
}

#[derive(Serialize, Deserialize)]
struct Stock {
    reserved: u32,
}

#[derive(Deserialize)]
struct Reserved {
    #[serde(rename = "orderId")]
    order: u64,
    reserved: u32,
}

#[derive(Serialize)]
struct Payment {
    paid: bool,
    amount: u32,
}

pub(crate) fn run(args: &DemoArgs, json: bool) -> anyhow::Result<ExitCode> {
    crate::logging::start(LevelFilter::WARN)?;
    let voice = Voice { json };
    voice.say("Coreto demo: an order process, a server and two workers, all in this program.")?;
    let flag = |name, key, value: &str| Flag { name, key, value: value.to_owned() };
    let any = "127.0.0.1:0";
    let flags = [
        flag("--grpc", "grpc.address", any),
        flag("--management", "management.address", any),
        flag("--catalog", "catalog.address", any),
        flag("--dns", "dns.address", any),
    ];
    let settings = Settings::of_flags(flags.into_iter())?;
    let started = Instant::now();
    let server = Server::start_ephemeral(&ServerConfig::check(&settings)?)?;
    let told = show(voice, args, server.addresses(), started);
    // However it went, so that nothing looks for the directory that is removed then.
    let stopped = server.stop();
    told?;
    stopped?;
    Ok(ExitCode::SUCCESS)
}

/// Shows the order's way through a server.
fn show(voice: Voice, args: &DemoArgs, addresses: &Addresses, started: Instant) -> anyhow::Result<()> {
    let catalog = addresses.catalog.context("the demo's own server has no catalog")?;
    voice.say(&format!(
        "server ready in {} ms, gRPC on {}, catalog of services on {catalog}",
        started.elapsed().as_millis(),
        addresses.grpc
    ))?;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let url = format!("http://{}", addresses.grpc);
    let told = runtime.block_on(async {
        let client = Client::connect(&url).await.context("cannot connect to the demo's own server")?;
        let mut story = Story::begin(voice, &client, &url).await?;
        let workers = [stock_worker(voice, &client), payment_worker(voice, &client)].map(Worker::spawn);
        let leases = register(voice, &Catalog::at(&catalog.to_string())?).await?;
        let told = tokio::time::timeout(PATIENCE, story.tell()).await;
        if told.is_ok() && !args.once {
            voice.say(&format!("serving on {}; Ctrl-C ends it", addresses.grpc))?;
            voice.say(&format!("  try: coreto --address {} get definitions", addresses.grpc))?;
            voice.say(&format!("       coreto --address {} create order --await --variables '{{\"orderId\": 2, \"items\": 1}}'", addresses.grpc))?;
            voice.say(&format!("       coreto lookup --catalog {catalog} stock"))?;
            tokio::signal::ctrl_c().await?;
        }
        for lease in leases {
            lease.end(PATIENCE).await;
        }
        for worker in workers {
            worker.drain().await;
        }
        told.context("the order did not get through in time")?
    });
    // The server waits for connections to close, and this runtime holds some that nothing drives any more.
    drop(runtime);
    told
}

/// Registers both workers, and finds them by name.
async fn register(voice: Voice, catalog: &Catalog) -> anyhow::Result<Vec<Lease>> {
    let mut leases = Vec::new();
    for (name, job_type) in [("stock", "check-stock"), ("payment", "make-payment")] {
        let service = json!({ "Name": name, "Tags": ["worker"], "Meta": { "job-type": job_type } });
        leases.push(catalog.hold(&service, PATIENCE).await.context("a worker cannot be registered")?);
        let found = catalog.read(&format!("/v1/health/service/{name}?passing"), PATIENCE).await?;
        let found: Value = serde_json::from_slice(&found.unwrap_or_default())?;
        let (service, node) = (&found[0]["Service"], &found[0]["Node"]);
        let (Some(id), Some(node)) = (service["ID"].as_str(), node["Node"].as_str()) else {
            anyhow::bail!("worker `{name}` is registered and not found");
        };
        let meta = &service["Meta"];
        voice.say(&format!(
            "worker `{name}` is registered, and found by name: `{id}` on node `{node}`, {meta}"
        ))?;
    }
    Ok(leases)
}

fn stock_worker(voice: Voice, client: &Client) -> Worker {
    Worker::builder(client.clone(), "check-stock").name("stock").handler(move |job: Job<Order>| async move {
        let note = format!("worker `stock` got job {} of order {}", job.key(), job.variables.order);
        voice.say(&format!("    {note}")).map_err(|error| JobError::fail(error.to_string()))?;
        Ok(Stock { reserved: job.variables.items })
    })
}

fn payment_worker(voice: Voice, client: &Client) -> Worker {
    Worker::builder(client.clone(), "make-payment").name("payment").handler(
        move |job: Job<Reserved>| async move {
            let note = format!(
                "worker `payment` got job {} of order {} and sees reserved = {}",
                job.key(),
                job.variables.order,
                job.variables.reserved
            );
            voice.say(&format!("    {note}")).map_err(|error| JobError::fail(error.to_string()))?;
            Ok(Payment { paid: true, amount: 20 * job.variables.reserved })
        },
    )
}

/// The way of one order, as the server's records tell it.
struct Story {
    voice: Voice,
    events: Streaming<WatchEvent>,
    instance: i64,
    started: Instant,
    /// Elements by the key of their instance, since a variable knows its scope by key only.
    elements: HashMap<i64, String>,
}

impl Story {
    /// Deploys, watches, and starts an instance.
    async fn begin(voice: Voice, client: &Client, url: &str) -> anyhow::Result<Self> {
        let deployed = client.deploy("order.bpmn", ORDER.to_vec()).await?;
        voice
            .say(&format!("deployed order.bpmn, which this program holds, as deployment {}", deployed.key))?;
        let channel = tonic::transport::Endpoint::from_shared(url.to_owned())?.connect().await?;
        let request = WatchRequest {
            process_instance_key: 0,
            record_types: vec![RecordType::Event.into()],
            after_position: None,
        };
        let events = InspectClient::new(channel).watch(request).await?.into_inner();
        let order = json!({ "orderId": 1, "items": 3 });
        let started = Instant::now();
        let created = client.create_instance(CreateInstance::latest("order").variables(&order)?).await?;
        let instance = created.process_instance_key;
        voice.say(&format!("started instance {instance} with {order}"))?;
        Ok(Self { voice, events, instance, started, elements: HashMap::new() })
    }

    /// Tells the instance's records until it has ended.
    async fn tell(&mut self) -> anyhow::Result<()> {
        let mut first = None;
        while let Some(event) = self.events.next().await {
            for record in event?.records {
                let record: Value = serde_json::from_str(&record)?;
                let at = record["timestamp"].as_i64().unwrap_or(0);
                let since = at - *first.get_or_insert(at);
                if let Some(step) = self.sentence(&record) {
                    self.voice.say(&format!("  {since:>5} ms  {step}"))?;
                }
                if is_end(&record, self.instance) {
                    let millis = self.started.elapsed().as_millis();
                    return self.voice.say(&format!("the order is done, {millis} ms after the create call"));
                }
            }
        }
        anyhow::bail!("the server closed the watch before the order was done")
    }

    /// What a person wants to hear of a record, if anything.
    fn sentence(&mut self, record: &Value) -> Option<String> {
        let value = &record["value"];
        let text = |field: &str| value[field].as_str().unwrap_or_default();
        match (record["valueType"].as_str()?, record["intent"].as_str()?) {
            ("PROCESS_INSTANCE", "ELEMENT_ACTIVATING") => {
                self.elements.insert(record["key"].as_i64()?, text("elementId").to_owned());
                None
            }
            ("PROCESS_INSTANCE", "ELEMENT_ACTIVATED") => {
                Some(format!("{} `{}` is active", kind(text("bpmnElementType")), text("elementId")))
            }
            ("PROCESS_INSTANCE", "ELEMENT_COMPLETED") => {
                Some(format!("{} `{}` has completed", kind(text("bpmnElementType")), text("elementId")))
            }
            ("VARIABLE", "CREATED" | "UPDATED") => {
                let scope = self.elements.get(&value["scopeKey"].as_i64()?);
                let scope = scope.map(|element| format!(" in `{element}`")).unwrap_or_default();
                Some(format!("variable {} = {}{scope}", text("name"), text("value")))
            }
            ("JOB", "CREATED") => {
                Some(format!("job of type `{}` is there, headers {}", text("type"), value["customHeaders"]))
            }
            ("JOB", "COMPLETED") => {
                Some(format!("job of type `{}` is done by worker `{}`", text("type"), text("worker")))
            }
            _ => None,
        }
    }
}

/// `SERVICE_TASK` is a service task.
fn kind(element_type: &str) -> String {
    element_type.to_lowercase().replace('_', " ")
}

fn is_end(record: &Value, instance: i64) -> bool {
    record["intent"] == "ELEMENT_COMPLETED"
        && record["value"]["bpmnElementType"] == "PROCESS"
        && record["value"]["processInstanceKey"] == instance
}

/// How the demo speaks: in sentences, or in objects of JSON with one each.
#[derive(Clone, Copy)]
struct Voice {
    json: bool,
}

impl Voice {
    fn say(self, line: &str) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        let written = if self.json {
            writeln!(out, "{}", json!({ "told": line.trim_start() }))
        } else {
            writeln!(out, "{line}")
        };
        written.and_then(|()| out.flush()).context("cannot write to standard output")
    }
}
