//! Each call: what it asks of the engine, what it answers, and which status it fails with.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use std::time::Duration;

use coreto_machine::Tenant;
use coreto_partition::Health;
use coreto_partition::{Answer, Refused};
use coreto_protocol::gateway as pb;
use coreto_record::event::{DecisionEvaluation, EvaluatedDecision, EvaluatedValue, MatchedRule};
use coreto_record::reply::{
    Deployed, InstanceCompleted, InstanceCreated, Reply, ResourceDeleted, VariablesSet,
};
use coreto_record::{
    Command, DecisionKey, DeployedProcess, DeploymentKey, Document, Key, ProcessDefinitionKey,
    ProcessInstanceKey, Rejection, RejectionKind,
};
use support::{Fake, Server, done, rejected};
use tonic::Code;

const KEY: i64 = (1 << 51) + 7;

fn created() -> InstanceCreated {
    InstanceCreated {
        key: ProcessInstanceKey::issue(1, 9),
        definition: ProcessDefinitionKey::issue(1, 2),
        process: "order".into(),
        version: 3,
        tenant: Tenant::DEFAULT,
    }
}

#[tokio::test]
async fn topology_is_one_leading_broker() {
    let server = Server::start(Fake::new(done));
    let mut client = server.client().await;
    let topology = client.topology(pb::TopologyRequest {}).await.unwrap().into_inner();
    assert_eq!(topology.gateway_version, "8.8.0");
    assert_eq!((topology.cluster_size, topology.partitions_count, topology.replication_factor), (1, 1, 1));
    let broker = &topology.brokers[0];
    assert_eq!(
        (broker.node_id, &*broker.host, broker.port),
        (0, "127.0.0.1", i32::from(server.address.port()))
    );
    assert_eq!(broker.version, "8.8.0");
    assert_eq!(
        (broker.partitions[0].partition_id, broker.partitions[0].role, broker.partitions[0].health),
        (1, 0, 0)
    );

    server.fake.seen(|seen| seen.health = Some(Health::Recovering));
    let topology = client.topology(pb::TopologyRequest {}).await.unwrap().into_inner();
    assert_eq!(topology.brokers[0].partitions[0].health, 1);
}

