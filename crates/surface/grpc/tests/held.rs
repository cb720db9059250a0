//! While a batch is not durable, no call and no question shows anything of it.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use coreto_protocol::FILE_DESCRIPTOR_SET;
use coreto_protocol::gateway as pb;
use coreto_protocol::gateway::gateway_client::GatewayClient;
use coreto_protocol::inspect as ins;
use coreto_protocol::inspect::inspect_client::InspectClient;
use coreto_protocol::inspect::query_request::Query as Question;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use support::whole::{Whole, order, poll, start, take};
use tonic::transport::Channel;
use tonic::{Code, Status};

/// Long enough for an answer that does not wait.
const A_WHILE: Duration = Duration::from_millis(200);

type Call = Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>;

/// What must become of a call while the append is held.
enum While {
    /// No answer before the batch is durable.
    Held(Call),
    /// An answer that no batch decides.
    AtOnce(Code, Call),
}

/// Keys of what the calls are about, all made before the append is held.
struct Stage {
    client: GatewayClient<Channel>,
    inspect: InspectClient<Channel>,
    instances: Vec<i64>,
    jobs: Vec<pb::ActivatedJob>,
    incident: i64,
}

async fn stage(server: &Whole) -> Stage {
    let mut client = server.deployed().await;
    let mut instances = Vec::new();
    for _ in 0..8 {
        let created = client.create_process_instance(order("{}")).await.unwrap();
        instances.push(created.into_inner().process_instance_key);
    }
    let mut jobs = take(&mut client, poll("check-stock", 10_000)).await;
    let failed = jobs.pop().unwrap();
    let fail = pb::FailJobRequest { job_key: failed.key, retries: 0, ..Default::default() };
    client.fail_job(fail).await.unwrap();
    let retries = pb::UpdateJobRetriesRequest { job_key: failed.key, retries: 1, ..Default::default() };
    client.update_job_retries(retries).await.unwrap();
    let mut inspect = InspectClient::new(server.channel().await);
    let question = Question::Incidents(ins::IncidentsQuery::default());
    let answer = inspect.query(ins::QueryRequest { query: Some(question) }).await.unwrap().into_inner();
    let Some(ins::query_response::Answer::Incidents(found)) = answer.answer else { panic!("no incidents") };
    Stage { client, inspect, instances, jobs, incident: found.incidents[0].key }
}

/// The call of a method with a request, as something that runs later.
macro_rules! call {
    ($client:expr, $method:ident, $request:expr) => {{
        let (mut client, request) = ($client.clone(), $request);
        Box::pin(async move { client.$method(request).await.map(drop) }) as Call
    }};
}

/// As [`call`], for the first message of a stream.
macro_rules! first_of {
    ($client:expr, $method:ident, $request:expr) => {{
        let (mut client, request) = ($client.clone(), $request);
        Box::pin(async move {
            let first = client.$method(request).await?.into_inner().message().await?;
            first.map(drop).ok_or_else(|| Status::not_found("the stream ended"))
        }) as Call
    }};
}

