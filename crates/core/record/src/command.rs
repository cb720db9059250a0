//! Wishes: what clients and the engine itself ask for.

mod decision;
mod deployment;
mod distribution;
mod element;
mod instance;
mod job;
mod message;
mod migration;
mod modification;
mod signal;

use coreto_machine::{message, union};

pub use decision::EvaluateDecision;
pub use deployment::{CountInstances, DeleteResource, Deploy, Resource, TakeDeletion};
pub use distribution::{AcknowledgeDistribution, Distribute};
pub use element::{
    ActivateChildren, ActivateElement, CompleteElement, ContinueTermination, TerminateChildren,
    TerminateElement,
};
pub use instance::{AwaitResult, CancelInstance, CreateInstance, EndsAfter, SetVariables};
pub use job::{ActivateJobs, CompleteJob, FailJob, ThrowError, UpdateJobRetries, UpdateJobTimeout, YieldJob};
pub use message::{
    CorrelateMessageSubscription, CorrelateProcessSubscription, OpenMessageSubscription, PublishMessage,
    RejectMessageSubscription, Subscribed,
};
pub use migration::{ElementMapping, MigrateInstance, MigrateMessageSubscription};
pub use modification::{Activation, ModifyInstance, ScopedVariables};

use crate::event::DeploymentTaken;
pub use signal::{BroadcastSignal, SpreadSignal};

use crate::key::{IncidentKey, Key};
use crate::protocol::intent::{
    message_subscription as on_message, process_message_subscription as on_instance,
};
use crate::protocol::{ValueType, intent};

union! {
    /// A wish. Numbers up to 49 are those of clients, from 50 on those of the engine itself.
    pub enum Command {
        /// Deploys resources, all or none.
        1 => Deploy(Deploy),
        /// Starts an instance of a process.
        2 => CreateInstance(CreateInstance),
        /// Ends an instance early.
        3 => CancelInstance(CancelInstance),
        /// Sets variables in a scope.
        4 => SetVariables(SetVariables),
        /// Takes jobs of a type.
        5 => ActivateJobs(ActivateJobs),
        /// Ends a job as done.
        6 => CompleteJob(CompleteJob),
        /// Ends an attempt at a job.
        7 => FailJob(FailJob),
        /// Throws a BPMN error at the job's element.
        8 => ThrowError(ThrowError),
        /// Sets how many attempts are left.
        9 => UpdateJobRetries(UpdateJobRetries),
        /// Moves the deadline of a job that a worker holds.
        10 => UpdateJobTimeout(UpdateJobTimeout),
        /// Lets an element instance try again what failed.
        11 => ResolveIncident(ResolveIncident),
        /// Says that the clock was pinned; only with a controlled clock.
        12 => PinClock(PinClock),
        /// Says that the clock runs freely again.
        13 => ResetClock(()),
        /// Evaluates a decision.
        14 => EvaluateDecision(EvaluateDecision),
        /// Publishes a message.
        15 => PublishMessage(PublishMessage),
        /// Broadcasts a signal.
        16 => BroadcastSignal(BroadcastSignal),
        /// Deletes a resource.
        25 => DeleteResource(DeleteResource),
        /// Enters elements of a running instance, and ends element instances.
        20 => ModifyInstance(ModifyInstance),
        /// Moves a running instance to another definition.
        21 => MigrateInstance(MigrateInstance),
        /// Gives back a job that could not be handed over.
        50 => YieldJob(YieldJob),
        /// Enters an element.
        51 => ActivateElement(ActivateElement),
        /// Leaves an element.
        52 => CompleteElement(CompleteElement),
        /// Ends an element instance early.
        53 => TerminateElement(TerminateElement),
        /// Ends the children of an element instance, a bounded number at a time.
        54 => TerminateChildren(TerminateChildren),
        /// Does what has become due.
        55 => Tick(()),
        /// Ends an element instance that has ended what it held.
        56 => ContinueTermination(ContinueTermination),
        /// Enters repetitions of an activity, a bounded number at a time.
        57 => ActivateChildren(ActivateChildren),
        /// Sends what is distributed to one partition.
        80 => Distribute(Distribute),
        /// Takes over a deployment of the first partition.
        81 => TakeDeployment(Box<DeploymentTaken>),
        /// Says that a partition has what was distributed.
        82 => AcknowledgeDistribution(AcknowledgeDistribution),
        /// Takes over a deletion of the first partition.
        83 => TakeDeletion(TakeDeletion),
        /// Counts instances of a definition that is deleted.
        84 => CountInstances(CountInstances),
        /// Lets an element instance wait for a message.
        60 => OpenMessageSubscription(OpenMessageSubscription),
        /// The side of the message knows who waits.
        61 => OpenedProcessSubscription(Subscribed),
        /// Brings a message to who waits for it.
        62 => CorrelateProcessSubscription(CorrelateProcessSubscription),
        /// Who waited took the message.
        63 => CorrelateMessageSubscription(CorrelateMessageSubscription),
        /// Who waited did not take the message.
        64 => RejectMessageSubscription(RejectMessageSubscription),
        /// Nobody waits for a message any more.
        65 => CloseMessageSubscription(Subscribed),
        /// The side of the message knows that nobody waits.
        66 => ClosedProcessSubscription(Subscribed),
        /// Who waits for a message does so for another definition.
        67 => MigrateMessageSubscription(MigrateMessageSubscription),
        /// The side of the message knows for which definition.
        68 => MigratedProcessSubscription(Subscribed),
        /// Sets off what waits for a signal on one partition.
        70 => SpreadSignal(SpreadSignal),
    }
}

message! {
    /// Lets an element instance try again what failed.
    pub struct ResolveIncident {
        /// The incident.
        1 => pub incident: IncidentKey,
    }
}

