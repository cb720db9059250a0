//! Commands.

use coreto_machine::Tenant;
use coreto_record::Command;
use coreto_record::ElementNumber;
use coreto_record::command::{
    ActivateChildren, ActivateElement, ActivateJobs, Activation, AwaitResult, CancelInstance,
    CompleteElement, CompleteJob, ContinueTermination, CreateInstance, Deploy, EndsAfter, EvaluateDecision,
    FailJob, ModifyInstance, PinClock, ResolveIncident, Resource, ScopedVariables, SetVariables,
    TerminateChildren, TerminateElement, ThrowError, UpdateJobRetries, UpdateJobTimeout, YieldJob,
};

use super::{document, key, late, time};

/// One command of each variant; variants with an option come twice.
pub(crate) fn commands() -> Vec<(&'static str, Command)> {
    let mut commands = of_clients();
    commands.extend(of_jobs());
    commands.extend(of_decisions());
    commands.extend(of_the_engine());
    commands.extend(super::distribution::commands());
    commands.extend(super::migration::commands());
    commands.extend(super::deletion::commands());
    commands.extend(super::subscription::commands());
    commands
}

fn of_clients() -> Vec<(&'static str, Command)> {
    let tenant = Tenant::from_raw(3);
    vec![
        (
            "Deploy",
            Command::Deploy(Deploy {
                tenant,
                resources: vec![
                    Resource { name: "a.bpmn".into(), content: b"<a/>".as_slice().into() },
                    Resource { name: "b.bpmn".into(), content: b"\0\xff".as_slice().into() },
                ],
            }),
        ),
        (
            "CreateInstance",
            Command::CreateInstance(CreateInstance {
                tenant,
                definition: Some(key(1)),
                process: "order".into(),
                version: Some(2),
                variables: document(),
                await_result: Some(AwaitResult { fetch: vec!["a".into(), "b".into()] }),
                starts: Vec::new(),
                ends_after: None,
            }),
        ),
        (
            "CreateInstance.ends_after",
            Command::CreateInstance(CreateInstance {
                ends_after: Some(Box::new(ends_after())),
                ..CreateInstance::default()
            }),
        ),
        (
            "CreateInstance.starts",
            Command::CreateInstance(CreateInstance {
                starts: vec!["pack".into(), "send".into()],
                ..CreateInstance::default()
            }),
        ),
        ("CreateInstance/default", Command::CreateInstance(CreateInstance::default())),
        ("CancelInstance", Command::CancelInstance(CancelInstance { instance: late() })),
        (
            "SetVariables",
            Command::SetVariables(SetVariables { scope: key(300), variables: document(), local: true }),
        ),
        ("ResolveIncident", Command::ResolveIncident(ResolveIncident { incident: key(12) })),
        ("PinClock", Command::PinClock(PinClock { at: time() })),
        ("ResetClock", Command::ResetClock(())),
    ]
}

fn of_jobs() -> Vec<(&'static str, Command)> {
    vec![
        (
            "ActivateJobs",
            Command::ActivateJobs(ActivateJobs {
                job_type: "pack".into(),
                worker: "w-1".into(),
                timeout: 60_000,
                max: 32,
                fetch: vec!["order".into()],
                tenants: vec![Tenant::DEFAULT, Tenant::from_raw(3)],
                poll: 77,
            }),
        ),
        ("CompleteJob", Command::CompleteJob(CompleteJob { job: key(9), variables: document() })),
        (
            "FailJob",
            Command::FailJob(FailJob {
                job: key(9),
                retries: -1,
                backoff: 1500,
                message: "out of stock".into(),
                variables: document(),
            }),
        ),
        (
            "ThrowError",
            Command::ThrowError(ThrowError {
                job: key(9),
                code: "E-1".into(),
                message: "broken".into(),
                variables: document(),
            }),
        ),
        ("UpdateJobRetries", Command::UpdateJobRetries(UpdateJobRetries { job: key(9), retries: 3 })),
        ("UpdateJobTimeout", Command::UpdateJobTimeout(UpdateJobTimeout { job: key(9), timeout: -5 })),
        ("YieldJob", Command::YieldJob(YieldJob { job: key(9), deadline: time() })),
    ]
}

