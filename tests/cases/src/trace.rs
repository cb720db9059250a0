//! How a trace is written: one line a record, answer or pushed job.
//!
//! `C` a command that was handled · `E` an event · `R` a rejection · `A` an answer · `P` a job that was pushed.

use std::fmt::Write;

use coreto_engine::Engine;
use coreto_machine::Timestamp;
use coreto_partition::{Answer, Body, Record};
use coreto_record::event::{
    DecisionEvaluation, DistributionStep, JobChanged, JobIntent, MessageChanged, MessageIntent,
    StartSubscriptionIntent, TimerChanged, TimerIntent,
};
use coreto_record::protocol::ValueType;
use coreto_record::{
    ActivatedJob, DeployedDecision, DeployedProcess, DeployedRequirements, ElementInstanceKey, Event, JobKey,
    Key, ProcessDefinitionKey, Rejection, Reply,
};

use crate::ground::BEGIN;
use crate::names::Names;

/// Which lines a trace has, and how much they say.
#[derive(Clone, Debug, Default)]
pub struct Voice {
    /// Whether anything is written.
    pub loud: bool,
    /// The letters and value types to write; empty means all.
    pub only: Vec<String>,
    /// Whether sentences for people are written too.
    pub sentences: bool,
}

impl Voice {
    /// Whether a line with this letter and, for a record, this value type is written.
    pub fn says(&self, letter: &str, value_type: &str) -> bool {
        self.loud && (self.only.is_empty() || self.only.iter().any(|it| it == letter || it == value_type))
    }
}

/// The line of a record, if the voice has it.
pub fn record(record: &Record<Engine>, names: &Names, voice: &Voice) -> Option<String> {
    match &record.body {
        Body::Command(handled) => {
            let value_type = ValueType::from_number(handled.value_type)?;
            let key = JobKey::from_raw(handled.key);
            let subject = if handled.key == 0 { String::new() } else { format!(" {}", names.name(key)) };
            let intent = value_type.intent_name(handled.intent).unwrap_or("?");
            voice.says("C", value_type.name()).then(|| format!("C {} {intent}{subject}", value_type.name()))
        }
        Body::Event(event) => {
            let (value_type, rest) = written(event, names, voice);
            voice.says("E", value_type).then(|| format!("E {value_type} {rest}"))
        }
        Body::Rejection { command, rejection } => {
            let (value_type, intent, key) = command.describe();
            let intent = value_type.intent_name(intent).unwrap_or("?");
            let subject = match key {
                0 => String::new(),
                key => format!(" {}", names.name(JobKey::from_raw(key))),
            };
            let why = why(rejection, names, voice);
            voice
                .says("R", value_type.name())
                .then(|| format!("R {} {intent}{subject} {why}", value_type.name()))
        }
    }
}

/// A rejection's kind, and its sentence where those are wanted.
fn why(rejection: &Rejection, names: &Names, voice: &Voice) -> String {
    let kind = rejection.kind.name();
    if voice.sentences {
        format!("{kind}: {}", names.in_text(&rejection.reason).replace('\n', "\n  "))
    } else {
        kind.to_owned()
    }
}

/// The name of what a deletion is about.
fn named(resource: u64, names: &Names) -> &str {
    names.name(ProcessDefinitionKey::from_raw(resource))
}