/// Every method of both services, by its full name.
fn calls(stage: &Stage) -> Vec<(&'static str, While)> {
    let (client, inspect) = (&stage.client, &stage.inspect);
    let mut jobs = stage.jobs.iter();
    let mut job = || jobs.next().unwrap().key;
    let ask = |question| While::Held(call!(inspect, query, ins::QueryRequest { query: Some(question) }));
    let resources = || vec![pb::Resource { name: "new.bpmn".into(), content: support::whole::ORDER.into() }];
    let with_result = pb::CreateProcessInstanceWithResultRequest {
        request: Some(pb::CreateProcessInstanceRequest { bpmn_process_id: "unknown".into(), ..order("{}") }),
        ..Default::default()
    };
    let mut calls = vec![
        ("Topology", While::AtOnce(Code::Ok, call!(client, topology, pb::TopologyRequest {}))),
        (
            "DeployResource",
            While::Held(call!(
                client,
                deploy_resource,
                pb::DeployResourceRequest { resources: resources(), ..Default::default() }
            )),
        ),
        (
            "CreateProcessInstance",
            While::Held(call!(client, create_process_instance, order("{\"undurable\":1}"))),
        ),
        (
            "CreateProcessInstanceWithResult",
            While::Held(call!(client, create_process_instance_with_result, with_result)),
        ),
        (
            "ModifyProcessInstance",
            While::Held(call!(
                client,
                modify_process_instance,
                pb::ModifyProcessInstanceRequest {
                    process_instance_key: stage.instances[4],
                    ..Default::default()
                }
            )),
        ),
        (
            "MigrateProcessInstance",
            While::Held(call!(
                client,
                migrate_process_instance,
                pb::MigrateProcessInstanceRequest {
                    process_instance_key: stage.instances[4],
                    migration_plan: Some(pb::migrate_process_instance_request::MigrationPlan {
                        target_process_definition_key: stage.instances[4],
                        ..Default::default()
                    }),
                    ..Default::default()
                }
            )),
        ),
        (
            "CancelProcessInstance",
            While::Held(call!(
                client,
                cancel_process_instance,
                pb::CancelProcessInstanceRequest {
                    process_instance_key: stage.instances[6],
                    ..Default::default()
                }
            )),
        ),
        (
            "SetVariables",
            While::Held(call!(
                client,
                set_variables,
                pb::SetVariablesRequest {
                    element_instance_key: stage.instances[5],
                    variables: "{\"undurable\":1}".into(),
                    ..Default::default()
                }
            )),
        ),
        (
            "EvaluateDecision",
            While::Held(call!(
                client,
                evaluate_decision,
                pb::EvaluateDecisionRequest { decision_id: "unknown".into(), ..Default::default() }
            )),
        ),
        ("ActivateJobs", While::Held(first_of!(client, activate_jobs, poll("check-stock", 30_000)))),
        (
            "CompleteJob",
            While::Held(call!(
                client,
                complete_job,
                pb::CompleteJobRequest { job_key: job(), ..Default::default() }
            )),
        ),
        (
            "FailJob",
            While::Held(call!(
                client,
                fail_job,
                pb::FailJobRequest { job_key: job(), retries: 1, ..Default::default() }
            )),
        ),
        (
            "ThrowError",
            While::Held(call!(
                client,
                throw_error,
                pb::ThrowErrorRequest { job_key: job(), error_code: "E".into(), ..Default::default() }
            )),
        ),
        (
            "UpdateJobRetries",
            While::Held(call!(
                client,
                update_job_retries,
                pb::UpdateJobRetriesRequest { job_key: job(), retries: 2, ..Default::default() }
            )),
        ),
        (
            "UpdateJobTimeout",
            While::Held(call!(
                client,
                update_job_timeout,
                pb::UpdateJobTimeoutRequest { job_key: job(), timeout: 90_000, ..Default::default() }
            )),
        ),
        (
            "ResolveIncident",
            While::Held(call!(
                client,
                resolve_incident,
                pb::ResolveIncidentRequest { incident_key: stage.incident, ..Default::default() }
            )),
        ),
        (
            "StreamActivatedJobs",
            While::Held(first_of!(
                client,
                stream_activated_jobs,
                pb::StreamActivatedJobsRequest {
                    r#type: "make-payment".into(),
                    worker: "s".into(),
                    timeout: 60_000,
                    ..Default::default()
                }
            )),
        ),
        ("Query/Instances", ask(Question::Instances(ins::InstancesQuery::default()))),
        ("Query/Instance", ask(Question::Instance(ins::InstanceQuery { key: stage.instances[2] }))),
        ("Query/Jobs", ask(Question::Jobs(ins::JobsQuery::default()))),
        ("Query/Incidents", ask(Question::Incidents(ins::IncidentsQuery::default()))),
        ("Query/Definitions", ask(Question::Definitions(ins::DefinitionsQuery::default()))),
        ("Query/Status", ask(Question::Status(ins::StatusQuery {}))),
        // What it shows is read from the log; here nobody reads it.
        ("Watch", While::AtOnce(Code::Unavailable, first_of!(inspect, watch, ins::WatchRequest::default()))),
    ];
    calls.extend(of_events(client));
    calls.extend(older(client));
    calls.extend(missing(client));
    calls
}

