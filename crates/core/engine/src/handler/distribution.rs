//! What is distributed goes out, arrives, and is acknowledged.

use std::sync::Arc;

use coreto_machine::{Head, Txn};
use coreto_record::command::{AcknowledgeDistribution, Distribute};
use coreto_record::event::{DeploymentTaken, ProcessCreated};
use coreto_record::{Command, Event, Key};

use super::{Handled, done};
use crate::distribution;
use crate::engine::Engine;
use crate::subscription::start;

/// The partition that decides what all of them have.
const FIRST: u32 = 1;

/// Sends to one partition what is distributed.
pub(crate) fn distribute(txn: &mut Txn<'_, Engine>, wish: &Distribute) -> Handled {
    let Some(found) = txn.state().distributions.get(&wish.key) else { return done() };
    let Some(command) = distribution::command(txn.state(), &found) else { return done() };
    txn.emit(&Event::DistributionSent(distribution::step(wish.key, &found, wish.partition)));
    txn.send(wish.partition, command);
    done()
}

/// Takes over what the first partition has deployed, and says so.
pub(crate) fn take_deployment(txn: &mut Txn<'_, Engine>, head: &Head, take: &DeploymentTaken) -> Handled {
    let latest = &txn.state().latest;
    let id = |process: &ProcessCreated| (process.tenant, Arc::clone(&process.id));
    let before: Vec<_> = take.processes.iter().map(|process| latest.get(&id(process))).collect();
    txn.emit(&Event::DeploymentTaken(take.clone()));
    for (before, created) in before.into_iter().zip(&take.processes) {
        start::take_over(txn, head, before.map(|latest| latest.key), created);
    }
    acknowledge(txn, take.deployment.key.raw())
}

/// Tells the first partition that this one has what was distributed.
pub(super) fn acknowledge(txn: &mut Txn<'_, Engine>, key: u64) -> Handled {
    let partition = txn.place().number;
    txn.send(FIRST, Command::AcknowledgeDistribution(AcknowledgeDistribution { key, partition }));
    done()
}

/// A partition has it; when it is the last one, whoever waits is answered.
pub(crate) fn acknowledge_distribution(
    txn: &mut Txn<'_, Engine>,
    acknowledge: &AcknowledgeDistribution,
) -> Handled {
    let AcknowledgeDistribution { key, partition } = *acknowledge;
    let Some(found) = txn.state().distributions.get(&key) else { return done() };
    if !found.missing.contains(&partition) {
        return done();
    }
    txn.emit(&Event::DistributionAcknowledged(distribution::step(key, &found, partition)));
    if found.missing.len() == 1 {
        txn.emit(&Event::DistributionFinished(distribution::step(key, &found, FIRST)));
        answer(txn, &found);
    }
    done()
}

/// The time of an answer is over, and a partition stays away.
pub(super) fn answer_anyway(txn: &mut Txn<'_, Engine>, key: u64) {
    let Some(found) = txn.state().distributions.get(&key) else { return };
    txn.emit(&Event::DistributionAnswered(distribution::step(key, &found, FIRST)));
    answer(txn, &found);
}

fn answer(txn: &mut Txn<'_, Engine>, distribution: &crate::state::Distribution) {
    if let Some(token) = distribution.token {
        txn.reply(token, distribution.reply.clone());
    }
}