/// An event's value type, and what is told of it.
fn written(event: &Event, names: &Names, voice: &Voice) -> (&'static str, String) {
    match event {
        Event::DeploymentCreated(it) => (
            "DEPLOYMENT",
            format!("CREATED {}", deployed(&it.processes, &it.requirements, &it.decisions, names)),
        ),
        Event::ProcessCreated(it) => {
            let tag =
                if it.version_tag.is_empty() { String::new() } else { format!(" tag={}", it.version_tag) };
            ("PROCESS", format!("CREATED {} {} v{}{tag}", names.name(it.key), it.resource_name, it.version))
        }
        Event::InstanceCreated(it) => {
            let rest = format!("CREATED {} of {}", names.name(it.instance), names.name(it.definition));
            ("PROCESS_INSTANCE_CREATION", rest)
        }
        Event::InstanceStarted(it) => {
            ("INSTANCE", format!("STARTED {} of {}", names.name(it.instance), names.name(it.definition)))
        }
        Event::Timer(it) => ("TIMER", timer(it, names)),
        Event::ResourceDeleting(it) => {
            ("RESOURCE_DELETION", format!("DELETING {}", named(it.resource, names)))
        }
        Event::ResourceDeleted(it) => ("RESOURCE_DELETION", format!("DELETED {}", named(it.resource, names))),
        Event::ProcessDeleting(it) => ("PROCESS", format!("DELETING {}", names.name(it.definition))),
        Event::ProcessDeleted(it) => ("PROCESS", format!("DELETED {}", names.name(it.definition))),
        Event::InstancesCounted(it) => {
            ("INSTANCES", format!("COUNTED {} of {}", it.running, names.name(it.definition)))
        }
        Event::DecisionDeleted(it) => ("DECISION", format!("DELETED {}", names.name(it.key))),
        Event::RequirementsDeleted(it) => {
            ("DECISION_REQUIREMENTS", format!("DELETED {}", names.name(it.requirements)))
        }
        Event::DeletionTaken(it) => ("RESOURCE_DELETION", format!("TAKEN {}", named(it.resource, names))),
        Event::SignalBroadcasted(it) => {
            ("SIGNAL", format!("BROADCASTED `{}` {}", it.name, shown(it.variables.as_str())))
        }
        Event::SignalSubscription(it) => {
            let of = if it.element_instance.is_unset() {
                format!(" for {}", names.name(it.definition))
            } else {
                at(it.element_instance, names)
            };
            subscription(ValueType::SignalSubscription, it.to as u32, &format!("`{}`{of}", it.name))
        }
        Event::Message(it) => ("MESSAGE", message(it, names)),
        Event::MessageSubscription(it) => {
            let of = topic(&it.name, &it.correlation_key) + &at(it.element_instance, names);
            subscription(ValueType::MessageSubscription, it.to as u32, &of)
        }
        Event::ProcessSubscription(it) => {
            let of = topic(&it.name, &it.correlation_key) + &at(it.element_instance, names);
            subscription(ValueType::ProcessMessageSubscription, it.to as u32, &of)
        }
        Event::StartSubscription(it) => {
            let of = match it.to {
                StartSubscriptionIntent::Correlated => {
                    let of = topic(&it.name, &it.correlation_key);
                    format!("{of} starts {}", names.name(it.instance))
                }
                StartSubscriptionIntent::Created | StartSubscriptionIntent::Deleted => {
                    format!("`{}` for {}", it.name, names.name(it.definition))
                }
            };
            subscription(ValueType::MessageStartEventSubscription, it.to as u32, &of)
        }
        Event::InstanceModified(it) => {
            ("PROCESS_INSTANCE_MODIFICATION", format!("MODIFIED {}", names.name(it.instance)))
        }
        Event::ElementMigrated(it) => {
            let (what, moved) = (names.name(it.element.key), &it.element);
            let to = names.element_id(moved.definition, moved.element);
            (
                "PROCESS_INSTANCE",
                format!("ELEMENT_MIGRATED {what} to {to} of {}", names.name(moved.definition)),
            )
        }
        Event::AncestorMigrated(it) => {
            ("PROCESS_INSTANCE", format!("ANCESTOR_MIGRATED {}", names.name(it.element.key)))
        }
        Event::VariableMigrated(it) => {
            ("VARIABLE", format!("MIGRATED {}.{} = {}", names.name(it.scope), it.name, shown(&it.value)))
        }
        Event::IncidentMigrated(it) => ("INCIDENT", format!("MIGRATED {}", names.name(it.key))),
        Event::InstanceMigrated(it) => {
            let to = names.name(it.target);
            ("PROCESS_INSTANCE_MIGRATION", format!("MIGRATED {} to {to}", names.name(it.instance)))
        }
        Event::LoopBegun(it) => ("LOOP", format!("BEGUN {} {}", names.name(it.key), shown(&it.items))),
        Event::LoopFulfilled(it) => ("LOOP", format!("FULFILLED {}", names.name(it.key))),
        Event::OutputCollected(it) => {
            ("LOOP", format!("COLLECTED {} {} = {}", names.name(it.key), it.number, shown(&it.value)))
        }
        Event::ResultAwaited(it) => ("RESULT", format!("AWAITED {}", names.name(it.instance))),
        Event::Element(it) => {
            let state = ValueType::ProcessInstance.intent_name(it.to as u32).unwrap_or("?");
            ("PROCESS_INSTANCE", format!("{state} {}", names.name(it.key)))
        }
        Event::FlowTaken(it) => ("PROCESS_INSTANCE", format!("SEQUENCE_FLOW_TAKEN {}", names.name(it.key))),
        Event::VariableCreated(it) => {
            ("VARIABLE", format!("CREATED {}.{} = {}", names.name(it.scope), it.name, shown(&it.value)))
        }
        Event::VariableUpdated(it) => {
            ("VARIABLE", format!("UPDATED {}.{} = {}", names.name(it.scope), it.name, shown(&it.value)))
        }
        Event::VariablesUpdated(it) => {
            let local = if it.local { " local" } else { "" };
            let rest = format!("UPDATED {} {}{local}", names.name(it.scope), shown(it.variables.as_str()));
            ("VARIABLE_DOCUMENT", rest)
        }
        Event::Job(it) => ("JOB", job(it, names)),
        Event::JobsActivated(it) => {
            let mut rest = format!("ACTIVATED {} by {} until {}", it.job_type, it.worker, time(it.deadline));
            for taken in &it.jobs {
                write!(rest, " {}", names.name(taken.key)).expect("writing to a string does not fail");
            }
            if it.truncated {
                rest.push_str(" truncated");
            }
            ("JOB_BATCH", rest)
        }
        Event::ProcessEventTriggering(it) => {
            ("PROCESS_EVENT", format!("TRIGGERING {} {}", names.name(it.scope), shown(it.variables.as_str())))
        }
        Event::ProcessEventTriggered(it) => ("PROCESS_EVENT", format!("TRIGGERED {}", names.name(it.scope))),
        Event::IncidentCreated(it) => {
            let job = it.job.map_or_else(String::new, |job| format!(" {}", names.name(job)));
            let said = if voice.sentences {
                format!(": {}", shown(&names.in_text(&it.message)))
            } else {
                String::new()
            };
            let rest = format!(
                "CREATED {} {} at {}{job}{said}",
                names.name(it.key),
                it.kind.name(),
                names.name(it.element_instance)
            );
            ("INCIDENT", rest)
        }
        Event::IncidentResolved(it) => ("INCIDENT", format!("RESOLVED {}", names.name(it.key))),
        Event::InstanceBanned(it) => ("ERROR", format!("CREATED {}", names.name(it.instance))),
        Event::ClockPinned(it) => ("CLOCK", format!("PINNED {}", time(it.at))),
        Event::ClockReset(()) => ("CLOCK", "RESETTED".to_owned()),
        Event::RequirementsCreated(it) => (
            "DECISION_REQUIREMENTS",
            format!("CREATED {} {} v{}", names.name(it.key), it.resource_name, it.version),
        ),
        Event::DecisionCreated(it) => {
            let tag =
                if it.version_tag.is_empty() { String::new() } else { format!(" tag={}", it.version_tag) };
            ("DECISION", format!("CREATED {} v{}{tag}", names.name(it.key), it.version))
        }
        Event::DecisionEvaluated(it) => {
            ("DECISION_EVALUATION", format!("EVALUATED {}", evaluated(it, names)))
        }
        Event::DecisionFailed(it) => ("DECISION_EVALUATION", format!("FAILED {}", evaluated(it, names))),
        Event::DistributionStarted(it) => ("COMMAND_DISTRIBUTION", format!("STARTED {}", it.key)),
        Event::DistributionSent(it) => distribution("DISTRIBUTING", it),
        Event::DistributionAcknowledged(it) => distribution("ACKNOWLEDGED", it),
        Event::DistributionFinished(it) => ("COMMAND_DISTRIBUTION", format!("FINISHED {}", it.key)),
        Event::DistributionAnswered(it) => distribution("ANSWERED", it),
        Event::DeploymentTaken(it) => ("DEPLOYMENT", format!("TAKEN {}", it.deployment.key)),
    }
}

