//! Facts: all that changes the engine's state.

mod decision;
mod definition;
mod distribution;
mod element;
mod incident;
mod instance;
mod job;
mod lineage;
mod message;
mod migration;
mod repetition;
mod signal;
mod timer;
mod variable;

use coreto_machine::{Timestamp, message, union};

use crate::command::{MigrateInstance, ModifyInstance};

pub use decision::{
    DecisionCreated, DecisionEvaluation, EvaluatedDecision, EvaluatedValue, MatchedRule, RequirementsCreated,
};
pub use definition::{
    DeletionTaken, DeploymentCreated, InstancesCounted, ProcessCreated, ProcessDeletion,
    RequirementsDeletion, ResourceDeletion,
};
pub use distribution::{DeploymentTaken, DistributionStarted, DistributionStep};
pub use element::{ElementChanged, FlowTaken, ProcessEvent, TriggerEffect};
pub use incident::{IncidentRecord, InstanceBanned};
pub use instance::{InstanceCreated, ResultAwaited};
pub use job::{JobChanged, JobIntent, JobTaken, JobsActivated};
pub use lineage::{Call, Lineage};
pub use message::{
    MessageChanged, MessageIntent, MessageSubscription, MessageSubscriptionIntent, ProcessSubscription,
    ProcessSubscriptionIntent, StartSubscription, StartSubscriptionIntent,
};
pub use migration::ElementMigrated;
pub use repetition::{LoopBegun, LoopStep, OutputCollected};
pub use signal::{SignalBroadcasted, SignalSubscription, SignalSubscriptionIntent};
pub use timer::{InstanceStarted, TimerChanged, TimerIntent};
pub use variable::{VariableSet, VariablesUpdated};

union! {
    /// A fact.
    pub enum Event {
        /// Resources are deployed.
        1 => DeploymentCreated(DeploymentCreated),
        /// There is a new version of a process.
        2 => ProcessCreated(ProcessCreated),
        /// An instance exists.
        3 => InstanceCreated(InstanceCreated),
        /// Somebody waits for the result of an instance.
        4 => ResultAwaited(ResultAwaited),
        /// An element instance went on in its life.
        5 => Element(ElementChanged),
        /// A token passed a sequence flow.
        6 => FlowTaken(FlowTaken),
        /// A variable came into being.
        7 => VariableCreated(VariableSet),
        /// A variable got another value.
        8 => VariableUpdated(VariableSet),
        /// A client set variables in a scope.
        9 => VariablesUpdated(VariablesUpdated),
        /// A job came into being, changed, or is gone.
        10 => Job(JobChanged),
        /// Jobs were handed to a worker.
        11 => JobsActivated(JobsActivated),
        /// Variables wait for an element instance to complete.
        12 => ProcessEventTriggering(ProcessEvent),
        /// An element instance took the variables that waited.
        13 => ProcessEventTriggered(ProcessEvent),
        /// An element instance cannot go on.
        14 => IncidentCreated(IncidentRecord),
        /// It may try again.
        15 => IncidentResolved(IncidentRecord),
        /// The engine failed inside; commands for the instance are ignored from now on.
        16 => InstanceBanned(InstanceBanned),
        /// A running instance was changed by hand.
        105 => InstanceModified(ModifyInstance),
        /// An activity is repeated for the items of a collection.
        100 => LoopBegun(LoopBegun),
        /// The repetitions are done, although some may be left.
        101 => LoopFulfilled(LoopStep),
        /// A repetition has a result that waits for the others.
        102 => OutputCollected(OutputCollected),
        /// The clock stands.
        17 => ClockPinned(ClockPinned),
        /// The clock runs freely.
        18 => ClockReset(()),
        /// There is a new version of a decision requirements graph.
        19 => RequirementsCreated(RequirementsCreated),
        /// There is a new version of a decision.
        20 => DecisionCreated(DecisionCreated),
        /// A decision has a result.
        21 => DecisionEvaluated(DecisionEvaluation),
        /// A decision has no result.
        22 => DecisionFailed(DecisionEvaluation),
        /// A timer came into being, or is gone.
        40 => Timer(TimerChanged),
        /// An instance exists, since something happened that a start event waits for.
        41 => InstanceStarted(InstanceStarted),
        /// Something is on its way to all other partitions.
        90 => DistributionStarted(DistributionStarted),
        /// It was sent to a partition.
        91 => DistributionSent(DistributionStep),
        /// A partition has it.
        92 => DistributionAcknowledged(DistributionStep),
        /// All partitions have it.
        93 => DistributionFinished(DistributionStep),
        /// Whoever waited was answered, although a partition stays away.
        94 => DistributionAnswered(DistributionStep),
        /// A deployment of the first partition is here, too.
        95 => DeploymentTaken(DeploymentTaken),
        /// A resource is being deleted.
        110 => ResourceDeleting(ResourceDeletion),
        /// It is deleted.
        111 => ResourceDeleted(ResourceDeletion),
        /// No instance of a definition is started any more.
        112 => ProcessDeleting(ProcessDeletion),
        /// No instance of it is left.
        113 => ProcessDeleted(ProcessDeletion),
        /// Some instances of a definition that is deleted are counted.
        114 => InstancesCounted(InstancesCounted),
        /// A decision is not found any more.
        115 => DecisionDeleted(DecisionCreated),
        /// A decision requirements graph is deleted; it stays readable for graphs that import it.
        116 => RequirementsDeleted(RequirementsDeletion),
        /// A deletion of the first partition is here, too.
        117 => DeletionTaken(DeletionTaken),
        /// A message came, or is gone.
        42 => Message(MessageChanged),
        /// Somebody waits for a message, on the partition of the message.
        43 => MessageSubscription(MessageSubscription),
        /// An element instance waits for a message.
        44 => ProcessSubscription(ProcessSubscription),
        /// Messages start instances of a definition.
        45 => StartSubscription(StartSubscription),
        /// A signal was broadcast.
        46 => SignalBroadcasted(SignalBroadcasted),
        /// Something waits for a signal.
        47 => SignalSubscription(SignalSubscription),
        /// An element instance is one of another definition now.
        120 => ElementMigrated(ElementMigrated),
        /// A process instance that led to an element instance by its calls is one of another definition now.
        121 => AncestorMigrated(ElementMigrated),
        /// A variable is one of another definition now; its value is the one that it had.
        122 => VariableMigrated(VariableSet),
        /// What stopped an element instance is about another definition now.
        123 => IncidentMigrated(IncidentRecord),
        /// A process instance is one of another definition now, with all that is in it.
        124 => InstanceMigrated(MigrateInstance),
    }
}

message! {
    /// The clock stands.
    pub struct ClockPinned {
        /// At this time.
        1 => pub at: Timestamp,
    }
}
