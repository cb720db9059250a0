//! What an event changes. Appliers decide nothing and cannot fail.

mod decision;
mod definition;
mod deletion;
mod distribution;
mod element;
mod incident;
mod instance;
mod job;
mod message;
mod migration;
mod repetition;
mod subscription;
mod variable;

use coreto_record::Event;

use crate::state::{Clock, State};

/// Changes the state by what happened.
pub(crate) fn apply(state: &mut State, event: &Event) {
    match event {
        Event::DeploymentCreated(_)
        | Event::VariablesUpdated(_)
        | Event::InstanceModified(_)
        | Event::InstanceMigrated(_)
        | Event::VariableMigrated(_)
        | Event::DecisionEvaluated(_)
        | Event::DecisionFailed(_)
        | Event::DistributionSent(_)
        | Event::ResourceDeleting(_)
        | Event::ResourceDeleted(_)
        | Event::DecisionDeleted(_)
        | Event::SignalBroadcasted(_) => (),
        Event::ClockPinned(event) => state.clock.set(Clock { pinned: Some(event.at) }),
        Event::ClockReset(()) => state.clock.set(Clock { pinned: None }),
        Event::InstanceCreated(event) => instance::created(state, event),
        Event::RequirementsCreated(event) => decision::requirements_created(state, event),
        Event::DecisionCreated(event) => decision::created(state, event),
        Event::ProcessCreated(event) => definition::created(state, event),
        Event::ProcessDeleting(event) => deletion::process_deleting(state, event),
        Event::ProcessDeleted(event) => deletion::process_deleted(state, event),
        Event::InstancesCounted(event) => deletion::instances_counted(state, event),
        Event::RequirementsDeleted(event) => deletion::requirements_deleted(state, event),
        Event::DeletionTaken(event) => deletion::taken(state, event),
        Event::ResultAwaited(event) => instance::result_awaited(state, event),
        Event::Element(event) => element::changed(state, event),
        Event::ElementMigrated(event) | Event::AncestorMigrated(event) => migration::element(state, event),
        Event::IncidentMigrated(event) => migration::incident(state, event),
        Event::FlowTaken(event) => element::flow_taken(state, event),
        Event::VariableCreated(event) | Event::VariableUpdated(event) => variable::set(state, event),
        Event::Job(event) => job::changed(state, event),
        Event::JobsActivated(event) => job::activated(state, event),
        Event::ProcessEventTriggering(event) => element::triggering(state, event),
        Event::ProcessEventTriggered(event) => element::triggered(state, event),
        Event::IncidentCreated(event) => incident::created(state, event),
        Event::IncidentResolved(event) => incident::resolved(state, event),
        Event::DistributionStarted(event) => distribution::started(state, event),
        Event::DistributionAcknowledged(event) => distribution::acknowledged(state, event),
        Event::DistributionAnswered(event) => distribution::answered(state, event),
        Event::DeploymentTaken(event) => distribution::deployment_taken(state, event),
        Event::DistributionFinished(event) => distribution::finished(state, event),
        Event::LoopBegun(event) => repetition::begun(state, event),
        Event::LoopFulfilled(event) => repetition::fulfilled(state, event),
        Event::OutputCollected(event) => repetition::collected(state, event),
        Event::InstanceBanned(event) => instance::banned(state, event),
        Event::Timer(event) => subscription::timer(state, event),
        Event::InstanceStarted(event) => instance::started(state, event),
        Event::Message(event) => message::message(state, event),
        Event::MessageSubscription(event) => message::message_subscription(state, event),
        Event::ProcessSubscription(event) => message::process_subscription(state, event),
        Event::SignalSubscription(event) => subscription::signal(state, event),
        Event::StartSubscription(event) => message::start_subscription(state, event),
    }
}