#[tokio::test]
async fn deployment_names_its_processes() {
    let server = Server::start(Fake::new(|_| {
        Some(Answer::Reply(Reply::Deployed(Deployed {
            key: DeploymentKey::issue(1, 1),
            processes: vec![DeployedProcess {
                key: ProcessDefinitionKey::issue(1, 2),
                id: "order".into(),
                version: 4,
                resource_name: "order.bpmn".into(),
                ..DeployedProcess::default()
            }],
            tenant: Tenant::DEFAULT,
            ..Deployed::default()
        })))
    }));
    let mut client = server.client().await;
    let resources = vec![pb::Resource { name: "order.bpmn".into(), content: "<x/>".into() }];
    let request = pb::DeployResourceRequest { resources, tenant_id: "<default>".into() };
    let answer = client.deploy_resource(request).await.unwrap().into_inner();
    assert_eq!((answer.key, &*answer.tenant_id), ((1 << 51) + 1, "<default>"));
    let Some(pb::deployment::Metadata::Process(process)) = &answer.deployments[0].metadata else {
        panic!("no process: {answer:?}");
    };
    assert_eq!(
        (&*process.bpmn_process_id, process.version, &*process.resource_name),
        ("order", 4, "order.bpmn")
    );
    let [Command::Deploy(deploy)] = &*server.fake.commands() else { panic!("one command") };
    assert_eq!((&*deploy.resources[0].name, &*deploy.resources[0].content), ("order.bpmn", &b"<x/>"[..]));

    #[expect(deprecated, reason = "old clients call it")]
    let answer = client
        .deploy_process(pb::DeployProcessRequest {
            processes: vec![pb::ProcessRequestObject {
                name: "order.bpmn".into(),
                definition: "<x/>".into(),
            }],
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.processes[0].process_definition_key, (1 << 51) + 2);
}

#[tokio::test]
async fn creation_passes_everything_on() {
    let server = Server::start(Fake::new(|_| Some(Answer::Reply(Reply::InstanceCreated(created())))));
    let mut client = server.client().await;
    let mut request = tonic::Request::new(pb::CreateProcessInstanceRequest {
        bpmn_process_id: "order".into(),
        version: 3,
        variables: "{ \"a\": 1 }".into(),
        operation_reference: Some(5),
        ..Default::default()
    });
    request.metadata_mut().insert("idempotency-key", "once".parse().unwrap());
    let answer = client.create_process_instance(request).await.unwrap().into_inner();
    assert_eq!((answer.process_instance_key, answer.version), ((1 << 51) + 9, 3));
    assert_eq!((&*answer.bpmn_process_id, &*answer.tenant_id), ("order", "<default>"));
    let [Command::CreateInstance(create)] = &*server.fake.commands() else { panic!("one command") };
    assert_eq!((create.definition, &*create.process, create.version), (None, "order", Some(3)));
    assert_eq!(create.variables.as_str(), "{\"a\":1}");
    server.fake.seen(|seen| {
        assert_eq!(seen.operation_references, [Some(5)]);
        assert_eq!(seen.idempotency_keys, [Some("once".to_owned())]);
    });

    let by_key =
        pb::CreateProcessInstanceRequest { process_definition_key: KEY, version: -1, ..Default::default() };
    client.create_process_instance(by_key).await.unwrap();
    let Command::CreateInstance(create) = &server.fake.commands()[1] else { panic!("a creation") };
    assert_eq!((create.definition, create.version), (Some(ProcessDefinitionKey::issue(1, 7)), None));
}

#[tokio::test]
async fn creation_says_after_what_an_instance_ends() {
    use pb::process_instance_creation_runtime_instruction::Instruction;

    let server = Server::start(Fake::new(|_| Some(Answer::Reply(Reply::InstanceCreated(created())))));
    let mut client = server.client().await;
    let request = |instruction| pb::CreateProcessInstanceRequest {
        bpmn_process_id: "order".into(),
        version: -1,
        runtime_instructions: vec![pb::ProcessInstanceCreationRuntimeInstruction { instruction }],
        ..Default::default()
    };
    let after = pb::TerminateProcessInstanceInstruction { after_element_id: "pack".into() };
    client.create_process_instance(request(Some(Instruction::Terminate(after)))).await.unwrap();
    let [Command::CreateInstance(create)] = &*server.fake.commands() else { panic!("one command") };
    assert_eq!(create.ends_after.as_ref().unwrap().elements, ["pack".into()]);

    let status = client.create_process_instance(request(None)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn result_comes_with_the_end() {
    let server = Server::start(Fake::new(|command| match command {
        Command::CreateInstance(create) if &*create.process == "never" => None,
        _ => Some(Answer::Reply(Reply::InstanceCompleted(InstanceCompleted {
            created: created(),
            variables: Document::parse("{\"a\":1}").unwrap(),
        }))),
    }));
    let mut client = server.client().await;
    let request = |process: &str, request_timeout| pb::CreateProcessInstanceWithResultRequest {
        request: Some(pb::CreateProcessInstanceRequest {
            bpmn_process_id: process.into(),
            version: -1,
            ..Default::default()
        }),
        request_timeout,
        fetch_variables: vec!["a".into()],
    };
    let answer = client.create_process_instance_with_result(request("order", 0)).await.unwrap().into_inner();
    assert_eq!((&*answer.variables, answer.process_instance_key), ("{\"a\":1}", (1 << 51) + 9));
    let Command::CreateInstance(create) = &server.fake.commands()[0] else { panic!("a creation") };
    assert_eq!(create.await_result.as_ref().unwrap().fetch, ["a".into()]);

    let status = client.create_process_instance_with_result(request("never", 30)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn jobs_and_incidents_pass_on() {
    let server = Server::start(Fake::new(done));
    let mut client = server.client().await;
    let variables = "{\"a\":1}".to_owned();
    client
        .complete_job(pb::CompleteJobRequest {
            job_key: KEY,
            variables: variables.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    client
        .fail_job(pb::FailJobRequest {
            job_key: KEY,
            retries: 2,
            error_message: "oh".into(),
            retry_back_off: 9,
            variables: variables.clone(),
            lease_token: None,
        })
        .await
        .unwrap();
    client
        .throw_error(pb::ThrowErrorRequest {
            job_key: KEY,
            error_code: "E".into(),
            error_message: "oh".into(),
            variables,
            lease_token: None,
        })
        .await
        .unwrap();
    client
        .update_job_retries(pb::UpdateJobRetriesRequest { job_key: KEY, retries: 4, ..Default::default() })
        .await
        .unwrap();
    client
        .update_job_timeout(pb::UpdateJobTimeoutRequest { job_key: KEY, timeout: 50, ..Default::default() })
        .await
        .unwrap();
    client
        .resolve_incident(pb::ResolveIncidentRequest { incident_key: KEY, operation_reference: None })
        .await
        .unwrap();
    client
        .cancel_process_instance(pb::CancelProcessInstanceRequest {
            process_instance_key: KEY,
            operation_reference: Some(1),
        })
        .await
        .unwrap();
    let commands = server.fake.commands();
    for command in &commands {
        assert_eq!(command.describe().2, KEY.unsigned_abs(), "{command:?}");
    }
    let [
        Command::CompleteJob(complete),
        Command::FailJob(fail),
        Command::ThrowError(throw),
        Command::UpdateJobRetries(retries),
        Command::UpdateJobTimeout(timeout),
        Command::ResolveIncident(_),
        Command::CancelInstance(_),
    ] = &*commands
    else {
        panic!("{commands:?}")
    };
    assert_eq!(complete.variables.as_str(), "{\"a\":1}");
    assert_eq!(
        (fail.retries, fail.backoff, &*fail.message, fail.variables.as_str()),
        (2, 9, "oh", "{\"a\":1}")
    );
    assert_eq!((&*throw.code, &*throw.message, throw.variables.as_str()), ("E", "oh", "{\"a\":1}"));
    assert_eq!((retries.retries, timeout.timeout), (4, 50));
}

#[tokio::test]
async fn changes_by_hand_reach_the_engine_whole() {
    use pb::modify_process_instance_request as part;
    let server = Server::start(Fake::new(|_| Some(Answer::Reply(Reply::Done(())))));
    let mut client = server.client().await;
    let given = part::VariableInstruction { variables: "{\"a\":1}".into(), scope_id: "box".into() };
    let activation = |ancestor| part::ActivateInstruction {
        element_id: "pack".into(),
        ancestor_element_instance_key: ancestor,
        variable_instructions: vec![given.clone()],
    };
    let end = part::TerminateInstruction { element_instance_key: 9, ..Default::default() };
    let request = pb::ModifyProcessInstanceRequest {
        process_instance_key: KEY,
        activate_instructions: vec![activation(-1), activation(8)],
        terminate_instructions: vec![end],
        ..Default::default()
    };
    client.modify_process_instance(request.clone()).await.unwrap();
    let commands = server.fake.commands();
    let [Command::ModifyInstance(modify)] = &*commands else { panic!("{commands:?}") };
    assert_eq!((modify.instance.raw(), modify.terminate[0].raw()), (KEY.unsigned_abs(), 9));
    let ancestors: Vec<_> =
        modify.activate.iter().map(|activation| activation.ancestor.map(Key::raw)).collect();
    assert_eq!(ancestors, [None, Some(8)]);
    let given = &modify.activate[1].variables[0];
    assert_eq!((&*given.scope, given.variables.as_str()), ("box", "{\"a\":1}"));

    let mut no_object = request;
    no_object.activate_instructions[0].variable_instructions[0].variables = "[]".into();
    let refused = client.modify_process_instance(no_object).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let nothing = part::TerminateInstruction::default();
    let refused = client
        .modify_process_instance(pb::ModifyProcessInstanceRequest {
            process_instance_key: KEY,
            terminate_instructions: vec![nothing; 1001],
            ..Default::default()
        })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_migration_reaches_the_engine_whole() {
    use pb::migrate_process_instance_request as part;
    let server = Server::start(Fake::new(|_| Some(Answer::Reply(Reply::Done(())))));
    let mut client = server.client().await;
    let mapping =
        part::MappingInstruction { source_element_id: "charge".into(), target_element_id: "bill".into() };
    let request = pb::MigrateProcessInstanceRequest {
        process_instance_key: KEY,
        migration_plan: Some(part::MigrationPlan {
            target_process_definition_key: 9,
            mapping_instructions: vec![mapping],
        }),
        operation_reference: Some(3),
    };
    client.migrate_process_instance(request.clone()).await.unwrap();
    let commands = server.fake.commands();
    let [Command::MigrateInstance(migrate)] = &*commands else { panic!("{commands:?}") };
    assert_eq!((migrate.instance.raw(), migrate.target.raw()), (KEY.unsigned_abs(), 9));
    let mappings: Vec<_> = migrate.mappings.iter().map(|it| (&*it.source, &*it.target)).collect();
    assert_eq!(mappings, [("charge", "bill")]);

    let planless = pb::MigrateProcessInstanceRequest { migration_plan: None, ..request.clone() };
    let mut endless = request;
    endless.migration_plan.as_mut().unwrap().mapping_instructions =
        vec![part::MappingInstruction::default(); 10_001];
    for (wrong, names) in [(planless, "`migrationPlan`"), (endless, "`mappingInstructions`")] {
        let refused = client.migrate_process_instance(wrong).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains(names), "{}", refused.message());
    }
}

#[tokio::test]
async fn set_variables_answers_with_a_key() {
    let server =
        Server::start(Fake::new(|_| Some(Answer::Reply(Reply::VariablesSet(VariablesSet { key: 77 })))));
    let mut client = server.client().await;
    let request = pb::SetVariablesRequest {
        element_instance_key: KEY,
        variables: "{}".into(),
        local: true,
        operation_reference: None,
    };
    assert_eq!(client.set_variables(request).await.unwrap().into_inner().key, 77);
}

#[tokio::test]
async fn rejections_have_the_codes_of_the_protocol() {
    let table = [
        (RejectionKind::InvalidArgument, Code::InvalidArgument, "INVALID_ARGUMENT"),
        (RejectionKind::NotFound, Code::NotFound, "NOT_FOUND"),
        (RejectionKind::AlreadyExists, Code::AlreadyExists, "ALREADY_EXISTS"),
        (RejectionKind::InvalidState, Code::FailedPrecondition, "INVALID_STATE"),
        (RejectionKind::ProcessingError, Code::Internal, "PROCESSING_ERROR"),
        (RejectionKind::ExceededBatchRecordSize, Code::InvalidArgument, "EXCEEDED_BATCH_RECORD_SIZE"),
        (RejectionKind::Unauthorized, Code::PermissionDenied, "UNAUTHORIZED"),
        (RejectionKind::Forbidden, Code::PermissionDenied, "FORBIDDEN"),
    ];
    for (kind, code, name) in table {
        let server = Server::start(Fake::new(rejected(Rejection::new(kind, "no such luck"))));
        let mut client = server.client().await;
        let request = pb::CompleteJobRequest { job_key: KEY, ..Default::default() };
        let status = client.complete_job(request).await.unwrap_err();
        assert_eq!(status.code(), code);
        assert_eq!(status.message(), format!("Command 'COMPLETE' rejected with code '{name}': no such luck"));
    }
}

#[tokio::test]
async fn refusals_and_losses_have_codes() {
    type Make = fn() -> Answer<coreto_engine::Engine>;
    let server = Server::start(Fake::new(done));
    let mut client = server.client().await;
    let complete = || pb::CompleteJobRequest { job_key: KEY, ..Default::default() };
    let refusals = [
        (Refused::Busy { queued_bytes: 9, limit: 8 }, Code::ResourceExhausted),
        (Refused::Slow { wait_ms: 9, limit_ms: 8 }, Code::ResourceExhausted),
        (Refused::NoSpace { free_bytes: 4711, needed_bytes: 8000 }, Code::ResourceExhausted),
        (Refused::Closed { reason: "fenced".into() }, Code::Unavailable),
    ];
    for (refused, code) in refusals {
        server.fake.seen(|seen| seen.refuse = Some(refused.clone()));
        let status = client.complete_job(complete()).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, &*refused.to_string()));
    }
    let answers: [(Make, Code); 3] = [
        (|| Answer::Lost { reason: "fenced".into() }, Code::Unavailable),
        (|| Answer::KeyMisused, Code::InvalidArgument),
        (|| Answer::KeysFull, Code::ResourceExhausted),
    ];
    for (answer, code) in answers {
        let server = Server::start(Fake::new(move |_| Some(answer())));
        let status = server.client().await.complete_job(complete()).await.unwrap_err();
        assert_eq!(status.code(), code);
    }
}

#[tokio::test]
async fn bad_fields_are_named() {
    let server = Server::start(Fake::new(done));
    let mut client = server.client().await;
    let mut refused = async |request: pb::CreateProcessInstanceRequest, field: &str| {
        let status = client.create_process_instance(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        assert!(status.message().contains(&format!("`{field}`")), "{}", status.message());
    };
    let plain = pb::CreateProcessInstanceRequest {
        bpmn_process_id: "order".into(),
        version: -1,
        ..Default::default()
    };
    for variables in ["[]", "{", "{\"a\":1,\"a\":2}", "7", "{\"a\":nul}"] {
        refused(
            pb::CreateProcessInstanceRequest { variables: variables.into(), ..plain.clone() },
            "variables",
        )
        .await;
    }
    refused(pb::CreateProcessInstanceRequest { tenant_id: "north".into(), ..plain.clone() }, "tenantId")
        .await;
    refused(
        pb::CreateProcessInstanceRequest { operation_reference: Some(0), ..plain.clone() },
        "operationReference",
    )
    .await;
    refused(pb::CreateProcessInstanceRequest { version: -2, ..plain.clone() }, "version").await;
    refused(
        pb::CreateProcessInstanceRequest { process_definition_key: -7, ..plain.clone() },
        "processDefinitionKey",
    )
    .await;

    let mut request = tonic::Request::new(plain);
    request.metadata_mut().insert("idempotency-key", "k".repeat(257).parse().unwrap());
    assert_eq!(client.create_process_instance(request).await.unwrap_err().code(), Code::InvalidArgument);

    let plain = pb::ActivateJobsRequest {
        r#type: "pack".into(),
        worker: "w".into(),
        timeout: 1,
        max_jobs_to_activate: 1,
        ..Default::default()
    };
    let bad = [
        ("type", pb::ActivateJobsRequest { r#type: " ".into(), ..plain.clone() }),
        ("worker", pb::ActivateJobsRequest { worker: String::new(), ..plain.clone() }),
        ("timeout", pb::ActivateJobsRequest { timeout: 0, ..plain.clone() }),
        ("maxJobsToActivate", pb::ActivateJobsRequest { max_jobs_to_activate: 0, ..plain.clone() }),
        (
            "tenantIds",
            pb::ActivateJobsRequest { tenant_ids: vec![String::new(), "north".into()], ..plain.clone() },
        ),
        ("tenantFilter", pb::ActivateJobsRequest { tenant_filter: 9, ..plain }),
    ];
    for (field, request) in bad {
        let status = client.activate_jobs(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(&format!("`{field}`")), "{}", status.message());
    }
    let stream = pb::StreamActivatedJobsRequest { r#type: String::new(), timeout: 1, ..Default::default() };
    assert_eq!(client.stream_activated_jobs(stream).await.unwrap_err().code(), Code::InvalidArgument);
    assert!(server.fake.commands().is_empty(), "nothing of it reached the engine");
}

#[tokio::test]
async fn an_evaluation_tells_its_whole_way() {
    let value = |id: &str| EvaluatedValue { id: id.into(), name: "season".into(), value: "7".into() };
    let evaluation = DecisionEvaluation {
        key: KEY.unsigned_abs(),
        decision: DecisionKey::issue(1, 3),
        id: "dish".into(),
        version: 2,
        output: "\"salad\"".into(),
        evaluated: vec![EvaluatedDecision {
            id: "dish".into(),
            kind: "DECISION_TABLE".into(),
            inputs: vec![value("in")],
            rules: vec![MatchedRule { id: "r2".into(), index: 2, outputs: vec![value("out")] }],
            ..EvaluatedDecision::default()
        }],
        ..DecisionEvaluation::default()
    };
    let server =
        Server::start(Fake::new(move |_| Some(Answer::Reply(Reply::DecisionEvaluated(evaluation.clone())))));
    let mut client = server.client().await;
    let request = pb::EvaluateDecisionRequest { decision_id: "dish".into(), ..Default::default() };
    let answer = client.evaluate_decision(request).await.unwrap().into_inner();
    assert_eq!((&*answer.decision_id, answer.decision_version), ("dish", 2));
    assert_eq!((&*answer.decision_output, answer.decision_evaluation_key), ("\"salad\"", KEY));
    let step = &answer.evaluated_decisions[0];
    assert_eq!(
        (&*step.decision_type, &*step.decision_evaluation_instance_key),
        ("DECISION_TABLE", &*format!("{KEY}-1"))
    );
    assert_eq!((&*step.evaluated_inputs[0].input_id, &*step.evaluated_inputs[0].input_value), ("in", "7"));
    assert_eq!(
        (step.matched_rules[0].rule_index, &*step.matched_rules[0].evaluated_outputs[0].output_id),
        (2, "out")
    );
    let Command::EvaluateDecision(asked) = &server.fake.commands()[0] else { panic!("another command") };
    assert_eq!((&*asked.id, asked.decision), ("dish", None));
}

#[tokio::test]
async fn a_resource_is_deleted_by_its_key() {
    let server = Server::start(Fake::new(|command| match command {
        Command::DeleteResource(delete) => {
            let reply = ResourceDeleted { key: 1, resource: delete.resource };
            Some(Answer::Reply(Reply::ResourceDeleted(reply)))
        }
        _ => None,
    }));
    let mut client = server.client().await;
    let delete = |resource_key| pb::DeleteResourceRequest { resource_key, ..Default::default() };
    let answer = client.delete_resource(delete(KEY)).await.unwrap().into_inner();
    assert_eq!((answer.resource_key, answer.batch_operation), (KEY.to_string(), None));
    let status = client.delete_resource(delete(-1)).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let history = pb::DeleteResourceRequest { delete_history: Some(true), ..delete(KEY) };
    let status = client.delete_resource(history).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unimplemented, "not implemented: deleteHistory"));
}

#[tokio::test]
async fn what_is_not_built_says_so() {
    let server = Server::start(Fake::new(done));
    let mut client = server.client().await;
    macro_rules! unbuilt {
        ($($call:ident($request:expr) => $what:literal),* $(,)?) => {$(
            let status = client.$call($request).await.unwrap_err();
            assert_eq!((status.code(), status.message()), (Code::Unimplemented, concat!("not implemented: ", $what)));
        )*};
    }
    let create = || pb::CreateProcessInstanceRequest { bpmn_process_id: "p".into(), ..Default::default() };
    let complete = || pb::CompleteJobRequest { job_key: KEY, ..Default::default() };
    let activate = || pb::ActivateJobsRequest {
        r#type: "pack".into(),
        worker: "w".into(),
        timeout: 1,
        max_jobs_to_activate: 1,
        ..Default::default()
    };
    unbuilt! {
        modify_process_instance(pb::ModifyProcessInstanceRequest {
            process_instance_key: KEY,
            move_instructions: vec![pb::modify_process_instance_request::MoveInstruction::default()],
            ..Default::default()
        }) => "moveInstructions",
        modify_process_instance(pb::ModifyProcessInstanceRequest {
            process_instance_key: KEY,
            terminate_instructions: vec![pb::modify_process_instance_request::TerminateInstruction {
                element_id: "a".into(), ..Default::default()
            }],
            ..Default::default()
        }) => "terminateInstructions.elementId",
        evaluate_conditional(pb::EvaluateConditionalRequest::default()) => "EvaluateConditional",
        update_job_priority(pb::UpdateJobPriorityRequest::default()) => "UpdateJobPriority",
        assign_process_instance_business_id(pb::AssignProcessInstanceBusinessIdRequest::default())
            => "AssignProcessInstanceBusinessId",
        create_process_instance(pb::CreateProcessInstanceRequest { tags: vec!["a".into()], ..create() }) => "tags",
        create_process_instance(pb::CreateProcessInstanceRequest { business_id: Some("a".into()), ..create() })
            => "businessId",
        complete_job(pb::CompleteJobRequest { lease_token: Some("a".into()), ..complete() }) => "leaseToken",
        complete_job(pb::CompleteJobRequest { business_id: Some("a".into()), ..complete() }) => "businessId",
        complete_job(pb::CompleteJobRequest {
            result: Some(pb::JobResult { denied: Some(true), ..Default::default() }), ..complete()
        }) => "result",
        activate_jobs(pb::ActivateJobsRequest { with_lease: true, ..activate() }) => "withLease",
        activate_jobs(pb::ActivateJobsRequest { tenant_filter: 1, ..activate() }) => "tenantFilter ASSIGNED",
    }
}

#[tokio::test]
async fn nothing_leaves_before_it_is_durable() {
    let server = Server::start(Fake::new(done));
    let mut client = server.client().await;
    server.fake.hold();
    let call = tokio::spawn(async move {
        client.complete_job(pb::CompleteJobRequest { job_key: KEY, ..Default::default() }).await
    });
    server.fake.until("the command", |seen| !seen.requests.is_empty()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!call.is_finished());
    server.fake.release();
    call.await.unwrap().unwrap();
}

#[tokio::test]
async fn command_without_answer_ends_in_time() {
    let config = coreto_grpc::Config { request_timeout: Duration::from_millis(500), ..support::config() };
    let server = Server::start_with(config, Fake::new(|_| None));
    let mut client = server.client().await;
    let status =
        client.complete_job(pb::CompleteJobRequest { job_key: KEY, ..Default::default() }).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn commands_go_to_the_partition_of_their_key() {
    let server = Server::start(Fake::with(3, 1, done));
    let mut client = server.client().await;
    for partition in [3, 1, 2, 9] {
        let job_key = (partition << 51) + 1;
        client.complete_job(pb::CompleteJobRequest { job_key, ..Default::default() }).await.unwrap();
    }
    server.fake.seen(|seen| {
        let partitions: Vec<u32> = seen.requests.iter().map(|(partition, _)| *partition).collect();
        assert_eq!(partitions, [3, 1, 2, 1]);
    });
}

#[tokio::test]
async fn request_over_the_limit_is_refused() {
    let config = coreto_grpc::Config { message_bytes_max: 1000, ..support::config() };
    let server = Server::start_with(config, Fake::new(done));
    let mut client = server.client().await;
    let variables = format!("{{\"a\":\"{}\"}}", "x".repeat(2000));
    let request = pb::CompleteJobRequest { job_key: KEY, variables, ..Default::default() };
    assert_eq!(client.complete_job(request).await.unwrap_err().code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn many_calls_at_once_get_each_its_answer() {
    let server = Server::start(Fake::with(1, 2, |command| match command {
        Command::SetVariables(set) => {
            Some(Answer::Reply(Reply::VariablesSet(VariablesSet { key: set.scope.raw() })))
        }
        _ => None,
    }));
    let mut calls = tokio::task::JoinSet::new();
    for connection in 0..4 {
        let client = server.client().await;
        for number in 0..250 {
            let mut client = client.clone();
            let key = (1 << 51) + connection * 1000 + number;
            calls.spawn(async move {
                let request = pb::SetVariablesRequest { element_instance_key: key, ..Default::default() };
                assert_eq!(client.set_variables(request).await.unwrap().into_inner().key, key);
            });
        }
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
}
