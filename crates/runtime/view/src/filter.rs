//! Which records are exported.

use coreto_engine::Engine;
use coreto_partition::{Body, Record};
use coreto_record::Event;

/// Which records are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Events, but for those that Zeebe's exporter leaves out unless told otherwise.
    Events,
    /// Events and rejections of every value type.
    All,
}

impl Filter {
    /// Whether a record passes.
    pub fn passes(self, record: &Record<Engine>) -> bool {
        match &record.body {
            Body::Command(_) => false,
            Body::Rejection { .. } => self == Self::All,
            Body::Event(event) => self == Self::All || !is_internal(event),
        }
    }
}

/// Records of interest to nobody but the engine.
const fn is_internal(event: &Event) -> bool {
    match event {
        Event::JobsActivated(_)
        | Event::ProcessEventTriggering(_)
        | Event::ProcessEventTriggered(_)
        | Event::ResultAwaited(_)
        | Event::LoopBegun(_)
        | Event::LoopFulfilled(_)
        | Event::OutputCollected(_)
        | Event::InstancesCounted(_)
        | Event::InstanceStarted(_) => true,
        Event::DeploymentCreated(_)
        | Event::ProcessCreated(_)
        | Event::InstanceCreated(_)
        | Event::Element(_)
        | Event::FlowTaken(_)
        | Event::VariableCreated(_)
        | Event::VariableUpdated(_)
        | Event::VariablesUpdated(_)
        | Event::InstanceModified(_)
        | Event::ElementMigrated(_)
        | Event::AncestorMigrated(_)
        | Event::VariableMigrated(_)
        | Event::IncidentMigrated(_)
        | Event::InstanceMigrated(_)
        | Event::Job(_)
        | Event::IncidentCreated(_)
        | Event::IncidentResolved(_)
        | Event::Timer(_)
        | Event::Message(_)
        | Event::ResourceDeleting(_)
        | Event::ResourceDeleted(_)
        | Event::ProcessDeleting(_)
        | Event::ProcessDeleted(_)
        | Event::DecisionDeleted(_)
        | Event::RequirementsDeleted(_)
        | Event::DeletionTaken(_)
        | Event::SignalBroadcasted(_)
        | Event::SignalSubscription(_)
        | Event::MessageSubscription(_)
        | Event::ProcessSubscription(_)
        | Event::StartSubscription(_)
        | Event::InstanceBanned(_)
        | Event::RequirementsCreated(_)
        | Event::DecisionCreated(_)
        | Event::DecisionEvaluated(_)
        | Event::DecisionFailed(_)
        | Event::DistributionStarted(_)
        | Event::DistributionSent(_)
        | Event::DistributionAcknowledged(_)
        | Event::DistributionFinished(_)
        | Event::DistributionAnswered(_)
        | Event::DeploymentTaken(_)
        | Event::ClockPinned(_)
        | Event::ClockReset(()) => false,
    }
}
