//! Workers that are made of functions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use coreto_worker::{BpmnError, Client, Job, JobError, worker};
use serde::{Deserialize, Serialize};

use crate::gateway::{Gateway, Report};

#[derive(Deserialize)]
struct Order {
    total: u32,
}

#[derive(Debug, Serialize)]
struct Receipt {
    paid: u32,
}

#[worker("collect-money")]
async fn collect_money(job: Job<Order>) -> Result<Receipt, BpmnError> {
    match job.variables.total {
        0 => Err(BpmnError::new("NOTHING", "there is nothing to pay")),
        paid => Ok(Receipt { paid }),
    }
}

#[worker("collect-money", name = "till", max_active = 1)]
async fn count(job: Job<Order>, sum: Arc<AtomicU32>) -> Result<Receipt, JobError> {
    if job.variables.total > 100 {
        return Err(JobError::fail("too much").with_retries(7));
    }
    let before = sum.fetch_add(job.variables.total, SeqCst);
    Ok(Receipt { paid: before + job.variables.total })
}

#[tokio::test]
async fn a_function_does_jobs() {
    let gateway = Gateway::start().await;
    gateway.wait_with_job(1, r#"{"total":3}"#);
    let worker = collect_money(Client::connect(gateway.address()).await.unwrap()).spawn();
    assert_eq!(gateway.report().await, Report::Completed { job: 1, variables: r#"{"paid":3}"#.into() });
    gateway.push_job(2, r#"{"total":0}"#).await;
    let Report::Thrown { job: 2, code, .. } = gateway.report().await else { panic!("no error is thrown") };
    assert_eq!(code, "NOTHING");
    worker.drain().await;
}

#[tokio::test]
async fn jobs_share_what_stands_behind_the_job() {
    let gateway = Gateway::start().await;
    gateway.wait_with_job(1, r#"{"total":3}"#);
    let sum = Arc::new(AtomicU32::new(10));
    let worker = count(Client::connect(gateway.address()).await.unwrap(), Arc::clone(&sum)).spawn();
    assert_eq!(gateway.report().await, Report::Completed { job: 1, variables: r#"{"paid":13}"#.into() });
    gateway.push_job(2, r#"{"total":101}"#).await;
    let Report::Failed { job: 2, retries: 7, .. } = gateway.report().await else {
        panic!("it does not fail")
    };
    worker.drain().await;
    assert_eq!(sum.load(SeqCst), 13);
}
