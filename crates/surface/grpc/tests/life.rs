//! The server around the calls: health, reflection, TLS, ends.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use coreto_grpc::{Config, Error, Outlet, Statistics, Tls};
use coreto_partition::Health;
use coreto_protocol::gateway as pb;
use coreto_protocol::gateway::gateway_client::GatewayClient;
use support::{Fake, Folder, Server, done, job, jobs};
use tonic::Code;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1alpha;

fn poll(request_timeout: i64) -> pb::ActivateJobsRequest {
    pb::ActivateJobsRequest {
        r#type: "pack".into(),
        worker: "w".into(),
        timeout: 1000,
        max_jobs_to_activate: 3,
        request_timeout,
        ..Default::default()
    }
}

#[tokio::test]
async fn health_follows_the_partitions() {
    let server = Server::start(Fake::new(done));
    let mut client = HealthClient::new(server.channel().await);
    let check = |service: &str| HealthCheckRequest { service: service.into() };
    for service in ["", "gateway_protocol.Gateway", "coreto.v1.Inspect"] {
        let answer = client.check(check(service)).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving);
    }
    assert_eq!(client.check(check("elsewhere")).await.unwrap_err().code(), Code::NotFound);

    let mut watch = client.watch(check("")).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    server.fake.seen(|seen| seen.health = Some(Health::Stopped { reason: "fenced".into() }));
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    let mut watch = client.watch(check("elsewhere")).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::ServiceUnknown);
}

#[tokio::test]
async fn reflection_lists_the_services_in_both_versions() {
    let server = Server::start(Fake::new(done));
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(server.channel().await);
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) =
        answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("no list")
    };
    let names: Vec<&str> = list.service.iter().map(|service| &*service.name).collect();
    for name in ["gateway_protocol.Gateway", "coreto.v1.Inspect", "grpc.health.v1.Health"] {
        assert!(names.contains(&name), "{names:?}");
    }

    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
            "gateway_protocol.Gateway".into(),
        )),
    };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(server.channel().await);
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    assert!(
        matches!(
            answer,
            Some(v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(_))
        ),
        "{answer:?}"
    );
}

#[tokio::test]
async fn drain_answers_polls_and_ends_streams() {
    let mut server = Server::start(Fake::new(|_| Some(jobs([]))));
    let mut client = server.client().await;
    let request = pb::StreamActivatedJobsRequest {
        r#type: "pack".into(),
        worker: "w".into(),
        timeout: 1,
        ..Default::default()
    };
    let mut stream = client.stream_activated_jobs(request).await.unwrap().into_inner();
    let mut polling = client.clone();
    let call = tokio::spawn(async move {
        let mut answers = polling.activate_jobs(poll(60_000)).await.unwrap().into_inner();
        answers.message().await
    });
    let sink = server.fake.until_sink(2).await;
    server.begin_drain();
    assert!(call.await.unwrap().unwrap().is_none());
    assert!(stream.message().await.unwrap().is_none());
    server.fake.push(sink, [job(1)]);
    drop(client);
    let fake = Arc::clone(&server.fake);
    assert!(server.drained().await < Duration::from_secs(5));
    assert_eq!(fake.seen(|seen| seen.closed.len()), 2);
}

#[tokio::test]
async fn drain_lets_commands_finish() {
    let mut server = Server::start(Fake::new(done));
    let mut client = server.client().await;
    server.fake.hold();
    let call = tokio::spawn(async move {
        client.complete_job(pb::CompleteJobRequest { job_key: 1, ..Default::default() }).await
    });
    server.fake.until("the command", |seen| !seen.requests.is_empty()).await;
    server.begin_drain();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!call.is_finished());
    server.fake.release();
    call.await.unwrap().unwrap();
    assert!(server.drained().await < Duration::from_secs(5));
}

#[tokio::test]
async fn drain_does_not_wait_for_instances() {
    let mut server = Server::start(Fake::new(|_| None));
    let mut client = server.client().await;
    let call = tokio::spawn(async move {
        client
            .create_process_instance_with_result(pb::CreateProcessInstanceWithResultRequest {
                request: Some(pb::CreateProcessInstanceRequest::default()),
                request_timeout: 60_000,
                fetch_variables: Vec::new(),
            })
            .await
    });
    server.fake.until("the command", |seen| !seen.requests.is_empty()).await;
    server.begin_drain();
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::Unavailable);
    assert!(server.drained().await < Duration::from_secs(5));
}

