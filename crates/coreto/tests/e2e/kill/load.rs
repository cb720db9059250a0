//! Concurrent clients, each of which goes on until the server is gone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use coreto_protocol::gateway::ActivatedJob;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use super::ledger::Ledger;
use crate::support::{Client, PATIENCE, Poll, Server, id_of, one_task};

pub(super) const PROCESS: &str = "order";

/// Jobs of a server that was killed are locked no longer than that.
const LOCK: Duration = Duration::from_secs(1);

/// How long a client waits for jobs or results.
const WAIT: Duration = Duration::from_secs(2);

pub(super) async fn deploy(client: &Client) {
    client.deploy("order.bpmn", &one_task(PROCESS)).await.unwrap();
}

/// The clients that are at work.
pub(super) struct Load(JoinSet<()>);

impl Load {
    /// Waits until all have seen that the server is gone.
    pub(super) async fn ended(mut self) {
        while let Some(ended) = tokio::time::timeout(PATIENCE, self.0.join_next()).await.unwrap() {
            ended.unwrap();
        }
    }
}

/// Starts the clients, each on a connection of its own.
pub(super) async fn run(server: &Server, ledger: &Arc<Mutex<Ledger>>) -> Load {
    let mut clients = JoinSet::new();
    let ledger = || Arc::clone(ledger);
    for _ in 0..2 {
        clients.spawn(create(server.client().await, ledger()));
        clients.spawn(create_with_result(server.client().await, ledger()));
        clients.spawn(work_by_polls(server.client().await, ledger()));
        clients.spawn(work_by_stream(server.client().await, ledger()));
    }
    Load(clients)
}

/// Whether the server is gone; any other answer must be one of `expected`.
pub(super) fn is_gone(status: &Status, expected: &[Code]) -> bool {
    // A connection that breaks is told in several ways.
    let gone = matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled);
    assert!(gone || expected.contains(&status.code()), "{status:?}");
    gone
}

async fn create(client: Client, ledger: Arc<Mutex<Ledger>>) {
    loop {
        let order = ledger.lock().unwrap().order();
        match client.create(PROCESS, &format!(r#"{{"id":{order}}}"#)).await {
            Ok(instance) => ledger.lock().unwrap().note_created(order, instance),
            Err(status) if is_gone(&status, &[Code::ResourceExhausted]) => return,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn create_with_result(client: Client, ledger: Arc<Mutex<Ledger>>) {
    loop {
        let order = ledger.lock().unwrap().order();
        match client.create_with_result(PROCESS, &format!(r#"{{"id":{order}}}"#), WAIT).await {
            Ok((instance, variables)) => {
                assert_eq!(id_of(&variables), order);
                assert!(variables.contains(r#""done":"#), "{variables}");
                let mut ledger = ledger.lock().unwrap();
                ledger.note_created(order, instance);
                ledger.results.insert(order);
            }
            Err(status) if is_gone(&status, &[Code::DeadlineExceeded, Code::ResourceExhausted]) => return,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn work_by_polls(client: Client, ledger: Arc<Mutex<Ledger>>) {
    loop {
        let poll = Poll { job_type: PROCESS, max: 16, wait: WAIT, lock: LOCK };
        match client.poll(poll).await {
            Ok(jobs) => {
                for job in jobs {
                    if work(&client, &ledger, &job).await.is_err() {
                        return;
                    }
                }
            }
            Err(status) if is_gone(&status, &[Code::ResourceExhausted]) => return,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn work_by_stream(client: Client, ledger: Arc<Mutex<Ledger>>) {
    let Ok(mut stream) = client.stream(PROCESS, LOCK).await else { return };
    while let Ok(Some(job)) = stream.message().await {
        if work(&client, &ledger, &job).await.is_err() {
            return;
        }
    }
}

/// Fails some jobs at first, and completes the others. An error says that the server is gone.
async fn work(client: &Client, ledger: &Mutex<Ledger>, job: &ActivatedJob) -> Result<(), ()> {
    if !id_of(&job.variables).is_multiple_of(5) || job.retries < 100 {
        return complete(client, ledger, job).await;
    }
    match client.fail(job.key, job.retries - 1).await {
        Ok(()) => ledger.lock().unwrap().note_failed(job.key),
        Err(status) if is_gone(&status, &[Code::NotFound]) => return Err(()),
        Err(_) => ledger.lock().unwrap().note_gone(job.key),
    }
    Ok(())
}

/// Completes a job. An error says that the server is gone.
pub(super) async fn complete(client: &Client, ledger: &Mutex<Ledger>, job: &ActivatedJob) -> Result<(), ()> {
    let instance = job.process_instance_key;
    ledger.lock().unwrap().note_sent(job.key, instance);
    let done = format!(r#"{{"done":{}}}"#, id_of(&job.variables));
    match client.complete(job.key, &done).await {
        Ok(()) => ledger.lock().unwrap().note_completed(job.key, instance),
        Err(status) if is_gone(&status, &[Code::NotFound]) => return Err(()),
        Err(_) => ledger.lock().unwrap().note_gone(job.key),
    }
    Ok(())
}