fn of_events(client: &GatewayClient<Channel>) -> Vec<(&'static str, While)> {
    let message = pb::PublishMessageRequest { name: "paid".to_owned(), ..Default::default() };
    let unknown = pb::DeleteResourceRequest { resource_key: 7, ..Default::default() };
    let signal = pb::BroadcastSignalRequest { signal_name: "rain".to_owned(), ..Default::default() };
    vec![
        ("PublishMessage", While::Held(call!(client, publish_message, message))),
        ("DeleteResource", While::Held(call!(client, delete_resource, unknown))),
        ("BroadcastSignal", While::Held(call!(client, broadcast_signal, signal))),
    ]
}

#[expect(deprecated, reason = "old clients still call it")]
fn older(client: &GatewayClient<Channel>) -> Vec<(&'static str, While)> {
    let processes =
        vec![pb::ProcessRequestObject { name: "old.bpmn".into(), definition: support::whole::ORDER.into() }];
    let request = pb::DeployProcessRequest { processes };
    vec![("DeployProcess", While::Held(call!(client, deploy_process, request)))]
}

/// Methods that are not built and say so.
fn missing(client: &GatewayClient<Channel>) -> Vec<(&'static str, While)> {
    macro_rules! missing {
        ($($name:literal $method:ident $request:ident),* $(,)?) => {
            vec![$((
                $name,
                While::AtOnce(Code::Unimplemented, call!(client, $method, pb::$request::default())),
            )),*]
        };
    }
    missing![
        "AssignProcessInstanceBusinessId" assign_process_instance_business_id AssignProcessInstanceBusinessIdRequest,
        "EvaluateConditional" evaluate_conditional EvaluateConditionalRequest,
        "UpdateJobPriority" update_job_priority UpdateJobPriorityRequest,
    ]
}

/// The methods that our protos declare.
fn methods() -> BTreeSet<String> {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let services = files.file.into_iter().flat_map(|file| file.service);
    services.flat_map(|service| service.method).map(|method| method.name().to_owned()).collect()
}

#[tokio::test]
async fn nothing_of_a_held_batch_is_seen() {
    let server = start("held");
    let stage = stage(&server).await;
    let calls = calls(&stage);
    let called: BTreeSet<String> =
        calls.iter().map(|(name, _)| name.split('/').next().unwrap().to_owned()).collect();
    assert_eq!(called, methods(), "each method has its line here");

    let handle = server.partitions.handles()[0].clone();
    let before = handle.statistics();
    server.gate.hold();
    // Streams and polls are there first, so that the calls after them have something to push.
    let (waiting, others): (Vec<_>, Vec<_>) =
        calls.into_iter().partition(|(name, _)| matches!(*name, "StreamActivatedJobs" | "ActivateJobs"));
    let mut held =
        vec![("a first create", tokio::spawn(call!(stage.client, create_process_instance, order("{}"))))];
    server.until("an append", |server| server.gate.has_waiting()).await;
    for (name, call) in waiting.into_iter().chain(others) {
        match call {
            While::Held(call) => held.push((name, tokio::spawn(call))),
            While::AtOnce(code, call) => {
                let code_of =
                    |answer: Result<(), Status>| answer.map_or_else(|status| status.code(), |()| Code::Ok);
                let answer = tokio::time::timeout(Duration::from_secs(10), call).await;
                assert_eq!(code_of(answer.expect("it does not wait")), code, "{name}");
            }
        }
    }
    tokio::time::sleep(A_WHILE).await;
    for (name, call) in &mut held {
        let early = if call.is_finished() { Some(call.await.unwrap()) } else { None };
        assert!(early.is_none(), "{name} was answered before its batch was durable: {early:?}");
    }
    let during = handle.statistics();
    assert_eq!(
        (during.durable, during.position, during.bytes),
        (before.durable, before.position, before.bytes)
    );

    server.gate.release();
    for (name, call) in held {
        let answer = tokio::time::timeout(Duration::from_secs(10), call).await.expect(name).unwrap();
        match name {
            "CreateProcessInstanceWithResult"
            | "MigrateProcessInstance"
            | "EvaluateDecision"
            | "DeleteResource" => {
                assert_eq!(answer.unwrap_err().code(), Code::NotFound, "a rejection waits as well");
            }
            _ => answer.unwrap_or_else(|status| panic!("{name}: {status}")),
        }
    }
    assert!(handle.statistics().position > before.position);
    server.stop().await;
}
