//! What is on its way to all partitions.

use coreto_machine::Tables as _;
use coreto_record::event::{DeploymentTaken, DistributionStarted, DistributionStep};

use super::{decision, definition};
use crate::state::{DUE_DISTRIBUTION, Distribution, State};

pub(super) fn started(state: &mut State, event: &DistributionStarted) {
    state.due.insert((event.answer_by, DUE_DISTRIBUTION, event.key));
    let first = state.place().number;
    let missing = (1..=event.partitions).filter(|partition| *partition != first).collect();
    state.distributions.insert(
        event.key,
        Distribution {
            value_type: event.value_type,
            intent: event.intent,
            missing,
            token: event.token,
            reply: event.reply.clone(),
            answer_by: Some(event.answer_by),
        },
    );
}

pub(super) fn acknowledged(state: &mut State, event: &DistributionStep) {
    state.distributions.update(&event.key, |distribution| {
        distribution.missing.retain(|partition| *partition != event.partition);
    });
}

pub(super) fn answered(state: &mut State, event: &DistributionStep) {
    cease(state, event.key);
    state.distributions.update(&event.key, |distribution| {
        (distribution.token, distribution.answer_by) = (None, None);
    });
}

pub(super) fn finished(state: &mut State, event: &DistributionStep) {
    cease(state, event.key);
    state.distributions.remove(&event.key);
}

/// Nobody is to be answered at a certain time any more.
fn cease(state: &mut State, key: u64) {
    if let Some(at) = state.distributions.peek(&key).and_then(|distribution| distribution.answer_by) {
        state.due.remove(&(at, DUE_DISTRIBUTION, key));
    }
}

pub(super) fn deployment_taken(state: &mut State, event: &DeploymentTaken) {
    event.requirements.iter().for_each(|graph| decision::requirements_created(state, graph));
    event.decisions.iter().for_each(|created| decision::created(state, created));
    event.processes.iter().for_each(|process| definition::created(state, process));
}
