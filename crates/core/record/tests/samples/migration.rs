//! Process instances that move to another definition.

use coreto_record::command::{ElementMapping, MigrateInstance, MigrateMessageSubscription, Subscribed};
use coreto_record::event::{
    ElementChanged, ElementMigrated, IncidentRecord, JobChanged, JobIntent, MessageSubscription,
    MessageSubscriptionIntent, ProcessSubscription, ProcessSubscriptionIntent, SignalSubscription,
    SignalSubscriptionIntent, TimerChanged, TimerIntent, VariableSet,
};
use coreto_record::{Command, ElementNumber, Event, Lifecycle};

use super::{key, late};

fn migrate() -> MigrateInstance {
    let mapping = ElementMapping { source: "charge".into(), target: "bill".into() };
    MigrateInstance { instance: late(), target: key(8), mappings: vec![mapping, ElementMapping::default()] }
}

pub(super) fn commands() -> Vec<(&'static str, Command)> {
    let subscription = MigrateMessageSubscription {
        element_instance: late(),
        name: "paid".into(),
        process: "order".into(),
        interrupting: true,
        definition: key(8),
    };
    let subscribed = Subscribed { element_instance: late(), name: "paid".into() };
    vec![
        ("MigrateInstance", Command::MigrateInstance(migrate())),
        ("MigrateMessageSubscription", Command::MigrateMessageSubscription(subscription)),
        ("MigratedProcessSubscription", Command::MigratedProcessSubscription(subscribed)),
    ]
}

pub(super) fn events() -> Vec<(&'static str, Event)> {
    let element = ElementChanged {
        key: late(),
        to: Lifecycle::Activated,
        element: ElementNumber(3),
        instance: key(7),
        definition: key(8),
        lineage: super::event::lineage(),
        ..ElementChanged::default()
    };
    let migrated = ElementMigrated { element, interrupted_by: ElementNumber(5) };
    let variable = VariableSet { key: late(), name: "a".into(), value: "1".into(), ..VariableSet::default() };
    let job = JobChanged { key: late(), to: JobIntent::Migrated, ..JobChanged::default() };
    let timer = TimerChanged { key: late(), to: TimerIntent::Migrated, ..TimerChanged::default() };
    let signal = SignalSubscriptionIntent::Migrated;
    let on_message = MessageSubscriptionIntent::Migrated;
    let on_instance = |to| ProcessSubscription { key: late(), to, ..ProcessSubscription::default() };
    vec![
        ("ElementMigrated", Event::ElementMigrated(migrated.clone())),
        ("AncestorMigrated", Event::AncestorMigrated(migrated)),
        ("VariableMigrated", Event::VariableMigrated(variable)),
        (
            "IncidentMigrated",
            Event::IncidentMigrated(IncidentRecord { key: late(), ..IncidentRecord::default() }),
        ),
        ("InstanceMigrated", Event::InstanceMigrated(migrate())),
        ("Job/Migrated", Event::Job(job)),
        ("Timer/Migrated", Event::Timer(timer)),
        (
            "SignalSubscription/Migrated",
            Event::SignalSubscription(SignalSubscription {
                key: late(),
                to: signal,
                ..SignalSubscription::default()
            }),
        ),
        (
            "MessageSubscription/Migrated",
            Event::MessageSubscription(MessageSubscription {
                key: late(),
                to: on_message,
                ..MessageSubscription::default()
            }),
        ),
        (
            "ProcessSubscription/Migrating",
            Event::ProcessSubscription(on_instance(ProcessSubscriptionIntent::Migrating)),
        ),
        (
            "ProcessSubscription/Migrated",
            Event::ProcessSubscription(on_instance(ProcessSubscriptionIntent::Migrated)),
        ),
    ]
}
