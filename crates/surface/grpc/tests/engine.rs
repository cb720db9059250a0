//! The gateway before the real engine on a real log.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use std::time::{Duration, Instant};

use coreto_protocol::gateway as pb;
use coreto_protocol::inspect as ins;
use coreto_protocol::inspect::inspect_client::InspectClient;
use coreto_protocol::inspect::query_request::Query as Question;
use coreto_protocol::inspect::query_response::Answer as Told;
use support::whole::{complete, order, poll, start, take};
use tonic::Code;

#[tokio::test]
async fn order_goes_from_worker_to_worker() {
    let server = start("order");
    let mut client = server.deployed().await;
    let mut awaiting = client.clone();
    let result = tokio::spawn(async move {
        let request = pb::CreateProcessInstanceWithResultRequest {
            request: Some(order("{\"orderId\":7}")),
            request_timeout: 10_000,
            fetch_variables: Vec::new(),
        };
        awaiting.create_process_instance_with_result(request).await
    });
    let jobs = take(&mut client, poll("check-stock", 10_000)).await;
    assert_eq!((&*jobs[0].custom_headers, &*jobs[0].variables), ("{\"unit\":\"box\"}", "{\"orderId\":7}"));
    assert_eq!((&*jobs[0].element_id, jobs[0].retries, &*jobs[0].worker), ("stock", 3, "w"));
    assert!(take(&mut client, poll("make-payment", -1)).await.is_empty(), "it comes after the first");
    client.complete_job(complete(&jobs[0], "{\"inStock\":true}")).await.unwrap();

    let jobs = take(&mut client, poll("make-payment", 10_000)).await;
    assert!(jobs[0].variables.contains("\"inStock\":true"), "{}", jobs[0].variables);
    client.complete_job(complete(&jobs[0], "")).await.unwrap();
    let result = result.await.unwrap().unwrap().into_inner();
    assert_eq!(result.process_instance_key, jobs[0].process_instance_key);
    assert!(result.variables.contains("\"inStock\":true") && result.variables.contains("\"orderId\":7"));

    let again = client.complete_job(complete(&jobs[0], "")).await.unwrap_err();
    assert_eq!(again.code(), Code::NotFound);
    assert!(
        again.message().starts_with("Command 'COMPLETE' rejected with code 'NOT_FOUND': "),
        "{}",
        again.message()
    );
    server.stop().await;
}

