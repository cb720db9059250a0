//! Fields that many calls have: tenants, keys, and names that are kept.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

mod support;

use coreto_protocol::gateway as pb;
use support::{Fake, Server, done};
use tonic::Code;

/// Makes each call, and checks that it is refused with a code and a text that names a field or a command.
macro_rules! refused {
    ($client:ident, $code:ident: $($call:ident($request:expr) names $text:expr),+ $(,)?) => {$(
        let status = $client.$call($request).await.unwrap_err();
        assert_eq!(status.code(), Code::$code, "{}: {}", stringify!($call), status.message());
        let text: &str = $text;
        assert!(status.message().contains(text), "{}: {}", stringify!($call), status.message());
    )+};
}

fn create() -> pb::CreateProcessInstanceRequest {
    pb::CreateProcessInstanceRequest { bpmn_process_id: "order".into(), version: -1, ..Default::default() }
}

fn with_result(request: pb::CreateProcessInstanceRequest) -> pb::CreateProcessInstanceWithResultRequest {
    pb::CreateProcessInstanceWithResultRequest { request: Some(request), ..Default::default() }
}

fn activate() -> pb::ActivateJobsRequest {
    pb::ActivateJobsRequest {
        r#type: "pack".into(),
        worker: "w".into(),
        timeout: 1,
        max_jobs_to_activate: 1,
        ..Default::default()
    }
}

fn stream() -> pb::StreamActivatedJobsRequest {
    pb::StreamActivatedJobsRequest {
        r#type: "pack".into(),
        worker: "w".into(),
        timeout: 1,
        ..Default::default()
    }
}

#[tokio::test]
async fn only_the_default_tenant_is_known() {
    let server = Server::start(Fake::new(done));
    let mut client = server.client().await;
    for tenant in ["north", "default", "<DEFAULT>", " ", "<default> "] {
        let id = || tenant.to_owned();
        refused! { client, InvalidArgument:
            deploy_resource(pb::DeployResourceRequest { tenant_id: id(), ..Default::default() })
                names "`tenantId`",
            create_process_instance(pb::CreateProcessInstanceRequest { tenant_id: id(), ..create() })
                names "`tenantId`",
            create_process_instance_with_result(with_result(pb::CreateProcessInstanceRequest {
                tenant_id: id(), ..create()
            })) names "`tenantId`",
            activate_jobs(pb::ActivateJobsRequest { tenant_ids: vec![id()], ..activate() })
                names "`tenantIds`",
            activate_jobs(pb::ActivateJobsRequest {
                tenant_ids: vec!["<default>".into(), id()], ..activate()
            }) names "`tenantIds`",
            stream_activated_jobs(pb::StreamActivatedJobsRequest { tenant_ids: vec![id()], ..stream() })
                names "`tenantIds`",
        }
    }
    assert!(server.fake.commands().is_empty(), "nothing of it reached the engine");
    assert!(server.fake.seen(|seen| seen.sinks.is_empty()));
}

#[tokio::test]
async fn what_has_no_positive_key_is_not_found() {
    let server = Server::start(Fake::new(done));
    let mut client = server.client().await;
    for key in [0, -1, i64::MIN] {
        refused! { client, NotFound:
            complete_job(pb::CompleteJobRequest { job_key: key, ..Default::default() })
                names "Command 'COMPLETE' rejected with code 'NOT_FOUND': ",
            fail_job(pb::FailJobRequest { job_key: key, ..Default::default() })
                names "Command 'FAIL' rejected",
            throw_error(pb::ThrowErrorRequest { job_key: key, ..Default::default() })
                names "Command 'THROW_ERROR' rejected",
            update_job_retries(pb::UpdateJobRetriesRequest { job_key: key, ..Default::default() })
                names "Command 'UPDATE_RETRIES' rejected",
            update_job_timeout(pb::UpdateJobTimeoutRequest { job_key: key, ..Default::default() })
                names "Command 'UPDATE_TIMEOUT' rejected",
            resolve_incident(pb::ResolveIncidentRequest { incident_key: key, ..Default::default() })
                names "Command 'RESOLVE' rejected",
            cancel_process_instance(pb::CancelProcessInstanceRequest {
                process_instance_key: key, ..Default::default()
            }) names "Command 'CANCEL' rejected",
            modify_process_instance(pb::ModifyProcessInstanceRequest {
                process_instance_key: key, ..Default::default()
            }) names "Command 'MODIFY' rejected",
            migrate_process_instance(pb::MigrateProcessInstanceRequest {
                process_instance_key: key, ..Default::default()
            }) names "Command 'MIGRATE' rejected",
            set_variables(pb::SetVariablesRequest { element_instance_key: key, ..Default::default() })
                names "Command 'UPDATE' rejected",
        }
    }
    refused! { client, InvalidArgument:
        create_process_instance(pb::CreateProcessInstanceRequest { process_definition_key: -2, ..create() })
            names "`processDefinitionKey`",
        create_process_instance_with_result(with_result(pb::CreateProcessInstanceRequest {
            process_definition_key: i64::MIN, ..create()
        })) names "`processDefinitionKey`",
    }
    assert!(server.fake.commands().is_empty(), "nothing of it reached the engine");
}

#[tokio::test]
async fn names_that_are_kept_are_bounded() {
    let server = Server::start(Fake::new(done));
    let mut client = server.client().await;
    let long = || "x".repeat(1025);
    let many = || vec!["x".to_owned(); 1001];
    let large = || vec!["x".repeat(1024); 33];
    for request_timeout in [-1, 5000] {
        let activate = || pb::ActivateJobsRequest { request_timeout, ..activate() };
        refused! { client, InvalidArgument:
            activate_jobs(pb::ActivateJobsRequest { r#type: long(), ..activate() })
                names "`type`: it has 1025 bytes, at most 1024",
            activate_jobs(pb::ActivateJobsRequest { worker: long(), ..activate() })
                names "`worker`: it has 1025 bytes, at most 1024",
            activate_jobs(pb::ActivateJobsRequest { fetch_variable: many(), ..activate() })
                names "`fetchVariable`: 1001 names are listed, at most 1000",
            activate_jobs(pb::ActivateJobsRequest { fetch_variable: large(), ..activate() })
                names "`fetchVariable`: the names have 33792 bytes, at most 32768",
        }
    }
    refused! { client, InvalidArgument:
        stream_activated_jobs(pb::StreamActivatedJobsRequest { r#type: long(), ..stream() })
            names "`type`: it has 1025 bytes, at most 1024",
        stream_activated_jobs(pb::StreamActivatedJobsRequest { worker: long(), ..stream() })
            names "`worker`: it has 1025 bytes, at most 1024",
        stream_activated_jobs(pb::StreamActivatedJobsRequest { fetch_variable: many(), ..stream() })
            names "`fetchVariable`: 1001 names are listed, at most 1000",
        stream_activated_jobs(pb::StreamActivatedJobsRequest { fetch_variable: large(), ..stream() })
            names "`fetchVariable`: the names have 33792 bytes, at most 32768",
        create_process_instance_with_result(pb::CreateProcessInstanceWithResultRequest {
            fetch_variables: many(), ..with_result(create())
        }) names "`fetchVariables`: 1001 names are listed, at most 1000",
        throw_error(pb::ThrowErrorRequest { job_key: 1 << 51, error_code: long(), ..Default::default() })
            names "`errorCode`: it has 1025 bytes, at most 1024",
    }
    assert!(server.fake.commands().is_empty(), "nothing of it reached the engine");
    assert!(server.fake.seen(|seen| seen.sinks.is_empty()), "nothing of it waits");
}