message! {
    /// Says that the clock was pinned.
    pub struct PinClock {
        /// The time at which it stands.
        1 => pub at: coreto_machine::Timestamp,
    }
}

/// A transaction moves its follow-ups several times, and more than this is not moved in registers.
const _: () = assert!(size_of::<Command>() <= 128, "what is large and rare stands in a box");

impl Command {
    /// The exported value type and intent of the command, and the key that it is about; 0 when it has none.
    pub fn describe(&self) -> (ValueType, u32, u64) {
        use ValueType as V;
        use intent::{
            command_distribution as distribution, decision_evaluation as decision, deployment, incident, job,
            job_batch as jobs, process_instance as element, process_instance_batch as batch,
            process_instance_creation as creation, process_instance_migration as migration,
            process_instance_modification as modification, resource_deletion as deletion,
            variable_document as variables,
        };
        match self {
            Self::Deploy(_) => (V::Deployment, deployment::CREATE, 0),
            Self::CreateInstance(create) if create.await_result.is_some() => {
                (V::ProcessInstanceCreation, creation::CREATE_WITH_AWAITING_RESULT, 0)
            }
            Self::CreateInstance(_) => (V::ProcessInstanceCreation, creation::CREATE, 0),
            Self::ModifyInstance(it) => {
                (V::ProcessInstanceModification, modification::MODIFY, it.instance.raw())
            }
            Self::MigrateInstance(it) => (V::ProcessInstanceMigration, migration::MIGRATE, it.instance.raw()),
            Self::CancelInstance(cancel) => (V::ProcessInstance, element::CANCEL, cancel.instance.raw()),
            Self::SetVariables(set) => (V::VariableDocument, variables::UPDATE, set.scope.raw()),
            Self::ActivateJobs(_) => (V::JobBatch, jobs::ACTIVATE, 0),
            Self::CompleteJob(complete) => (V::Job, job::COMPLETE, complete.job.raw()),
            Self::FailJob(fail) => (V::Job, job::FAIL, fail.job.raw()),
            Self::ThrowError(throw) => (V::Job, job::THROW_ERROR, throw.job.raw()),
            Self::UpdateJobRetries(update) => (V::Job, job::UPDATE_RETRIES, update.job.raw()),
            Self::UpdateJobTimeout(update) => (V::Job, job::UPDATE_TIMEOUT, update.job.raw()),
            Self::ResolveIncident(resolve) => (V::Incident, incident::RESOLVE, resolve.incident.raw()),
            Self::EvaluateDecision(it) => {
                (V::DecisionEvaluation, decision::EVALUATE, it.decision.map_or(0, Key::raw))
            }
            Self::BroadcastSignal(_) | Self::SpreadSignal(_) => (V::Signal, intent::signal::BROADCAST, 0),
            Self::PublishMessage(_) => (V::Message, intent::message::PUBLISH, 0),
            Self::OpenMessageSubscription(_) => (V::MessageSubscription, on_message::CREATE, 0),
            Self::CorrelateMessageSubscription(_) => (V::MessageSubscription, on_message::CORRELATE, 0),
            Self::RejectMessageSubscription(_) => (V::MessageSubscription, on_message::REJECT, 0),
            Self::CloseMessageSubscription(_) => (V::MessageSubscription, on_message::DELETE, 0),
            Self::OpenedProcessSubscription(_) => (V::ProcessMessageSubscription, on_instance::CREATE, 0),
            Self::CorrelateProcessSubscription(_) => {
                (V::ProcessMessageSubscription, on_instance::CORRELATE, 0)
            }
            Self::ClosedProcessSubscription(_) => (V::ProcessMessageSubscription, on_instance::DELETE, 0),
            Self::MigrateMessageSubscription(_) => (V::MessageSubscription, on_message::MIGRATE, 0),
            Self::MigratedProcessSubscription(_) => (V::ProcessMessageSubscription, on_instance::MIGRATE, 0),
            Self::PinClock(_) => (V::Clock, intent::clock::PIN, 0),
            Self::ResetClock(()) => (V::Clock, intent::clock::RESET, 0),
            Self::YieldJob(give) => (V::Job, job::YIELD, give.job.raw()),
            Self::ActivateElement(it) => (V::ProcessInstance, element::ACTIVATE_ELEMENT, it.key.raw()),
            Self::CompleteElement(it) => (V::ProcessInstance, element::COMPLETE_ELEMENT, it.key.raw()),
            Self::ContinueTermination(it) => {
                (V::ProcessInstance, element::CONTINUE_TERMINATING_ELEMENT, it.key.raw())
            }
            Self::TerminateElement(it) => (V::ProcessInstance, element::TERMINATE_ELEMENT, it.key.raw()),
            Self::TerminateChildren(it) => (V::ProcessInstanceBatch, batch::TERMINATE, it.scope.raw()),
            Self::ActivateChildren(it) => (V::ProcessInstanceBatch, batch::ACTIVATE, it.scope.raw()),
            Self::Tick(()) => (V::Job, job::TIME_OUT, 0),
            Self::Distribute(it) => (V::CommandDistribution, distribution::DISTRIBUTING, it.key),
            Self::DeleteResource(delete) => (V::ResourceDeletion, deletion::DELETE, delete.resource),
            Self::TakeDeletion(take) => (V::ResourceDeletion, deletion::DELETE, take.resource),
            Self::CountInstances(count) => (V::ResourceDeletion, deletion::DELETE, count.definition.raw()),
            Self::TakeDeployment(take) => (V::Deployment, deployment::CREATE, take.deployment.key.raw()),
            Self::AcknowledgeDistribution(it) => (V::CommandDistribution, distribution::ACKNOWLEDGE, it.key),
        }
    }
}