#[tokio::test]
async fn statistics_count_what_is_open() {
    let (fake, outlet) = Fake::new(|_| Some(jobs([])));
    let config = Config { waiting_max: 2, ..support::config() };
    let server = Server::start_with(config, (fake, Arc::clone(&outlet)));
    let mut client = server.client().await;
    let request = pb::StreamActivatedJobsRequest { r#type: "pack".into(), timeout: 1, ..Default::default() };
    let stream = client.stream_activated_jobs(request.clone()).await.unwrap();
    let mut polling = client.clone();
    let call = tokio::spawn(async move { polling.activate_jobs(poll(60_000)).await });
    let sink = server.fake.until_sink(2).await;
    let statistics = outlet.statistics();
    assert_eq!((statistics.connections, statistics.streams, statistics.polls), (1, 1, 1));
    assert_eq!(client.stream_activated_jobs(request).await.unwrap_err().code(), Code::ResourceExhausted);
    call.abort();
    drop(stream);
    server.fake.until("closed sinks", |seen| seen.closed.len() == 2).await;
    server.fake.push(sink, [job(1)]);
    server.fake.until_yielded(1).await;
    assert_eq!(outlet.statistics(), Statistics { connections: 1, given_back: 1, ..Statistics::default() });
}

#[tokio::test]
async fn drain_ends_in_bounded_time() {
    let config = Config { drain_max: Duration::from_millis(300), ..support::config() };
    let mut server = Server::start_with(config, Fake::new(|_| None));
    let mut client = server.client().await;
    let call = tokio::spawn(async move {
        client.complete_job(pb::CompleteJobRequest { job_key: 1, ..Default::default() }).await
    });
    server.fake.until("the command", |seen| !seen.requests.is_empty()).await;
    server.begin_drain();
    let took = server.drained().await;
    assert!(took >= Duration::from_millis(250) && took < Duration::from_secs(5), "{took:?}");
    assert!(call.await.unwrap().is_err());
}

#[tokio::test]
async fn tls_is_spoken_with_the_given_certificate() {
    let folder = Folder::new("tls");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let tls = Tls { certificate: folder.0.join("cert.pem"), key: folder.0.join("key.pem") };
    std::fs::write(&tls.certificate, made.cert.pem()).unwrap();
    std::fs::write(&tls.key, made.signing_key.serialize_pem()).unwrap();
    let server = Server::start_with(Config { tls: Some(tls), ..support::config() }, Fake::new(done));

    let trust = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(made.cert.pem()))
        .domain_name("localhost");
    let endpoint =
        Endpoint::from_shared(format!("https://{}", server.address)).unwrap().tls_config(trust).unwrap();
    let mut client = GatewayClient::new(endpoint.connect().await.unwrap());
    client.topology(pb::TopologyRequest {}).await.unwrap();

    let plain = Endpoint::from_shared(format!("http://{}", server.address)).unwrap().connect_lazy();
    assert!(GatewayClient::new(plain).topology(pb::TopologyRequest {}).await.is_err());
}

#[test]
fn unusable_files_and_addresses_are_named() {
    let folder = Folder::new("bad-tls");
    let tls = Tls { certificate: folder.0.join("cert.pem"), key: folder.0.join("key.pem") };
    let build = |config: Config| {
        let (fake, outlet) = Fake::new(done);
        config.build(Arc::<Fake>::clone(&fake), outlet, fake).err().expect("an error")
    };
    let error = build(Config { tls: Some(tls.clone()), ..support::config() });
    assert!(matches!(&error, Error::TlsFile { path, .. } if path.ends_with("cert.pem")), "{error}");
    std::fs::write(&tls.certificate, "no certificate").unwrap();
    let error = build(Config { tls: Some(tls), ..support::config() });
    assert!(error.to_string().contains("cert.pem"), "{error}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = build(Config { address: taken.local_addr().unwrap(), ..Config::default() });
    assert!(matches!(error, Error::Bind { .. }), "{error}");
}

#[test]
fn outlet_has_at_least_one_thread() {
    let (fake, _) = Fake::new(done);
    assert!(support::config().build(Arc::<Fake>::clone(&fake), Outlet::new(0), fake).is_ok());
}

#[tokio::test]
async fn gateway_that_cannot_hand_out_answers_ends() {
    for threads in [1, 2] {
        let server = Server::start(Fake::with(1, threads, |_| panic!("the partition is broken")));
        // Nobody waits for the job, so it is given back.
        server.fake.push(7, [job(1)]);
        let error = server.ended().await.unwrap_err();
        assert!(matches!(error, Error::Serve { .. }), "{error}");
    }
}