/// What a message and who waits for it meet by.
fn topic(name: &str, correlation_key: &str) -> String {
    format!("`{name}` about `{correlation_key}`")
}

fn subscription(value_type: ValueType, intent: u32, of: &str) -> (&'static str, String) {
    (value_type.name(), format!("{} {of}", value_type.intent_name(intent).unwrap_or("?")))
}

fn at(key: ElementInstanceKey, names: &Names) -> String {
    format!(" at {}", names.name(key))
}

fn message(it: &MessageChanged, names: &Names) -> String {
    let intent = ValueType::Message.intent_name(it.to as u32).unwrap_or("?");
    let name = names.name(it.key);
    match it.to {
        MessageIntent::Published => {
            let variables = shown(it.variables.as_str());
            format!("{intent} {name} about `{}` until {} {variables}", it.correlation_key, time(it.deadline))
        }
        MessageIntent::Expired => format!("{intent} {name}"),
    }
}

fn timer(it: &TimerChanged, names: &Names) -> String {
    let intent = ValueType::Timer.intent_name(it.to as u32).unwrap_or("?");
    let name = names.name(it.key);
    match (it.to, it.repetitions) {
        (TimerIntent::Created, 1) => format!("{intent} {name} due {}", time(it.due)),
        (TimerIntent::Created, count) => format!("{intent} {name} due {} repetitions={count}", time(it.due)),
        (TimerIntent::Triggered | TimerIntent::Canceled, _) => format!("{intent} {name}"),
        (TimerIntent::Migrated, _) => {
            format!("{intent} {name} to {}", names.element_id(it.definition, it.element))
        }
    }
}