fn of_decisions() -> Vec<(&'static str, Command)> {
    let by_id = EvaluateDecision {
        tenant: Tenant::from_raw(3),
        decision: None,
        id: "dish".into(),
        variables: document(),
    };
    let by_key = EvaluateDecision { decision: Some(key(2)), id: "".into(), ..by_id.clone() };
    vec![
        ("EvaluateDecision", Command::EvaluateDecision(by_id)),
        ("EvaluateDecision/key", Command::EvaluateDecision(by_key)),
    ]
}

pub(super) fn ends_after() -> EndsAfter {
    EndsAfter { elements: vec!["pack".into(), "send".into()] }
}

pub(super) fn modification() -> ModifyInstance {
    let given = ScopedVariables { scope: "box".into(), variables: document() };
    let activation = Activation { element: "pack".into(), ancestor: Some(key(8)), variables: vec![given] };
    ModifyInstance {
        instance: key(4),
        activate: vec![activation, Activation::default()],
        terminate: vec![key(9)],
    }
}

fn of_the_engine() -> Vec<(&'static str, Command)> {
    vec![
        ("ModifyInstance", Command::ModifyInstance(modification())),
        (
            "ActivateElement.beside",
            Command::ActivateElement(ActivateElement { beside: true, ..ActivateElement::default() }),
        ),
        (
            "ActivateElement.begins",
            Command::ActivateElement(ActivateElement { begins: true, ..ActivateElement::default() }),
        ),
        (
            "ActivateElement",
            Command::ActivateElement(ActivateElement {
                instance: key(2),
                scope: key(2),
                element: ElementNumber(5),
                key: key(8),
                ..ActivateElement::default()
            }),
        ),
        (
            "ActivateElement.loop_counter",
            Command::ActivateElement(ActivateElement { loop_counter: 300, ..ActivateElement::default() }),
        ),
        ("ActivateChildren", Command::ActivateChildren(ActivateChildren { scope: key(2), from: 51 })),
        ("CompleteElement", Command::CompleteElement(CompleteElement { key: key(8) })),
        ("ContinueTermination", Command::ContinueTermination(ContinueTermination { key: key(8) })),
        ("TerminateElement", Command::TerminateElement(TerminateElement { key: key(8) })),
        ("TerminateChildren", Command::TerminateChildren(TerminateChildren { scope: key(2), from: key(60) })),
        ("Tick", Command::Tick(())),
    ]
}

/// Does not compile when a command is new, so that it gets its sample above.
#[expect(dead_code, reason = "it is there to be compiled")]
const fn all_have_a_sample(command: &Command) {
    match command {
        Command::Deploy(_)
        | Command::CreateInstance(_)
        | Command::CancelInstance(_)
        | Command::ModifyInstance(_)
        | Command::MigrateInstance(_)
        | Command::MigrateMessageSubscription(_)
        | Command::MigratedProcessSubscription(_)
        | Command::SetVariables(_)
        | Command::ActivateJobs(_)
        | Command::CompleteJob(_)
        | Command::FailJob(_)
        | Command::ThrowError(_)
        | Command::UpdateJobRetries(_)
        | Command::UpdateJobTimeout(_)
        | Command::ResolveIncident(_)
        | Command::EvaluateDecision(_)
        | Command::PinClock(_)
        | Command::ResetClock(())
        | Command::YieldJob(_)
        | Command::ActivateElement(_)
        | Command::CompleteElement(_)
        | Command::TerminateElement(_)
        | Command::ContinueTermination(_)
        | Command::TerminateChildren(_)
        | Command::ActivateChildren(_)
        | Command::Tick(())
        | Command::Distribute(_)
        | Command::TakeDeployment(_)
        | Command::AcknowledgeDistribution(_)
        | Command::PublishMessage(_)
        | Command::DeleteResource(_)
        | Command::TakeDeletion(_)
        | Command::CountInstances(_)
        | Command::BroadcastSignal(_)
        | Command::SpreadSignal(_)
        | Command::OpenMessageSubscription(_)
        | Command::OpenedProcessSubscription(_)
        | Command::CorrelateProcessSubscription(_)
        | Command::CorrelateMessageSubscription(_)
        | Command::RejectMessageSubscription(_)
        | Command::CloseMessageSubscription(_)
        | Command::ClosedProcessSubscription(_) => (),
    }
}
