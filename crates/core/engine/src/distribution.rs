//! Bringing to all partitions what must be on each of them.
//!
//! The first partition decides and numbers; the others take over what it decided, in its order, by the channel between
//! partitions, and acknowledge. Whoever asked is answered when all have it, or when one stays away for too long: it
//! gets it all the same, once it is back.

use std::sync::Arc;

use coreto_machine::{Head, Outcome, Txn};
use coreto_record::command::{Distribute, TakeDeletion};
use coreto_record::event::{DeploymentCreated, DeploymentTaken, DistributionStarted, DistributionStep};
use coreto_record::protocol::ValueType;
use coreto_record::{Command, Event, Reply, reply};

use crate::engine::Engine;
use crate::state::{Distribution, State};

/// How long an answer waits for partitions that stay away, in milliseconds.
const PATIENCE_MS: i64 = 10_000;

/// Distributes what this partition, the first one, has just carried out, and answers when all have it.
pub(crate) fn begin(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    key: u64,
    (value_type, intent): (ValueType, u32),
    reply: Reply,
) -> Outcome<Engine> {
    let place = txn.place();
    if place.count == 1 {
        return Outcome::Now(reply);
    }
    txn.emit(&Event::DistributionStarted(DistributionStarted {
        key,
        value_type: value_type as u32,
        intent,
        partitions: place.count,
        token: head.token,
        reply,
        answer_by: head.now.plus_millis(PATIENCE_MS),
    }));
    for partition in (1..=place.count).filter(|partition| *partition != place.number) {
        txn.follow_up(Command::Distribute(Distribute { key, partition }));
    }
    Outcome::Later
}

/// A step of a distribution.
pub(crate) fn step(key: u64, distribution: &Distribution, partition: u32) -> DistributionStep {
    DistributionStep { key, partition, value_type: distribution.value_type, intent: distribution.intent }
}

/// The command that another partition is to carry out, as far as what it is about is still there.
pub(crate) fn command(state: &State, distribution: &Distribution) -> Option<Command> {
    match &distribution.reply {
        Reply::Deployed(deployed) => Some(Command::TakeDeployment(Box::new(taken(state, deployed)))),
        Reply::ResourceDeleted(deleted) => {
            Some(Command::TakeDeletion(TakeDeletion { key: deleted.key, resource: deleted.resource }))
        }
        Reply::Done(())
        | Reply::InstanceCreated(_)
        | Reply::InstanceCompleted(_)
        | Reply::JobsActivated(_)
        | Reply::VariablesSet(_)
        | Reply::MessagePublished(_)
        | Reply::SignalBroadcasted(_)
        | Reply::DecisionEvaluated(_) => None,
    }
}

fn taken(state: &State, deployed: &reply::Deployed) -> DeploymentTaken {
    let graphs = deployed.requirements.iter().filter(|graph| !graph.duplicate);
    let decisions = deployed.decisions.iter().filter(|decision| !decision.duplicate);
    let processes = deployed.processes.iter().filter(|process| !process.duplicate);
    DeploymentTaken {
        deployment: DeploymentCreated {
            key: deployed.key,
            tenant: deployed.tenant,
            processes: deployed.processes.clone(),
            requirements: deployed.requirements.clone(),
            decisions: deployed.decisions.clone(),
        },
        requirements: graphs
            .filter_map(|graph| state.requirements.peek(&graph.key))
            .map(|graph| graph.record.clone())
            .collect(),
        decisions: decisions
            .filter_map(|decision| state.decisions.get(&decision.key))
            .map(Arc::unwrap_or_clone)
            .collect(),
        processes: processes
            .filter_map(|process| state.definitions.peek(&process.key))
            .map(|definition| definition.record.clone())
            .collect(),
    }
}