#[tokio::test]
async fn stream_and_parked_poll_get_jobs_as_they_come() {
    let server = start("push");
    let mut client = server.deployed().await;
    let request = pb::StreamActivatedJobsRequest {
        r#type: "check-stock".into(),
        worker: "s".into(),
        timeout: 60_000,
        ..Default::default()
    };
    let mut stream = client.stream_activated_jobs(request).await.unwrap().into_inner();
    let mut polling = client.clone();
    let parked = tokio::spawn(async move { take(&mut polling, poll("make-payment", 30_000)).await });
    server.until("a stream and a parked poll", |server| server.sinks.count() == (1, 1)).await;

    client.create_process_instance(order("{}")).await.unwrap();
    let job = stream.message().await.unwrap().unwrap();
    assert_eq!(&*job.worker, "s");
    client.complete_job(complete(&job, "")).await.unwrap();
    let jobs = parked.await.unwrap();
    assert_eq!((jobs.len(), &*jobs[0].r#type), (1, "make-payment"));
    server.until("the poll's end", |server| server.sinks.count() == (1, 0)).await;

    // More than the stream's credit, so that credit must come back.
    for _ in 0..200 {
        client.create_process_instance(order("{}")).await.unwrap();
    }
    for _ in 0..200 {
        assert_eq!(&*stream.message().await.unwrap().unwrap().r#type, "check-stock");
    }
    drop(stream);
    server.until("the stream's end", |server| server.sinks.count() == (0, 0)).await;
    server.stop().await;
}

#[tokio::test]
async fn job_for_a_client_that_went_away_goes_to_another() {
    let server = start("away");
    let mut client = server.deployed().await;
    let request = pb::StreamActivatedJobsRequest {
        r#type: "check-stock".into(),
        worker: "gone".into(),
        timeout: 3_600_000,
        ..Default::default()
    };
    for _ in 0..20 {
        let stream = client.stream_activated_jobs(request.clone()).await.unwrap();
        let mut creating = client.clone();
        let create = tokio::spawn(async move { creating.create_process_instance(order("{}")).await });
        drop(stream);
        create.await.unwrap().unwrap();
    }
    server.until("no stream", |server| server.sinks.count() == (0, 0)).await;
    // Whether a job met its stream or not, none is held by the worker that went, unless the transport had it.
    let jobs = take(
        &mut client,
        pb::ActivateJobsRequest { max_jobs_to_activate: 100, ..poll("check-stock", 10_000) },
    )
    .await;
    assert!(jobs.len() as u64 + server.outlet.statistics().given_back >= 1);
    assert!(jobs.iter().all(|job| job.worker == "w"));
    server.stop().await;
}

#[tokio::test]
async fn incident_is_seen_and_resolved() {
    let server = start("incident");
    let mut client = server.deployed().await;
    let mut inspect = InspectClient::new(server.channel().await);
    let instance = client.create_process_instance(order("{\"a\":1}")).await.unwrap().into_inner();
    let jobs = take(&mut client, poll("check-stock", 10_000)).await;
    let fail = pb::FailJobRequest {
        job_key: jobs[0].key,
        retries: 0,
        error_message: "no box".into(),
        ..Default::default()
    };
    client.fail_job(fail).await.unwrap();

    let mut ask = async |question: Question| {
        let request = ins::QueryRequest { query: Some(question) };
        inspect.query(request).await.map(|answer| answer.into_inner().answer.unwrap())
    };
    let Told::Incidents(incidents) = ask(Question::Incidents(ins::IncidentsQuery::default())).await.unwrap()
    else {
        panic!("no incidents")
    };
    let incident = &incidents.incidents[0];
    assert_eq!((&*incident.error_type, &*incident.error_message), ("JOB_NO_RETRIES", "no box"));
    assert_eq!((&*incident.element_id, incident.job_key, incidents.next), ("stock", jobs[0].key, 0));

    let of_instance = ins::InstanceQuery { key: instance.process_instance_key };
    let Told::Instance(details) = ask(Question::Instance(of_instance)).await.unwrap() else {
        panic!("no instance")
    };
    assert_eq!(details.instance.as_ref().unwrap().state(), ins::InstanceState::Incident);
    assert_eq!((&*details.variables[0].name, &*details.variables[0].value), ("a", "1"));
    assert_eq!(details.jobs[0].state(), ins::JobState::Failed);
    assert!(details.element_instances.iter().any(|element| element.element_id == "stock"));

    let unready = client.resolve_incident(pb::ResolveIncidentRequest {
        incident_key: incident.key,
        operation_reference: None,
    });
    assert_eq!(unready.await.unwrap_err().code(), Code::FailedPrecondition);
    client
        .update_job_retries(pb::UpdateJobRetriesRequest {
            job_key: jobs[0].key,
            retries: 1,
            ..Default::default()
        })
        .await
        .unwrap();
    client
        .resolve_incident(pb::ResolveIncidentRequest {
            incident_key: incident.key,
            operation_reference: None,
        })
        .await
        .unwrap();
    let jobs = take(&mut client, poll("check-stock", 10_000)).await;
    assert_eq!(jobs[0].retries, 1);
    client
        .throw_error(pb::ThrowErrorRequest {
            job_key: jobs[0].key,
            error_code: "E".into(),
            ..Default::default()
        })
        .await
        .unwrap();

    let cancel = pb::CancelProcessInstanceRequest {
        process_instance_key: instance.process_instance_key,
        operation_reference: None,
    };
    client.cancel_process_instance(cancel).await.unwrap();
    assert_eq!(ask(Question::Instance(of_instance)).await.unwrap_err().code(), Code::NotFound);
    let Told::Status(status) = ask(Question::Status(ins::StatusQuery {})).await.unwrap() else {
        panic!("no status")
    };
    let partition = &status.partitions[0];
    assert!(partition.position > 0);
    assert_eq!(
        (partition.instances, partition.jobs, partition.incidents, partition.definitions),
        (0, 0, 0, 1)
    );
    assert!(partition.serving && partition.trouble.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn lists_are_filtered_and_go_on() {
    let server = start("lists");
    let mut client = server.deployed().await;
    let mut inspect = InspectClient::new(server.channel().await);
    let mut keys = Vec::new();
    for _ in 0..5 {
        keys.push(
            client.create_process_instance(order("{}")).await.unwrap().into_inner().process_instance_key,
        );
    }
    let mut ask = async |question: Question| {
        let request = ins::QueryRequest { query: Some(question) };
        inspect.query(request).await.map(|answer| answer.into_inner().answer.unwrap())
    };
    let mut found = Vec::new();
    let mut after = 0;
    for _ in 0..4 {
        let page = Some(ins::Page { limit: 2, after });
        let query = ins::InstancesQuery { process_id: "order".into(), page, ..Default::default() };
        let Told::Instances(list) = ask(Question::Instances(query)).await.unwrap() else { panic!("no list") };
        found.extend(list.instances.iter().map(|instance| instance.key));
        after = list.next;
        if after == 0 {
            break;
        }
    }
    assert_eq!(found, keys);
    let jobs = ins::JobsQuery {
        process_instance_key: keys[2],
        state: ins::JobState::Activatable.into(),
        ..Default::default()
    };
    let Told::Jobs(list) = ask(Question::Jobs(jobs)).await.unwrap() else { panic!("no list") };
    assert_eq!((list.jobs.len(), list.jobs[0].process_instance_key), (1, keys[2]));
    let definitions = ins::DefinitionsQuery { latest: true, ..Default::default() };
    let Told::Definitions(list) = ask(Question::Definitions(definitions)).await.unwrap() else {
        panic!("no list")
    };
    assert_eq!((&*list.definitions[0].process_id, list.definitions[0].version), ("order", 1));

    for bad in [
        Question::Instance(ins::InstanceQuery { key: 0 }),
        Question::Instance(ins::InstanceQuery { key: -4 }),
        Question::Jobs(ins::JobsQuery { state: 77, ..Default::default() }),
        Question::Instances(ins::InstancesQuery { state: 77, ..Default::default() }),
        Question::Incidents(ins::IncidentsQuery {
            page: Some(ins::Page { limit: 1, after: -1 }),
            ..Default::default()
        }),
    ] {
        assert_eq!(ask(bad).await.unwrap_err().code(), Code::InvalidArgument);
    }
    assert_eq!(
        inspect.query(ins::QueryRequest { query: None }).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    server.stop().await;
}

#[tokio::test]
async fn variables_are_set_and_deadlines_moved() {
    let server = start("variables");
    let mut client = server.deployed().await;
    let created = client.create_process_instance(order("{}")).await.unwrap().into_inner();
    let set = pb::SetVariablesRequest {
        element_instance_key: created.process_instance_key,
        variables: "{\"a\":1}".into(),
        ..Default::default()
    };
    assert!(client.set_variables(set).await.unwrap().into_inner().key > 0);
    let jobs = take(&mut client, poll("check-stock", 10_000)).await;
    assert_eq!((jobs.len(), &*jobs[0].variables), (1, "{\"a\":1}"));
    let update = pb::UpdateJobTimeoutRequest { job_key: jobs[0].key, timeout: 1, ..Default::default() };
    client.update_job_timeout(update).await.unwrap();
    let jobs = take(&mut client, poll("check-stock", 10_000)).await;
    assert_eq!(jobs.len(), 1, "its time was over, so it is handed out again");
    server.stop().await;
}

#[tokio::test]
async fn drain_ends_parked_polls_of_a_real_engine() {
    let server = start("drain");
    let mut client = server.deployed().await;
    let parked = tokio::spawn(async move { take(&mut client, poll("check-stock", 60_000)).await });
    server.until("a parked poll", |server| server.sinks.count() == (0, 1)).await;
    let begin = Instant::now();
    server.stop().await;
    assert!(parked.await.unwrap().is_empty());
    assert!(begin.elapsed() < Duration::from_secs(5));
}
