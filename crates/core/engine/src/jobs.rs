//! Handing jobs out: to streams and parked polls at once, to whoever asks otherwise.

use std::sync::Arc;

use coreto_machine::{Head, Timestamp, Txn};
use coreto_record::event::{JobTaken, JobsActivated};
use coreto_record::{ActivatedJob, ElementInstanceKey, Event, IncidentKind, JobKey, Key};

use crate::engine::{Effect, Engine};
use crate::incident::{self, Trouble};
use crate::keys;
use crate::state::{Job, JobState, State};
use crate::variables;

/// Offers a job that has become activatable to a stream or a parked poll.
pub(crate) fn offer(txn: &mut Txn<'_, Engine>, head: &Head, key: JobKey) {
    offer_to(txn, head, key, false);
}

/// Offers a job that could not be handed over to parked polls only, so that it does not bounce between streams.
pub(crate) fn offer_to_polls(txn: &mut Txn<'_, Engine>, head: &Head, key: JobKey) {
    offer_to(txn, head, key, true);
}

fn offer_to(txn: &mut Txn<'_, Engine>, head: &Head, key: JobKey, polls_only: bool) {
    let Some(job) = txn.state().jobs.get(&key).filter(|job| job.state == JobState::Activatable) else {
        return;
    };
    let bytes_max = txn.env().limits.message_bytes_max;
    // Bound: a poll that the job does not fit into waits no more.
    let (taken, deadline, job_for_worker) = loop {
        let Some(taken) = txn.env().take(&job.job_type, job.tenant, polls_only) else { return };
        let deadline = head.now.plus_millis(taken.timeout_ms);
        let recipient = Recipient { worker: &taken.worker, deadline, fetch: &taken.fetch };
        let Some((job_for_worker, bytes)) = activated(txn.state(), key, &job, &recipient, bytes_max) else {
            txn.env().give_back();
            return fail_as_too_large(txn, head, key, &job);
        };
        if !taken.is_poll || txn.env().carry(taken.sink, bytes) {
            break (taken, deadline, job_for_worker);
        }
    };
    let event = JobsActivated {
        key: keys::next_raw(txn),
        job_type: Arc::clone(&job.job_type),
        worker: taken.worker,
        timeout: taken.timeout_ms,
        deadline,
        max: taken.max,
        truncated: false,
        jobs: vec![taken_of(key, &job)],
    };
    txn.emit(&Event::JobsActivated(event));
    txn.effect(Effect::Push { sink: taken.sink, job: Box::new(job_for_worker) });
}

/// One of the jobs that were handed out, for the record.
pub(crate) fn taken_of(key: JobKey, job: &Job) -> JobTaken {
    JobTaken {
        key,
        retries: job.retries,
        element_instance: job.element_instance,
        element: job.element,
        instance: job.instance,
        definition: job.definition,
        tenant: job.tenant,
    }
}

/// Who takes a job, and how.
pub(crate) struct Recipient<'a> {
    pub(crate) worker: &'a Arc<str>,
    pub(crate) deadline: Timestamp,
    pub(crate) fetch: &'a [Arc<str>],
}

/// A job as its worker gets it, with about how many bytes it takes in a message; `None` when those are more than
/// `bytes_max`.
pub(crate) fn activated(
    state: &State,
    key: JobKey,
    job: &Job,
    recipient: &Recipient<'_>,
    bytes_max: usize,
) -> Option<(ActivatedJob, usize)> {
    let definition = state.definitions.peek(&job.definition)?;
    let element = definition.element(job.element)?;
    let headers = element.kind.job().map_or_else(|| "{}".into(), |job| Arc::clone(&job.headers_json));
    let variables = variables::visible(state, job.element_instance, recipient.fetch, bytes_max)?;
    let job = ActivatedJob {
        key,
        job_type: Arc::clone(&job.job_type),
        instance: job.instance,
        process: Arc::clone(&definition.record.id),
        version: definition.record.version,
        definition: job.definition,
        element: Arc::clone(&element.id),
        element_instance: job.element_instance,
        headers,
        worker: Arc::clone(recipient.worker),
        retries: job.retries,
        deadline: recipient.deadline,
        variables,
        tenant: job.tenant,
    };
    let bytes = message_bytes(&job);
    (bytes <= bytes_max).then_some((job, bytes))
}

/// About how many bytes a job takes in a message.
pub fn message_bytes(job: &ActivatedJob) -> usize {
    const FIXED: usize = 128;
    let texts = [&job.job_type, &job.process, &job.element, &job.headers, &job.worker];
    FIXED + job.variables.as_str().len() + texts.iter().map(|text| text.len()).sum::<usize>()
}

/// A job that fits into no message waits for somebody to make its variables smaller.
pub(crate) fn fail_as_too_large(txn: &mut Txn<'_, Engine>, head: &Head, key: JobKey, job: &Job) {
    use coreto_record::event::{JobChanged, JobIntent};
    let Some(element) = txn.state().elements.get(&job.element_instance) else { return };
    let event = JobChanged { incident: true, deadline: None, ..job.becomes(key, JobIntent::Failed) };
    txn.emit(&Event::Job(event));
    let message = format!(
        "job {key} does not fit into a message of {} bytes with its variables; fetch fewer variables or make them smaller",
        txn.env().limits.message_bytes_max
    );
    let trouble = Trouble { kind: IncidentKind::MessageSizeExceeded, message };
    incident::raise_with_job(txn, head, job.element_instance, &element, &trouble, Some(key));
}

/// Takes back the job of an element instance that ends early.
pub(crate) fn cancel(txn: &mut Txn<'_, Engine>, element: ElementInstanceKey) {
    use coreto_record::event::JobIntent;
    let Some(key) =
        txn.state().elements.get(&element).map(|element| element.job).filter(|key| !key.is_unset())
    else {
        return;
    };
    if let Some(job) = txn.state().jobs.get(&key) {
        let event = job.becomes(key, JobIntent::Canceled);
        txn.emit(&Event::Job(event));
    }
}
