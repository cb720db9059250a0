//! The claims, in the order in which they are tried.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zeebe_rs::{ActivatedJob, Client, Metadata, SharedState, WorkerError};

use crate::bench::{Bench, Outcome, equal, key, refused, variables};
use crate::claim;

/// Whether all hold.
pub(crate) async fn try_all(bench: &Bench) -> bool {
    let mut all = true;
    all &= claim(bench, "topology names one broker that leads its partitions", topology(bench)).await;
    all &=
        claim(bench, "a model is deployed, and the same model again is no new version", deploy(bench)).await;
    all &= claim(bench, "a broken model is refused", deploy_broken(bench)).await;
    all &=
        claim(bench, "a job has its headers, retries and variables, and is completed once", complete(bench))
            .await;
    all &= claim(bench, "only the variables asked for are fetched", fetch(bench)).await;
    all &=
        claim(bench, "two workers carry an instance to its end, and its result comes back", workers(bench))
            .await;
    all &= claim(bench, "a failed job comes again after its back-off", back_off(bench)).await;
    all &= claim(
        bench,
        "a worker that fails to the last retry raises an incident; more retries and a resolution go on",
        incident(bench),
    )
    .await;
    all &= claim(bench, "a job whose time is cut short comes again", time_out(bench)).await;
    all &=
        claim(bench, "variables can be set in the instance and in one element of it", set_variables(bench))
            .await;
    all &=
        claim(bench, "a message goes to the instance with its key, once for each message id", message(bench))
            .await;
    all &= claim(bench, "a message without a key starts an instance", message_start(bench)).await;
    all &= claim(bench, "a signal goes to all who wait for it", signal(bench)).await;
    all &=
        claim(bench, "a thrown error goes to the boundary event that catches it", throw_error(bench)).await;
    all &= claim(bench, "a token is moved by hand", modify(bench)).await;
    all &= claim(
        bench,
        "a migration without a plan or without a mapping is refused, and the instance goes on",
        migrate(bench),
    )
    .await;
    all &= claim(bench, "a cancelled instance is gone, with its job", cancel(bench)).await;
    all &= claim(bench, "a decision is evaluated by its id and by its key", decision(bench)).await;
    all &= claim(bench, "a deleted definition makes no more instances", delete(bench)).await;
    all
}

async fn topology(bench: &Bench) -> Outcome {
    let found = bench.client.topology().send().await?;
    equal(found.brokers().len(), 1, "brokers")?;
    let partitions = found.brokers()[0].partitions();
    equal(partitions.len() as i32, found.partitions_count(), "partitions of the broker")?;
    equal(partitions.iter().all(|partition| partition.role() == 0), true, "that it leads all")?;
    equal(found.gateway_version().starts_with("8."), true, "that the gateway's version begins with 8")
}

async fn deploy(bench: &Bench) -> Outcome {
    let (key, id, version) = bench.deploy_process("one-task.bpmn").await?;
    equal((id.as_str(), version), ("one-task", 1), "process and version")?;
    equal(bench.deploy_process("one-task.bpmn").await?.0, key, "key of the duplicate")?;
    let request = bench.client.create_process_instance().with_process_definition_key(key).without_input();
    let made = request.send().await?;
    bench.started(made.process_instance_key());
    equal((made.bpmn_process_id(), made.version()), ("one-task", 1), "process and version of an instance")
}

async fn deploy_broken(bench: &Bench) -> Outcome {
    let broken = b"<definitions/>".to_vec();
    let request = bench.client.deploy_resource().with_definition("broken.bpmn".to_owned(), broken);
    equal(refused(request.send().await).as_str(), "InvalidArgument", "status")
}

