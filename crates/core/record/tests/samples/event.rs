//! Events.

use coreto_machine::{Tenant, Token};
use coreto_record::event::{
    ClockPinned, DeploymentCreated, ElementChanged, FlowTaken, IncidentRecord, InstanceBanned,
    InstanceCreated, JobChanged, JobIntent, JobTaken, JobsActivated, Lineage, LoopBegun, LoopStep,
    OutputCollected, ProcessCreated, ProcessEvent, ResultAwaited, TriggerEffect, VariableSet,
    VariablesUpdated,
};
use coreto_record::{DeployedProcess, ElementNumber, Event, IncidentKind, Lifecycle};

use super::{document, key, late, time};

/// One event of each variant; variants with options come twice.
pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let mut events = of_definitions_and_instances();
    events.extend(of_elements());
    events.extend(of_jobs());
    events.extend(of_incidents_and_the_clock());
    events.extend(super::decision::events());
    events.extend(super::subscription::events());
    events.extend(super::distribution::events());
    events.extend(super::deletion::events());
    events.extend(super::migration::events());
    events.extend(super::subscription::message_events());
    events
}

pub(super) fn tenant() -> Tenant {
    Tenant::from_raw(3)
}

/// Two calls, and a scope in the process that was called last.
pub(super) fn lineage() -> Lineage {
    Lineage::default()
        .within(key(20))
        .called(key(4), key(1), ElementNumber(5), key(21))
        .called(late(), key(2), ElementNumber(6), key(22))
        .within(key(23))
}

fn of_definitions_and_instances() -> Vec<(&'static str, Event)> {
    let process = DeployedProcess {
        key: key(1),
        id: "order".into(),
        version: 2,
        resource_name: "order.bpmn".into(),
        duplicate: true,
        checksum: [7; 16],
        version_tag: "v1".into(),
    };
    let instance = InstanceCreated {
        key: 2_251_799_813_685_260,
        instance: late(),
        definition: key(1),
        tenant: tenant(),
        variables: document(),
        ..InstanceCreated::default()
    };
    vec![
        (
            "DeploymentCreated",
            Event::DeploymentCreated(DeploymentCreated {
                key: key(3),
                tenant: tenant(),
                processes: vec![process, DeployedProcess::default()],
                ..DeploymentCreated::default()
            }),
        ),
        (
            "ProcessCreated",
            Event::ProcessCreated(ProcessCreated {
                key: key(1),
                tenant: tenant(),
                id: "order".into(),
                version: 2,
                version_tag: "v1".into(),
                resource_name: "order.bpmn".into(),
                resource: b"<definitions/>".as_slice().into(),
                checksum: [9; 16],
                deployment: key(3),
            }),
        ),
        ("InstanceCreated", Event::InstanceCreated(instance.clone())),
        (
            "InstanceCreated.starts",
            Event::InstanceCreated(InstanceCreated {
                key: 9,
                starts: vec!["pack".into(), "send".into()],
                ..InstanceCreated::default()
            }),
        ),
        (
            "InstanceCreated.ends_after",
            Event::InstanceCreated(InstanceCreated {
                key: 9,
                ends_after: Some(Box::new(super::command::ends_after())),
                ..InstanceCreated::default()
            }),
        ),
        ("InstanceCreated/at", Event::InstanceCreated(InstanceCreated { at: time(), ..instance })),
        (
            "ResultAwaited",
            Event::ResultAwaited(ResultAwaited {
                instance: key(4),
                token: Token::from_raw(1 << 40 | 5),
                fetch: vec!["a".into()],
            }),
        ),
    ]
}

