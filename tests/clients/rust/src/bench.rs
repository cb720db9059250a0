//! A client, the instances that a claim has started with it, and what claims do again and again.

use std::error::Error;
use std::fmt::Debug;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use zeebe_rs::{ActivatedJob, Client, ClientError, Metadata};

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// How long a worker asks for jobs; the client waits 15 s before it asks again.
const POLL: Duration = Duration::from_secs(5);

pub(crate) struct Bench {
    pub(crate) client: Client,
    started: Mutex<Vec<i64>>,
}

impl Bench {
    pub(crate) async fn new() -> Outcome<Self> {
        let address = variable("ZEEBE_ADDRESS")?;
        let (host, port) = address.rsplit_once(':').ok_or("ZEEBE_ADDRESS has no port")?;
        let builder = Client::builder().with_address(&format!("http://{host}"), port.parse()?);
        Ok(Self { client: builder.build().await?, started: Mutex::default() })
    }

    /// Cancels what is left of the instances of a claim.
    pub(crate) async fn clean(&self) {
        let started = std::mem::take(&mut *self.started.lock().unwrap());
        for key in started {
            let _ = self.client.cancel_process_instance().with_process_instance_key(key).send().await;
        }
    }

    /// What is told of the first resource of a file.
    pub(crate) async fn deploy(&self, file: &str) -> Outcome<Metadata> {
        let path = PathBuf::from(variable("MODELS")?).join(file);
        let request = self.client.deploy_resource().with_resource_file(path).read_resource_files()?;
        let response = request.send().await?;
        let first = response.deployments().first().and_then(|deployment| deployment.metadata());
        Ok(first.ok_or("nothing was deployed")?.clone())
    }

    /// The key, id and version of the process in a file.
    pub(crate) async fn deploy_process(&self, file: &str) -> Outcome<(i64, String, i32)> {
        let Metadata::Process(process) = self.deploy(file).await? else {
            return Err(format!("{file} is no process").into());
        };
        Ok((process.process_definition_key(), process.bpmn_process_id().to_owned(), process.version()))
    }

    pub(crate) async fn create(&self, process: &str, variables: Value) -> Outcome<i64> {
        let request = self.client.create_process_instance().with_bpmn_process_id(process.to_owned());
        let key = request.with_variables(variables)?.send().await?.process_instance_key();
        self.started(key);
        Ok(key)
    }

    /// Has an instance cancelled when the claim is over.
    pub(crate) fn started(&self, key: i64) {
        self.started.lock().unwrap().push(key);
    }

    pub(crate) async fn activate(&self, job_type: &str) -> Outcome<ActivatedJob> {
        self.activate_with(job_type, &[]).await
    }

    /// One job, with these variables or all; by a worker, since the client has no call for it.
    pub(crate) async fn activate_with(&self, job_type: &str, variables: &[&str]) -> Outcome<ActivatedJob> {
        let (found, mut jobs) = mpsc::channel(1);
        let worker = self
            .client
            .worker()
            .with_request_timeout(POLL)
            .with_job_timeout(Duration::from_secs(20))
            .with_max_jobs_to_activate(1)
            .with_concurrency_limit(1)
            .with_job_type(job_type.to_owned())
            .with_handler(move |_, job| {
                let found = found.clone();
                async move {
                    let _ = found.send(job).await;
                }
            })
            .with_worker_name("scenario".to_owned())
            .with_fetch_variables(variables.iter().map(|&name| name.to_owned()).collect())
            .build();
        let task = tokio::spawn(worker.run());
        let job = tokio::time::timeout(POLL, jobs.recv()).await;
        task.abort();
        Ok(job
            .ok()
            .flatten()
            .ok_or_else(|| format!("no job of type {job_type} within {} s", POLL.as_secs()))?)
    }

    /// The first unresolved incident of an instance, by the program's own command; waits until there is one.
    pub(crate) async fn incident(&self, instance: i64) -> Outcome<Value> {
        for _ in 0..50 {
            let output = Command::new(variable("CORETO_PROGRAM")?)
                .args(["get", "incidents", "--json", "--instance", &instance.to_string()])
                .output()?;
            equal(output.status.success(), true, "that `get incidents` succeeds")?;
            let found: Value = serde_json::from_slice(&output.stdout)?;
            if let Some(first) = found.get(0) {
                return Ok(first.clone());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err("no incident within 5 s".into())
    }
}

fn variable(name: &str) -> Outcome<String> {
    Ok(std::env::var(name).map_err(|_| format!("{name} is not set"))?)
}

/// The gRPC status with which a request is refused; `Ok` when it is not.
pub(crate) fn refused<T>(answer: Result<T, ClientError>) -> String {
    match answer {
        Ok(_) => "Ok".to_owned(),
        Err(ClientError::RequestFailed(status)) => format!("{:?}", status.code()),
        Err(other) => other.to_string(),
    }
}

pub(crate) fn variables(job: &ActivatedJob) -> Outcome<Value> {
    Ok(job.data()?)
}

/// The key in a field of what the program prints, where keys are text or numbers.
pub(crate) fn key(found: &Value, field: &str) -> Outcome<i64> {
    let value = &found[field];
    let key = value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    Ok(key.ok_or_else(|| format!("no key in `{field}` of {found}"))?)
}

pub(crate) fn equal<T: PartialEq + Debug>(found: T, wanted: T, what: &str) -> Outcome {
    if found == wanted {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}, wanted {wanted:?}").into())
}