fn distribution(what: &str, it: &DistributionStep) -> (&'static str, String) {
    ("COMMAND_DISTRIBUTION", format!("{what} {} {}", it.key, it.partition))
}

fn job(it: &JobChanged, names: &Names) -> String {
    let intent = ValueType::Job.intent_name(it.to as u32).unwrap_or("?");
    let name = names.name(it.key);
    match it.to {
        JobIntent::Created => format!("{intent} {name} type={} retries={}", it.job_type, it.retries),
        JobIntent::Failed => {
            let mut rest = format!("{intent} {name} retries={}", it.retries);
            if let Some(at) = it.recurs_at {
                write!(rest, " recurs {}", time(at)).expect("writing to a string does not fail");
            }
            rest
        }
        JobIntent::RetriesUpdated => format!("{intent} {name} retries={}", it.retries),
        JobIntent::TimeoutUpdated => {
            format!("{intent} {name} until {}", it.deadline.map_or_else(|| "?".to_owned(), time))
        }
        JobIntent::ErrorThrown => format!("{intent} {name} code={}", it.error_code),
        JobIntent::Completed
        | JobIntent::TimedOut
        | JobIntent::Canceled
        | JobIntent::RecurredAfterBackoff
        | JobIntent::Migrated
        | JobIntent::Yielded => format!("{intent} {name}"),
    }
}