fn of_elements() -> Vec<(&'static str, Event)> {
    let changed = |to| {
        Event::Element(ElementChanged {
            key: key(8),
            to,
            element: ElementNumber(5),
            scope: key(4),
            instance: key(4),
            definition: key(1),
            tenant: tenant(),
            takes_token: to == Lifecycle::Activating,
            ..ElementChanged::default()
        })
    };
    let taken = FlowTaken {
        key: key(7),
        element: ElementNumber(3),
        scope: key(4),
        instance: key(4),
        definition: key(1),
        tenant: tenant(),
        ..FlowTaken::default()
    };
    let triggered = ProcessEvent {
        key: 2_251_799_813_685_261,
        scope: key(8),
        element: ElementNumber(5),
        instance: key(4),
        definition: key(1),
        tenant: tenant(),
        variables: document(),
        ..ProcessEvent::default()
    };
    let set = VariableSet {
        key: key(11),
        scope: key(8),
        name: "order".into(),
        value: r#"{"n":1.50}"#.into(),
        instance: key(4),
        definition: key(1),
        tenant: tenant(),
    };
    vec![
        ("Element/Activating", changed(Lifecycle::Activating)),
        ("Element/Activated", changed(Lifecycle::Activated)),
        ("Element/Completing", changed(Lifecycle::Completing)),
        ("Element/Completed", changed(Lifecycle::Completed)),
        ("Element/Terminating", changed(Lifecycle::Terminating)),
        ("Element/Terminated", changed(Lifecycle::Terminated)),
        ("FlowTaken", Event::FlowTaken(taken.clone())),
        ("FlowTaken.joins", Event::FlowTaken(FlowTaken { joins: ElementNumber(6), ..taken.clone() })),
        ("FlowTaken.lineage", Event::FlowTaken(FlowTaken { lineage: lineage(), ..taken })),
        (
            "Element.loop_counter",
            Event::Element(ElementChanged { key: key(8), loop_counter: 300, ..ElementChanged::default() }),
        ),
        ("Element.begins", Event::Element(ElementChanged { begins: true, ..ElementChanged::default() })),
        ("InstanceModified", Event::InstanceModified(super::command::modification())),
        ("LoopBegun", Event::LoopBegun(LoopBegun { key: key(8), items: r#"[1,"a"]"#.into(), total: 2 })),
        ("LoopFulfilled", Event::LoopFulfilled(LoopStep { key: key(8) })),
        (
            "OutputCollected",
            Event::OutputCollected(OutputCollected { key: key(8), number: 2, value: "null".into() }),
        ),
        (
            "Element.lineage",
            Event::Element(ElementChanged { key: key(8), lineage: lineage(), ..ElementChanged::default() }),
        ),
        (
            "Element.joins",
            Event::Element(ElementChanged {
                key: key(8),
                to: Lifecycle::Activating,
                element: ElementNumber(6),
                scope: key(4),
                takes_token: true,
                joins: true,
                ..ElementChanged::default()
            }),
        ),
        (
            "Element.interrupts",
            Event::Element(ElementChanged {
                key: key(8),
                to: Lifecycle::Completed,
                element: ElementNumber(6),
                scope: key(4),
                interrupts: true,
                ..ElementChanged::default()
            }),
        ),
        (
            "ProcessEventTriggering.leaves",
            Event::ProcessEventTriggering(ProcessEvent {
                effect: TriggerEffect::Leaves,
                target: key(9),
                entered: ElementNumber(7),
                ..triggered.clone()
            }),
        ),
        ("VariableCreated", Event::VariableCreated(set.clone())),
        ("VariableUpdated", Event::VariableUpdated(set)),
        (
            "VariablesUpdated",
            Event::VariablesUpdated(VariablesUpdated {
                key: 2_251_799_813_685_262,
                scope: key(8),
                local: true,
                variables: document(),
                instance: key(4),
                tenant: tenant(),
            }),
        ),
        ("ProcessEventTriggering", Event::ProcessEventTriggering(triggered.clone())),
        ("ProcessEventTriggered", Event::ProcessEventTriggered(triggered)),
    ]
}

fn of_jobs() -> Vec<(&'static str, Event)> {
    let full = JobChanged {
        key: key(9),
        to: JobIntent::Failed,
        job_type: "pack".into(),
        worker: "w-1".into(),
        retries: -1,
        deadline: Some(time()),
        element_instance: key(8),
        element: ElementNumber(5),
        instance: key(4),
        definition: key(1),
        tenant: tenant(),
        variables: document(),
        error_message: "out of stock".into(),
        error_code: "E-1".into(),
        backoff: 1500,
        recurs_at: Some(time()),
        incident: true,
    };
    let short = |to| Event::Job(JobChanged { key: key(9), to, ..JobChanged::default() });
    vec![
        ("Job", Event::Job(full)),
        ("Job/Created", short(JobIntent::Created)),
        ("Job/Completed", short(JobIntent::Completed)),
        ("Job/TimedOut", short(JobIntent::TimedOut)),
        ("Job/Failed", short(JobIntent::Failed)),
        ("Job/RetriesUpdated", short(JobIntent::RetriesUpdated)),
        ("Job/Canceled", short(JobIntent::Canceled)),
        ("Job/ErrorThrown", short(JobIntent::ErrorThrown)),
        ("Job/RecurredAfterBackoff", short(JobIntent::RecurredAfterBackoff)),
        ("Job/Yielded", short(JobIntent::Yielded)),
        ("Job/TimeoutUpdated", short(JobIntent::TimeoutUpdated)),
        (
            "JobsActivated",
            Event::JobsActivated(JobsActivated {
                key: 2_251_799_813_685_263,
                job_type: "pack".into(),
                worker: "w-1".into(),
                timeout: 60_000,
                deadline: time(),
                max: 32,
                truncated: true,
                jobs: vec![
                    JobTaken {
                        key: key(9),
                        retries: 3,
                        element_instance: key(8),
                        element: ElementNumber(5),
                        instance: key(4),
                        definition: key(1),
                        tenant: tenant(),
                    },
                    JobTaken::default(),
                ],
            }),
        ),
    ]
}

fn of_incidents_and_the_clock() -> Vec<(&'static str, Event)> {
    let full = IncidentRecord {
        key: key(12),
        kind: IncidentKind::JobNoRetries,
        message: "out of stock".into(),
        element_instance: key(8),
        element: ElementNumber(5),
        job: Some(key(9)),
        variable_scope: key(8),
        instance: key(4),
        definition: key(1),
        tenant: tenant(),
        ..IncidentRecord::default()
    };
    let without_job = IncidentRecord { job: None, kind: IncidentKind::FormNotFound, ..full.clone() };
    vec![
        ("IncidentCreated", Event::IncidentCreated(full.clone())),
        ("IncidentCreated/no-job", Event::IncidentCreated(without_job)),
        ("IncidentCreated/at", Event::IncidentCreated(IncidentRecord { at: time(), ..full.clone() })),
        (
            "IncidentCreated/lineage",
            Event::IncidentCreated(IncidentRecord { lineage: lineage(), ..full.clone() }),
        ),
        ("IncidentResolved", Event::IncidentResolved(full)),
        (
            "InstanceBanned",
            Event::InstanceBanned(InstanceBanned { instance: key(4), message: "an assertion failed".into() }),
        ),
        ("ClockPinned", Event::ClockPinned(ClockPinned { at: time() })),
        ("ClockReset", Event::ClockReset(())),
    ]
}

/// Does not compile when an event is new, so that it gets its sample above.
#[expect(dead_code, reason = "it is there to be compiled")]
const fn all_have_a_sample(event: &Event) {
    match event {
        Event::DeploymentCreated(_)
        | Event::ProcessCreated(_)
        | Event::InstanceCreated(_)
        | Event::ResultAwaited(_)
        | Event::Element(_)
        | Event::FlowTaken(_)
        | Event::VariableCreated(_)
        | Event::VariableUpdated(_)
        | Event::VariablesUpdated(_)
        | Event::Job(_)
        | Event::JobsActivated(_)
        | Event::ProcessEventTriggering(_)
        | Event::ProcessEventTriggered(_)
        | Event::IncidentCreated(_)
        | Event::IncidentResolved(_)
        | Event::InstanceBanned(_)
        | Event::ClockPinned(_)
        | Event::ClockReset(())
        | Event::RequirementsCreated(_)
        | Event::DecisionCreated(_)
        | Event::DecisionEvaluated(_)
        | Event::DecisionFailed(_)
        | Event::Timer(_)
        | Event::InstanceStarted(_)
        | Event::LoopBegun(_)
        | Event::InstanceModified(_)
        | Event::ElementMigrated(_)
        | Event::AncestorMigrated(_)
        | Event::VariableMigrated(_)
        | Event::IncidentMigrated(_)
        | Event::InstanceMigrated(_)
        | Event::LoopFulfilled(_)
        | Event::OutputCollected(_)
        | Event::DistributionStarted(_)
        | Event::DistributionSent(_)
        | Event::DistributionAcknowledged(_)
        | Event::DistributionFinished(_)
        | Event::DistributionAnswered(_)
        | Event::DeploymentTaken(_)
        | Event::Message(_)
        | Event::ResourceDeleting(_)
        | Event::ResourceDeleted(_)
        | Event::ProcessDeleting(_)
        | Event::ProcessDeleted(_)
        | Event::InstancesCounted(_)
        | Event::DecisionDeleted(_)
        | Event::RequirementsDeleted(_)
        | Event::DeletionTaken(_)
        | Event::SignalBroadcasted(_)
        | Event::SignalSubscription(_)
        | Event::MessageSubscription(_)
        | Event::ProcessSubscription(_)
        | Event::StartSubscription(_) => (),
    }
}
