//! The worker against a small gateway of this test's own.

mod attribute;
mod gateway;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use coreto_worker::{Client, CreateInstance, Drained, Job, JobError, Worker};
use gateway::{Gateway, Report};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::timeout;
use tonic::Code;

const LONG: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Order {
    items: u32,
}

#[derive(Serialize)]
struct Stock {
    reserved: u32,
}

async fn reserve(job: Job<Order>) -> Result<Stock, JobError> {
    Ok(Stock { reserved: job.variables.items })
}

#[tokio::test]
async fn completes_pushed_and_waiting_jobs_with_typed_variables() {
    let gateway = Gateway::start().await;
    gateway.wait_with_job(1, r#"{"items":3}"#);
    let client = Client::connect(gateway.address()).await.unwrap();
    let worker = Worker::builder(client, "check-stock").handler(reserve).spawn();
    assert_eq!(gateway.report().await, Report::Completed { job: 1, variables: r#"{"reserved":3}"#.into() });
    gateway.push_job(2, r#"{"items":4}"#).await;
    assert_eq!(gateway.report().await, Report::Completed { job: 2, variables: r#"{"reserved":4}"#.into() });
    assert_eq!(worker.drain().await, Drained { reported: 2, given_back: 0, abandoned: 0 });
}

#[tokio::test]
async fn works_by_polling_alone() {
    let gateway = Gateway::start().await;
    let client = Client::connect(gateway.address()).await.unwrap();
    let worker = Worker::builder(client, "check-stock").streaming(false).handler(reserve).spawn();
    for job in 1..=20 {
        gateway.wait_with_job(job, r#"{"items":1}"#);
    }
    let mut done = Vec::new();
    for _ in 0..20 {
        let Report::Completed { job, .. } = gateway.report().await else { panic!("not completed") };
        done.push(job);
    }
    done.sort_unstable();
    assert_eq!(done, (1..=20).collect::<Vec<_>>());
    assert_eq!(gateway.streams_opened(), 0);
    worker.drain().await;
}

#[tokio::test]
async fn falls_back_to_polling_where_there_are_no_streams() {
    let gateway = Gateway::start().await;
    gateway.refuse_streams(Code::Unimplemented);
    let client = Client::connect(gateway.address()).await.unwrap();
    let worker = Worker::builder(client, "check-stock").handler(reserve).spawn();
    tokio::time::sleep(Duration::from_millis(50)).await;
    gateway.wait_with_job(1, r#"{"items":1}"#);
    assert!(matches!(gateway.report().await, Report::Completed { job: 1, .. }));
    worker.drain().await;
}

#[tokio::test]
async fn opens_a_lost_stream_again_and_looks_for_what_it_missed() {
    let gateway = Gateway::start().await;
    let client = Client::connect(gateway.address()).await.unwrap();
    let worker = Worker::builder(client, "check-stock").handler(reserve).spawn();
    gateway.push_job(1, r#"{"items":1}"#).await;
    assert!(matches!(gateway.report().await, Report::Completed { job: 1, .. }));
    gateway.wait_with_job(2, r#"{"items":1}"#);
    gateway.end_streams(Code::Unavailable).await;
    assert!(matches!(gateway.report().await, Report::Completed { job: 2, .. }));
    gateway.push_job(3, r#"{"items":1}"#).await;
    assert!(matches!(gateway.report().await, Report::Completed { job: 3, .. }));
    assert!(gateway.streams_opened() >= 2);
    worker.drain().await;
}

#[tokio::test]
async fn says_how_a_job_failed() {
    let gateway = Gateway::start().await;
    let client = Client::connect(gateway.address()).await.unwrap();
    let worker = Worker::builder(client, "check-stock")
        .handler(|job: Job<Order>| async move {
            match job.variables.items {
                0 => {
                    Err(JobError::bpmn("EMPTY", "nothing ordered").with_variables(json!({ "why": "empty" })))
                }
                1 => Err(JobError::fail("no stock").with_retries(7).with_backoff(Duration::from_secs(2))),
                2 => Ok("ten".parse::<u32>().map(|reserved| Stock { reserved })?),
                3 => panic!("shelf broke"),
                reserved => Ok(Stock { reserved }),
            }
        })
        .spawn();

    gateway.push_job(1, r#"{"items":0}"#).await;
    let thrown = Report::Thrown { job: 1, code: "EMPTY".into(), variables: r#"{"why":"empty"}"#.into() };
    assert_eq!(gateway.report().await, thrown);

    let failed = |job, retries, backoff, message: &str| Report::Failed {
        job,
        retries,
        backoff,
        message: message.into(),
    };
    gateway.push_job(2, r#"{"items":1}"#).await;
    assert_eq!(gateway.report().await, failed(2, 7, 2000, "no stock"));
    gateway.push_job(3, r#"{"items":2}"#).await;
    assert_eq!(gateway.report().await, failed(3, 2, 0, "invalid digit found in string"));
    gateway.push_job(4, r#"{"items":3}"#).await;
    assert_eq!(gateway.report().await, failed(4, 2, 0, "the handler panicked: shelf broke"));
    gateway.push_job(5, r#"{"items":"many"}"#).await;
    let Report::Failed { job: 5, retries: 0, message, .. } = gateway.report().await else {
        panic!("not failed")
    };
    assert!(message.starts_with("cannot read the variables of job 5: invalid type: string"), "{message}");
    gateway.push_job(6, r#"{"items":6}"#).await;
    assert!(matches!(gateway.report().await, Report::Completed { job: 6, .. }));
    worker.drain().await;
}

#[tokio::test]
async fn reports_again_while_the_server_is_busy() {
    let gateway = Gateway::start().await;
    gateway.refuse_reports(2, Code::ResourceExhausted);
    let client = Client::connect(gateway.address()).await.unwrap();
    let worker = Worker::builder(client, "check-stock").handler(reserve).spawn();
    gateway.push_job(1, r#"{"items":1}"#).await;
    assert!(matches!(gateway.report().await, Report::Completed { job: 1, .. }));
    worker.drain().await;
}

#[tokio::test]
async fn holds_no_more_jobs_than_it_may() {
    let gateway = Gateway::start().await;
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let client = Client::connect(gateway.address()).await.unwrap();
    let worker = Worker::builder(client, "check-stock")
        .max_active(3)
        .poll_interval(Duration::from_millis(50))
        .handler(move |_: Job<Order>| {
            let (running, most) = (running.clone(), most.clone());
            async move {
                most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                tokio::time::sleep(Duration::from_millis(20)).await;
                running.fetch_sub(1, SeqCst);
                Ok(())
            }
        })
        .spawn();
    for job in 0..15 {
        gateway.wait_with_job(job, r#"{"items":1}"#);
        gateway.push_job(100 + job, r#"{"items":1}"#).await;
    }
    for _ in 0..30 {
        assert!(matches!(gateway.report().await, Report::Completed { .. }));
    }
    assert_eq!(seen.load(SeqCst), 3);
    worker.drain().await;
}

#[tokio::test]
async fn drains_what_runs_and_gives_back_what_does_not() {
    let gateway = Gateway::start().await;
    let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (signal, gate) = (begun.clone(), release.clone());
    let client = Client::connect(gateway.address()).await.unwrap();
    let worker = Worker::builder(client, "check-stock")
        .max_active(1)
        .handler(move |_: Job<Order>| {
            let (signal, gate) = (signal.clone(), gate.clone());
            async move {
                signal.notify_one();
                gate.notified().await;
                Ok(())
            }
        })
        .spawn();
    gateway.push_job(1, r#"{"items":1}"#).await;
    timeout(LONG, begun.notified()).await.unwrap();
    gateway.push_job(2, r#"{"items":1}"#).await;
    // The second job has to reach the client's buffer before the worker stops.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let drained = tokio::spawn(worker.drain());
    let back = gateway.report().await;
    assert!(matches!(back, Report::Failed { job: 2, retries: 3, .. }), "{back:?}");
    assert!(!drained.is_finished());
    release.notify_one();
    assert!(matches!(gateway.report().await, Report::Completed { job: 1, .. }));
    let drained = timeout(LONG, drained).await.unwrap().unwrap();
    assert_eq!(drained, Drained { reported: 1, given_back: 1, abandoned: 0 });
}

#[tokio::test]
async fn gives_up_a_handler_that_outlasts_the_drain() {
    let gateway = Gateway::start().await;
    let begun = Arc::new(Notify::new());
    let signal = begun.clone();
    let client = Client::connect(gateway.address()).await.unwrap();
    let worker = Worker::builder(client, "check-stock")
        .drain_timeout(Duration::from_millis(50))
        .handler(move |_: Job<Order>| {
            let signal = signal.clone();
            async move {
                signal.notify_one();
                std::future::pending::<Result<(), JobError>>().await
            }
        })
        .spawn();
    gateway.push_job(1, r#"{"items":1}"#).await;
    timeout(LONG, begun.notified()).await.unwrap();
    let drained = timeout(LONG, worker.drain()).await.unwrap();
    assert_eq!(drained, Drained { reported: 0, given_back: 0, abandoned: 1 });
}

#[tokio::test]
async fn client_reads_results_and_keeps_the_code_of_a_refusal() {
    #[derive(Deserialize)]
    struct Paid {
        paid: bool,
    }
    let gateway = Gateway::start().await;
    let client = Client::builder(gateway.address()).authorization("Bearer abc").connect().await.unwrap();
    let create = CreateInstance::latest("order").variables(&json!({ "items": 1 })).unwrap();
    let paid: Paid = client.create_instance_with_result(create, LONG).await.unwrap();
    assert!(paid.paid);
    let error = client.create_instance(CreateInstance::latest("unknown")).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::NotFound));
    assert_eq!(error.to_string(), "CreateProcessInstance was answered with NotFound: no process `unknown`");
    assert!(CreateInstance::latest("order").variables(&[1, 2]).is_err());
    assert_eq!(gateway.authorization(), Some("Bearer abc".into()));
}

#[tokio::test]
async fn talks_tls_to_whom_it_trusts_only() {
    let made = rcgen::generate_simple_self_signed(vec!["gateway.test".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let gateway = Gateway::start_tls(&certificate, &key).await;
    let strict = Client::builder(gateway.address()).domain_name("gateway.test");
    let trusting = strict.clone().ca_certificate(certificate);
    assert!(strict.connect().await.is_err());
    let worker = Worker::builder(trusting.connect().await.unwrap(), "check-stock").handler(reserve).spawn();
    gateway.push_job(1, r#"{"items":1}"#).await;
    assert!(matches!(gateway.report().await, Report::Completed { job: 1, .. }));
    worker.drain().await;
}

#[tokio::test]
async fn names_an_address_that_is_none() {
    let error = Client::connect("not an address").await.unwrap_err();
    assert!(error.to_string().contains("`not an address`"), "{error}");
}