fn deployed(
    processes: &[DeployedProcess],
    requirements: &[DeployedRequirements],
    decisions: &[DeployedDecision],
    names: &Names,
) -> String {
    let duplicate = |duplicate: bool| if duplicate { " duplicate" } else { "" };
    let mut all: Vec<String> = Vec::new();
    for it in processes {
        let name = names.name(it.key);
        all.push(format!("{name} {} v{}{}", it.resource_name, it.version, duplicate(it.duplicate)));
    }
    for it in requirements {
        let name = names.name(it.key);
        all.push(format!("{name} {} v{}{}", it.resource_name, it.version, duplicate(it.duplicate)));
    }
    for it in decisions {
        all.push(format!("{} v{}{}", names.name(it.key), it.version, duplicate(it.duplicate)));
    }
    all.join(", ")
}

/// The decision, its result or failure, and the way to it.
fn evaluated(it: &DecisionEvaluation, names: &Names) -> String {
    let mut text = format!("{} = {}", names.name(it.decision), shown(&it.output));
    if !it.failed.is_empty() {
        write!(text, " failed {}", it.failed).expect("writing to a string does not fail");
    }
    for step in &it.evaluated {
        let rules: Vec<String> = step.rules.iter().map(|rule| rule.index.to_string()).collect();
        let rules = if rules.is_empty() { String::new() } else { format!(" by {}", rules.join(",")) };
        write!(text, "; {}{rules} = {}", names.name(step.key), shown(&step.output))
            .expect("writing to a string does not fail");
    }
    text
}

/// The line of an answer.
pub fn answer(answer: &Answer<Engine>, names: &Names, voice: &Voice) -> String {
    let text = match answer {
        Answer::Reply(reply) => said(reply, names),
        Answer::Rejected(rejection) => why(rejection, names, voice),
        Answer::Answered(_) => "answered".to_owned(),
        Answer::Lost { reason } => format!("lost: {reason}"),
        Answer::KeyMisused => "idempotency key misused".to_owned(),
        Answer::KeysFull => "too many idempotency keys".to_owned(),
    };
    format!("A {text}")
}

fn said(reply: &Reply, names: &Names) -> String {
    match reply {
        Reply::Done(()) => "done".to_owned(),
        Reply::Deployed(it) => {
            format!("deployed {}", deployed(&it.processes, &it.requirements, &it.decisions, names))
        }
        Reply::InstanceCreated(it) => {
            format!("created {} of {} v{}", names.name(it.key), it.process, it.version)
        }
        Reply::InstanceCompleted(it) => {
            format!("completed {} {}", names.name(it.created.key), shown(it.variables.as_str()))
        }
        Reply::JobsActivated(it) => {
            let mut text = String::from("jobs");
            for job in &it.jobs {
                write!(text, "\n  {}", for_worker(job, names)).expect("writing to a string does not fail");
            }
            if it.jobs.is_empty() {
                text.push_str(" none");
            }
            if it.truncated {
                text.push_str("\n  truncated");
            }
            text
        }
        Reply::ResourceDeleted(_) => "deleted".to_owned(),
        Reply::SignalBroadcasted(_) => "broadcast".to_owned(),
        Reply::MessagePublished(it) => format!("published {}", names.name(it.key)),
        Reply::VariablesSet(_) => "variables set".to_owned(),
        Reply::DecisionEvaluated(it) => format!("evaluated {}", evaluated(it, names)),
    }
}

/// A job as its worker sees it.
pub fn for_worker(job: &ActivatedJob, names: &Names) -> String {
    let variables = shown(job.variables.as_str());
    let headers = if &*job.headers == "{}" { String::new() } else { format!(" headers={}", job.headers) };
    format!(
        "{} retries={} until {} {variables}{headers}",
        names.name(job.key),
        job.retries,
        time(job.deadline)
    )
}

/// A text of which long ones are cut.
fn shown(text: &str) -> std::borrow::Cow<'_, str> {
    const SHOWN: usize = 200;
    match text.char_indices().nth(SHOWN) {
        None => text.into(),
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()).into(),
    }
}

/// A time as the time since the begin of the case.
fn time(at: Timestamp) -> String {
    let millis = i128::from(at.as_millis()) - i128::from(BEGIN.as_millis());
    if millis % 1000 == 0 { format!("@{}s", millis / 1000) } else { format!("@{millis}ms") }
}
