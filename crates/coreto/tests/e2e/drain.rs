//! SIGTERM: what waits is answered, streams end, and the program ends well.

use std::time::Duration;

use coreto_protocol::inspect::WatchRequest;
use tonic::Code;

use crate::support::{Client, Directory, PATIENCE, Poll, Settings, one_task, until};

#[tokio::test]
async fn termination_answers_all_that_waits() {
    let directory = Directory::new();
    let settings = Settings::new(&directory);
    let server = settings.start();
    let client = server.client().await;
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    let key = client.create("order", "{}").await.unwrap();

    let mut stream = client.stream("other", PATIENCE).await.unwrap();
    let request = WatchRequest { process_instance_key: key, ..Default::default() };
    let mut watch = client.inspect.clone().watch(request).await.unwrap().into_inner();
    let polling = client.clone();
    let poll = tokio::spawn(async move {
        polling.poll(Poll { job_type: "other", max: 1, wait: PATIENCE * 2, lock: PATIENCE }).await
    });
    let waiting = client.clone();
    let result =
        tokio::spawn(async move { waiting.create_with_result("order", r#"{"id":1}"#, PATIENCE * 2).await });
    until("all of them wait", async || {
        let status = client.status().await.unwrap();
        (status.parked_polls == 1 && status.job_streams == 1 && status.instances == 2).then_some(())
    })
    .await;

    server.terminate();
    assert_eq!(poll.await.unwrap().unwrap(), []);
    assert_eq!(stream.message().await.unwrap(), None);
    assert_eq!(watch.message().await.unwrap(), None);
    let status = result.await.unwrap().unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "the server shuts down"));
    assert_eq!(server.ended().await, Some(0));

    // What was created goes on with the next server.
    let server = settings.start();
    let client = server.client().await;
    assert_eq!(client.status().await.unwrap().instances, 2);
}

#[tokio::test]
async fn termination_under_load_keeps_what_was_acknowledged() {
    let directory = Directory::new();
    let settings = Settings::new(&directory);
    let server = settings.start();
    let client = server.client().await;
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    let creating: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut created = Vec::new();
                loop {
                    match client.create("order", "{}").await {
                        Ok(key) => created.push(key),
                        Err(status) => return (created, status),
                    }
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.terminate();
    let mut acknowledged = Vec::new();
    for task in creating {
        let (created, status) = task.await.unwrap();
        // Those that come too late are told so, or find nobody to talk to.
        assert!(matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled), "{status:?}");
        acknowledged.extend(created);
    }
    assert_eq!(server.ended().await, Some(0));
    assert!(!acknowledged.is_empty());
    let server = settings.start();
    let found = server.client().await.instances().await.unwrap();
    acknowledged.sort_unstable();
    assert!(
        acknowledged.iter().all(|key| found.binary_search_by_key(key, |instance| instance.key).is_ok()),
        "an acknowledged instance is lost"
    );
}

#[tokio::test]
async fn termination_does_not_wait_for_who_does_not_read_the_records() {
    const INSTANCES: usize = 500;
    let directory = Directory::new();
    let settings = Settings::new(&directory).argument("--export-ndjson", "-");
    // The pipe of its standard output takes less than the instances' records.
    let server = settings.start_with_records();
    let client = Client::connect(&server.grpc).await.unwrap();
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    for _ in 0..INSTANCES {
        client.create("order", "{}").await.unwrap();
    }
    server.terminate();
    let log = server.log_file();
    assert_eq!(server.ended().await, Some(0));
    let told = std::fs::read_to_string(log).unwrap();
    assert!(told.contains("an exporter is still sending and is left behind"), "{told}");

    let server = Settings::new(&directory).start();
    assert_eq!(server.client().await.instances().await.unwrap().len(), INSTANCES);
}