async fn complete(bench: &Bench) -> Outcome {
    let instance = bench.create("one-task", json!({"order": "A-1"})).await?;
    let job = bench.activate("pack").await?;
    equal((job.process_instance_key(), job.element_id()), (instance, "pack"), "instance and element")?;
    equal((job.retries(), job.worker()), (3, "scenario"), "retries and worker")?;
    equal(job.custom_headers(), r#"{"box":"small"}"#, "headers")?;
    equal(variables(&job)?, json!({"order": "A-1"}), "variables")?;
    // Without variables the client sends `null` for them.
    bench.client.complete_job().with_job_key(job.key()).send().await?;
    let again = bench.client.complete_job().with_job_key(job.key()).send().await;
    equal(refused(again).as_str(), "NotFound", "a second time")
}

async fn fetch(bench: &Bench) -> Outcome {
    bench.create("one-task", json!({"order": "A-1", "amount": 12})).await?;
    let job = bench.activate_with("pack", &["amount"]).await?;
    equal(variables(&job)?, json!({"amount": 12}), "variables")
}

async fn workers(bench: &Bench) -> Outcome {
    bench.deploy_process("two-tasks.bpmn").await?;
    let seen = Arc::new(SharedState(Mutex::new(Value::Null)));
    let worker = || {
        let builder = bench.client.worker().with_request_timeout(Duration::from_secs(5));
        builder
            .with_job_timeout(Duration::from_secs(20))
            .with_max_jobs_to_activate(1)
            .with_concurrency_limit(1)
    };
    let check = worker().with_job_type("check-stock".to_owned()).with_handler(check_stock);
    let pay =
        worker().with_job_type("make-payment".to_owned()).with_state(seen.clone()).with_handler(make_payment);
    let check = check.with_worker_name("stock".to_owned()).build();
    let pay = pay.with_worker_name("payment".to_owned()).build();
    let tasks = [tokio::spawn(check.run()), tokio::spawn(pay.run())];

    let request = bench.client.create_process_instance().with_bpmn_process_id("two-tasks".to_owned());
    let fetched = Some(vec!["reserved".to_owned(), "paid".to_owned()]);
    let request = request.with_variables(json!({"item": "lamp"}))?.with_version(1).with_result(fetched);
    let result = request.send_with_result::<Value>().await;
    tasks.iter().for_each(|task| task.abort());
    equal(result?.data(), &json!({"reserved": "lamp in row 7", "paid": true}), "result")?;
    equal(&*seen.lock().unwrap(), &json!("lamp in row 7"), "what the second worker saw")
}

async fn check_stock(_: Client, job: ActivatedJob) -> Result<Value, WorkerError<Value>> {
    let item: Value = job.data()?;
    Ok(json!({"reserved": format!("{} in row 7", item["item"].as_str().unwrap_or_default())}))
}

async fn make_payment(
    _: Client,
    job: ActivatedJob,
    seen: Arc<SharedState<Mutex<Value>>>,
) -> Result<Value, WorkerError<Value>> {
    let found: Value = job.data()?;
    *seen.lock().unwrap() = found["reserved"].clone();
    Ok(json!({"paid": true}))
}

async fn back_off(bench: &Bench) -> Outcome {
    bench.create("one-task", json!({})).await?;
    let job = bench.activate("pack").await?;
    let failed = Instant::now();
    let request = bench.client.fail_job().with_job_key(job.key()).with_retries(2);
    let request =
        request.with_retry_back_off(Duration::from_millis(300)).with_error_message("wait".to_owned());
    request.with_variables(json!({"tried": 1}))?.send().await?;
    let again = bench.activate("pack").await?;
    equal(failed.elapsed() >= Duration::from_millis(250), true, "that it came after its back-off")?;
    equal((again.key(), again.retries()), (job.key(), 2), "job and retries")?;
    equal(variables(&again)?, json!({"tried": 1}), "variables")
}

async fn incident(bench: &Bench) -> Outcome {
    let instance = bench.create("one-task", json!({})).await?;
    for retries in [3, 2] {
        let job = bench.activate("pack").await?;
        equal(job.retries(), retries, "retries")?;
        bench.client.fail_job().with_job_key(job.key()).with_retries(retries - 1).send().await?;
    }
    let last = async |_, _| Err::<(), WorkerError<()>>(WorkerError::FailJob("shelf is empty".to_owned()));
    let worker = bench.client.worker().with_request_timeout(Duration::from_secs(5));
    let worker = worker.with_job_timeout(Duration::from_secs(20)).with_max_jobs_to_activate(1);
    let worker = worker.with_concurrency_limit(1).with_job_type("pack".to_owned()).with_handler(last);
    let task = tokio::spawn(worker.with_worker_name("last".to_owned()).build().run());
    let found = bench.incident(instance).await;
    task.abort();
    let found = found?;
    equal(&found["errorType"], &json!("JOB_NO_RETRIES"), "type of the incident")?;
    equal(found["errorMessage"].as_str(), Some("shelf is empty"), "its message")?;
    let resolve =
        || bench.client.resolve_incident().with_incident_key(key(&found, "incidentKey").unwrap_or_default());
    equal(refused(resolve().send().await).as_str(), "FailedPrecondition", "without retries")?;
    let job = key(&found, "jobKey")?;
    bench.client.update_job_retries().with_job_key(job).with_retries(1).send().await?;
    resolve().send().await?;
    equal(bench.activate("pack").await?.key(), job, "the job that came again")?;
    equal(refused(resolve().send().await).as_str(), "NotFound", "a second resolution")
}

async fn time_out(bench: &Bench) -> Outcome {
    bench.create("one-task", json!({})).await?;
    let job = bench.activate("pack").await?;
    let request = bench.client.update_job_timeout().with_job_key(job.key());
    request.with_timeout(Duration::from_millis(100)).send().await?;
    equal(bench.activate("pack").await?.key(), job.key(), "the job that came again")
}

async fn set_variables(bench: &Bench) -> Outcome {
    let instance = bench.create("one-task", json!({"amount": 1})).await?;
    let job = bench.activate("pack").await?;
    let set = |scope, variables| {
        bench.client.set_variables().with_element_instance_key(scope).with_variable(variables)
    };
    set(instance, json!({"amount": 2, "note": "late"}))?.send().await?;
    set(job.element_instance_key(), json!({"note": "here"}))?.set_local_scope(true).send().await?;
    let request = bench.client.fail_job().with_job_key(job.key()).with_retries(2);
    request.send().await?;
    equal(
        variables(&bench.activate("pack").await?)?,
        json!({"amount": 2, "note": "here"}),
        "variables of the job",
    )
}

async fn message(bench: &Bench) -> Outcome {
    bench.deploy_process("waits.bpmn").await?;
    bench.create("waits", json!({"order": "A-1"})).await?;
    let other = bench.create("waits", json!({"order": "A-2"})).await?;
    let publish = || {
        let request = bench.client.publish_message().with_name("payment".to_owned());
        let request = request.with_correlation_key("A-2".to_owned()).with_message_id("one".to_owned());
        request.with_time_to_live(Duration::from_secs(60)).with_variables(json!({"paid": 7}))
    };
    publish()?.send().await?;
    let job = bench.activate("ship").await?;
    equal(job.process_instance_key(), other, "instance")?;
    equal(variables(&job)?, json!({"order": "A-2", "paid": 7}), "variables")?;
    equal(refused(publish()?.send().await).as_str(), "AlreadyExists", "the same message again")
}

async fn message_start(bench: &Bench) -> Outcome {
    bench.deploy_process("started.bpmn").await?;
    bench.client.publish_message().with_name("order".to_owned()).without_correlation_key().send().await?;
    let job = bench.activate("accept").await?;
    bench.started(job.process_instance_key());
    equal(job.bpmn_process_id(), "started", "process")
}

async fn signal(bench: &Bench) -> Outcome {
    let mut waiting = BTreeSet::new();
    for order in ["B-1", "B-2"] {
        waiting.insert(bench.create("waits", json!({"order": order})).await?);
    }
    let request = bench.client.broadcast_signal().with_signal_name("alarm".to_owned());
    request.with_variables(json!({"loud": true}))?.send().await?;
    let mut reached = BTreeSet::new();
    for _ in 0..2 {
        let job = bench.activate("ship").await?;
        equal(&variables(&job)?["loud"], &json!(true), "variable")?;
        reached.insert(job.process_instance_key());
    }
    equal(reached, waiting, "instances")
}

async fn throw_error(bench: &Bench) -> Outcome {
    let instance = bench.create("waits", json!({"order": "C-1"})).await?;
    let request = bench.client.publish_message().with_name("payment".to_owned());
    request.with_correlation_key("C-1".to_owned()).send().await?;
    let job = bench.activate("ship").await?;
    let request = bench.client.throw_error().with_job_key(job.key()).with_error_code("BOX".to_owned());
    request.with_error_message("no box".to_owned()).with_variables(json!({"box": 3}))?.send().await?;
    equal(
        bench.activate("repair").await?.process_instance_key(),
        instance,
        "instance of the job after the error",
    )
}

async fn modify(bench: &Bench) -> Outcome {
    let instance = bench.create("two-tasks", json!({})).await?;
    let job = bench.activate("check-stock").await?;
    let request = bench.client.modify_process_instance().with_process_instance_key(instance);
    let request = request.with_activate_instruction("pay".to_owned(), 0);
    let request = request.with_variable_instruction(String::new(), json!({"moved": true}))?.build();
    request.with_terminate_instruction(job.element_instance_key()).send().await?;
    let moved = bench.activate("make-payment").await?;
    equal(variables(&moved)?, json!({"moved": true}), "variables of the other job")?;
    let complete = bench.client.complete_job().with_job_key(job.key()).send().await;
    equal(refused(complete).as_str(), "NotFound", "the job that was left")
}

/// The client can make no mapping instruction, so that a plan that could be carried out is beyond it.
async fn migrate(bench: &Bench) -> Outcome {
    let instance = bench.create("one-task", json!({})).await?;
    let job = bench.activate("pack").await?;
    let target = bench.deploy_process("two-tasks.bpmn").await?.0;
    let request = || bench.client.migrate_process_instance().with_process_instance_key(instance);
    let unplanned = request().without_migration_plan().send().await;
    equal(refused(unplanned).as_str(), "InvalidArgument", "without a plan")?;
    let unmapped = request().with_migration_plan(target, Vec::new()).send().await;
    equal(refused(unmapped).as_str(), "FailedPrecondition", "with a plan that maps nothing")?;
    bench.client.complete_job().with_job_key(job.key()).send().await?;
    Ok(())
}

async fn cancel(bench: &Bench) -> Outcome {
    let instance = bench.create("one-task", json!({})).await?;
    let job = bench.activate("pack").await?;
    let cancel = || bench.client.cancel_process_instance().with_process_instance_key(instance);
    cancel().with_operation_reference(7).send().await?;
    let complete = bench.client.complete_job().with_job_key(job.key()).send().await;
    equal(refused(complete).as_str(), "NotFound", "its job")?;
    equal(refused(cancel().send().await).as_str(), "NotFound", "a second time")
}

async fn decision(bench: &Bench) -> Outcome {
    let by_key = match bench.deploy("discount.dmn").await? {
        Metadata::Decision(decision) => decision.decision_key(),
        other => return Err(format!("no decision but {other:?}").into()),
    };
    for (key, id) in [(0, "discount"), (by_key, "")] {
        let request = bench.client.evaluate_decision().with_decision_key(key).with_decision_id(id.to_owned());
        let found = request.with_variables(json!({"amount": 120}))?.send::<Value>().await?;
        equal(found.decision_output(), &json!(15), "output")?;
        let rules = found.evaluated_decisions()[0].matched_rules();
        let rules: Vec<_> = rules.iter().map(|rule| rule.rule_id()).collect();
        equal(rules, vec!["large"], "rules")?;
    }
    Ok(())
}

async fn delete(bench: &Bench) -> Outcome {
    let key = bench.deploy_process("waits.bpmn").await?.0;
    let delete = || bench.client.delete_resource().with_resource_key(key);
    delete().send().await?;
    let create = bench.client.create_process_instance().with_bpmn_process_id("waits".to_owned());
    equal(refused(create.without_input().send().await).as_str(), "NotFound", "creation")?;
    equal(refused(delete().send().await).as_str(), "NotFound", "a second time")
}
