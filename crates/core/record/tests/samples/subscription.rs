//! Events of what waits for something to happen.

use coreto_record::command::{
    BroadcastSignal, CorrelateMessageSubscription, CorrelateProcessSubscription, OpenMessageSubscription,
    PublishMessage, RejectMessageSubscription, SpreadSignal, Subscribed,
};
use coreto_record::event::{
    InstanceStarted, MessageChanged, MessageIntent, MessageSubscription, MessageSubscriptionIntent,
    ProcessSubscription, ProcessSubscriptionIntent, SignalBroadcasted, SignalSubscription,
    SignalSubscriptionIntent, StartSubscription, StartSubscriptionIntent, TimerChanged, TimerIntent,
};
use coreto_record::{Command, ElementNumber, Event};

use super::event::tenant;
use super::{document, key, late, time};

pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let timer = TimerChanged {
        key: late(),
        to: TimerIntent::Created,
        element_instance: key(9),
        element: ElementNumber(4),
        due: time(),
        repetitions: -1,
        instance: key(7),
        definition: key(1),
        tenant: tenant(),
    };
    let started = InstanceStarted {
        instance: late(),
        definition: key(1),
        tenant: tenant(),
        at: time(),
        ..InstanceStarted::default()
    };
    let called = InstanceStarted { lineage: super::event::lineage(), ..started.clone() };
    vec![
        ("TimerTriggered", Event::Timer(TimerChanged { to: TimerIntent::Triggered, ..timer.clone() })),
        ("Timer", Event::Timer(timer)),
        ("InstanceStarted", Event::InstanceStarted(started)),
        ("InstanceStarted.lineage", Event::InstanceStarted(called)),
    ]
}

/// Events of messages.
pub(crate) fn message_events() -> Vec<(&'static str, Event)> {
    let message = MessageChanged {
        key: late(),
        to: MessageIntent::Published,
        name: "paid".into(),
        correlation_key: "A-1".into(),
        id: "once".into(),
        ttl: 60_000,
        deadline: time(),
        variables: document(),
        tenant: tenant(),
    };
    let message_side = MessageSubscription {
        key: key(20),
        to: MessageSubscriptionIntent::Correlating,
        element_instance: late(),
        name: "paid".into(),
        correlation_key: "A-1".into(),
        process: "order".into(),
        interrupting: true,
        message: key(21),
        variables: document(),
        instance: key(7),
        definition: key(1),
        tenant: tenant(),
        oldest: false,
    };
    let instance_side = ProcessSubscription {
        key: key(22),
        to: ProcessSubscriptionIntent::Correlated,
        element_instance: late(),
        element: ElementNumber(4),
        name: "paid".into(),
        correlation_key: "A-1".into(),
        interrupting: true,
        message: key(21),
        variables: document(),
        instance: key(7),
        definition: key(1),
        tenant: tenant(),
    };
    let start = StartSubscription {
        key: key(23),
        to: StartSubscriptionIntent::Correlated,
        name: "paid".into(),
        definition: key(1),
        process: "order".into(),
        element: ElementNumber(4),
        instance: late(),
        message: key(21),
        correlation_key: "A-1".into(),
        variables: document(),
        tenant: tenant(),
        oldest: false,
    };
    let message_side_oldest = MessageSubscription { oldest: true, ..MessageSubscription::default() };
    let start_oldest = StartSubscription { oldest: true, ..StartSubscription::default() };
    vec![
        ("MessageSubscription.oldest", Event::MessageSubscription(message_side_oldest)),
        ("StartSubscription.oldest", Event::StartSubscription(start_oldest)),
        ("Message", Event::Message(message)),
        ("MessageSubscription", Event::MessageSubscription(message_side)),
        ("ProcessSubscription", Event::ProcessSubscription(instance_side)),
        ("StartSubscription", Event::StartSubscription(start)),
        (
            "SignalBroadcasted",
            Event::SignalBroadcasted(SignalBroadcasted {
                key: late(),
                name: "rain".into(),
                variables: document(),
                tenant: tenant(),
            }),
        ),
        (
            "SignalSubscription",
            Event::SignalSubscription(SignalSubscription {
                key: late(),
                to: SignalSubscriptionIntent::Deleted,
                name: "rain".into(),
                element_instance: key(9),
                element: ElementNumber(4),
                instance: key(7),
                definition: key(1),
                tenant: tenant(),
            }),
        ),
    ]
}

/// Commands about messages.
pub(crate) fn commands() -> Vec<(&'static str, Command)> {
    let subscribed = || Subscribed { element_instance: late(), name: "paid".into() };
    let publish = PublishMessage {
        tenant: tenant(),
        name: "paid".into(),
        correlation_key: "A-1".into(),
        id: "once".into(),
        ttl: -60_000,
        variables: document(),
    };
    let open = OpenMessageSubscription {
        element_instance: late(),
        name: "paid".into(),
        correlation_key: "A-1".into(),
        process: "order".into(),
        interrupting: true,
        instance: key(7),
        definition: key(1),
        tenant: tenant(),
    };
    let correlate = CorrelateProcessSubscription {
        element_instance: late(),
        name: "paid".into(),
        message: key(21),
        variables: document(),
        process: "order".into(),
        correlation_key: "A-1".into(),
        tenant: tenant(),
    };
    let taken = CorrelateMessageSubscription {
        element_instance: late(),
        name: "paid".into(),
        message: key(21),
        interrupting: None,
    };
    let said = CorrelateMessageSubscription { interrupting: Some(false), ..taken.clone() };
    let reject = RejectMessageSubscription {
        element_instance: late(),
        name: "paid".into(),
        message: key(21),
        process: "order".into(),
        correlation_key: "A-1".into(),
        tenant: tenant(),
    };
    vec![
        ("PublishMessage", Command::PublishMessage(publish)),
        (
            "BroadcastSignal",
            Command::BroadcastSignal(BroadcastSignal {
                tenant: tenant(),
                name: "rain".into(),
                variables: document(),
            }),
        ),
        (
            "SpreadSignal",
            Command::SpreadSignal(SpreadSignal {
                tenant: tenant(),
                name: "rain".into(),
                variables: document(),
                until: late(),
                from: key(20),
                starts: true,
            }),
        ),
        ("OpenMessageSubscription", Command::OpenMessageSubscription(open)),
        ("OpenedProcessSubscription", Command::OpenedProcessSubscription(subscribed())),
        ("CorrelateProcessSubscription", Command::CorrelateProcessSubscription(correlate)),
        ("CorrelateMessageSubscription", Command::CorrelateMessageSubscription(taken)),
        ("CorrelateMessageSubscription.interrupting", Command::CorrelateMessageSubscription(said)),
        ("RejectMessageSubscription", Command::RejectMessageSubscription(reject)),
        ("CloseMessageSubscription", Command::CloseMessageSubscription(subscribed())),
        ("ClosedProcessSubscription", Command::ClosedProcessSubscription(subscribed())),
    ]
}
