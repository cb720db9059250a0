//! Load and what becomes of it: starts instances, works on their jobs, takes the times.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use coreto_protocol::gateway::{ActivateJobsRequest, StreamActivatedJobsRequest};
use prost::Message as _;

use super::error::Error;
use super::histogram::Histogram;
use super::http2::{Sink, Status};
use super::message::{Create, Job, Publish, Random, complete};
use super::model::Scenario;
use super::options::{Arrival, Options, WorkerKind};
use crate::error::word;

const SECOND: u64 = 1_000_000_000;
const MILLI: u64 = 1_000_000;
/// Before what failed for good is replaced, so that a server that refuses everything is not hammered.
const REPLACE_AFTER: u64 = 100 * MILLI;
const JOB_TIMEOUT_MS: i64 = 60_000;
const MESSAGE_LIFE_MS: u32 = 60_000;
const POLL_TIMEOUT_MS: i64 = 10_000;

mod code {
    pub(super) const OK: u32 = 0;
    pub(super) const DEADLINE_EXCEEDED: u32 = 4;
    pub(super) const NOT_FOUND: u32 = 5;
    pub(super) const RESOURCE_EXHAUSTED: u32 = 8;
    pub(super) const UNAVAILABLE: u32 = 14;
}

/// A call, and what its answer has to be matched with. Times are nanoseconds since the run began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    Create { number: u64, attempt: u32 },
    Publish { number: u64, sent: u64, attempt: u32 },
    Complete { job: i64, number: Option<u64>, worker: u32, arrived: u64, attempt: u32 },
    Poll { worker: u32, backup: bool },
    Stream { worker: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Again(Call),
    Start,
}

/// When to count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Window {
    fn holds(self, at: u64) -> bool {
        (self.start..self.end).contains(&at)
    }
}

/// What was counted.
pub(crate) struct Counts {
    pub(crate) created: u64,
    pub(crate) completed: u64,
    pub(crate) jobs: u64,
    /// Starts that were due while too much was in flight.
    pub(crate) left_out: u64,
    /// Jobs of instances that this run knows nothing of.
    pub(crate) strays: u64,
    /// Instances that will not end because a call was refused.
    pub(crate) failed: u64,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) create_ack: Histogram,
    pub(crate) publish_ack: Histogram,
    /// From a message's publication to the job behind it.
    pub(crate) correlate: Histogram,
    pub(crate) job_visible: Histogram,
    pub(crate) complete_ack: Histogram,
    pub(crate) instance: Histogram,
}

/// One instance in flight.
#[derive(Clone, Copy, Debug)]
struct Instance {
    /// `None` when it has ended.
    generation: Option<u32>,
    /// When its create call was meant to be sent.
    start: u64,
    counted: bool,
    acknowledged: bool,
    /// When its message was published, if it waits for one.
    published: Option<u64>,
    jobs_left: u32,
    seen: bool,
}

struct Worker {
    held: u32,
    polling: bool,
}

pub(crate) struct Load<'a> {
    options: &'a Options,
    pub(crate) now: u64,
    pub(crate) window: Window,
    pub(crate) counts: Counts,
    /// What went wrong for good.
    pub(crate) fatal: Option<Error>,
    todo: Vec<Call>,
    timers: BinaryHeap<Reverse<(u64, Timer)>>,
    instances: Vec<Instance>,
    free: Vec<u32>,
    generation: u32,
    counted_in_flight: u64,
    left_to_start: u64,
    next_arrival: Option<f64>,
    workers: Vec<Worker>,
    create: Create,
    publish: Publish,
    random: Random,
    job_type: String,
    scratch: Vec<u8>,
}

impl<'a> Load<'a> {
    pub(crate) fn new(options: &'a Options, window: Window, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let process_id = options.scenario.process_id(&options.suffix);
        let parked = options.scenario == Scenario::Parked;
        let workers = if parked { 0 } else { options.workers };
        Self {
            options,
            now: 0,
            window,
            counts: Counts::new(),
            fatal: None,
            todo: Vec::new(),
            timers: BinaryHeap::new(),
            instances: Vec::new(),
            free: Vec::new(),
            // Jobs left over from an earlier run must not be taken for ours.
            generation: u32::try_from(random.number() >> 33).expect("it is 31 bits"),
            counted_in_flight: 0,
            left_to_start: if parked { options.count } else { u64::MAX },
            next_arrival: options.rate.map(|_| 0.0),
            workers: (0..workers).map(|_| Worker { held: 0, polling: false }).collect(),
            create: Create::new(&process_id, options.payload_bytes as usize, &mut random),
            publish: Publish::new(&process_id, MESSAGE_LIFE_MS),
            random,
            job_type: process_id,
            scratch: Vec::new(),
        }
    }

    /// Opens streams and polls, and starts the first instances.
    pub(crate) fn begin(&mut self) {
        for worker in 0..u32::try_from(self.workers.len()).expect("it came from 32 bits") {
            match self.options.worker {
                WorkerKind::Poll => self.poll(worker),
                WorkerKind::Stream => {
                    self.todo.push(Call::Stream { worker });
                    self.todo.push(Call::Poll { worker, backup: true });
                }
            }
        }
        if self.next_arrival.is_none() {
            (0..self.options.concurrency).for_each(|_| self.start(self.now));
        }
    }

    /// Does what is due now.
    pub(crate) fn tick(&mut self) {
        while let Some(Reverse((at, timer))) = self.timers.peek().copied()
            && at <= self.now
        {
            self.timers.pop();
            match timer {
                Timer::Again(call) => self.todo.push(call),
                Timer::Start => self.start(self.now),
            }
        }
        while let Some(due) = self.next_arrival.map(nanos)
            && due <= self.now
        {
            self.arrive(due);
        }
    }

    /// When there is something to do even if the server says nothing.
    pub(crate) fn next_due(&self) -> Option<u64> {
        let timer = self.timers.peek().map(|Reverse((at, _))| *at);
        [timer, self.next_arrival.map(nanos)].into_iter().flatten().min()
    }

    /// Whether all that counts has ended, and no more will start.
    pub(crate) fn is_done(&self) -> bool {
        let starts = self.now < self.window.end && self.left_to_start > 0;
        !starts && self.counted_in_flight == 0
    }

    /// Instances that counted and have not ended.
    pub(crate) fn unfinished(&self) -> u64 {
        self.counted_in_flight
    }

    /// Hands out the calls that are to be sent, each with its path and message.
    pub(crate) fn send(&mut self, mut each: impl FnMut(Call, &'static str, &[u8])) {
        let mut todo = std::mem::take(&mut self.todo);
        for call in todo.drain(..) {
            match call {
                Call::Create { number, .. } => {
                    each(
                        call,
                        "/gateway_protocol.Gateway/CreateProcessInstance",
                        self.create.numbered(number),
                    );
                }
                Call::Publish { number, .. } => {
                    let request = self.publish.numbered(number);
                    each(call, "/gateway_protocol.Gateway/PublishMessage", request);
                }
                Call::Complete { job, .. } => {
                    complete(job, &mut self.scratch);
                    each(call, "/gateway_protocol.Gateway/CompleteJob", &self.scratch);
                }
                Call::Poll { worker, backup } => {
                    let request = self.poll_request(worker, backup).encode_to_vec();
                    each(call, "/gateway_protocol.Gateway/ActivateJobs", &request);
                }
                Call::Stream { .. } => {
                    let request = self.stream_request().encode_to_vec();
                    each(call, "/gateway_protocol.Gateway/StreamActivatedJobs", &request);
                }
            }
        }
        // Nothing was added meanwhile; the room is kept for the next time.
        self.todo = todo;
    }

    fn poll_request(&self, worker: u32, backup: bool) -> ActivateJobsRequest {
        // Counted only now: of the answers that came together the first one asks, and the last one makes most room.
        let held = if backup { 0 } else { self.workers[worker as usize].held };
        let most = self.options.max_jobs.saturating_sub(held).max(1);
        ActivateJobsRequest {
            r#type: self.job_type.clone(),
            worker: "bench".into(),
            timeout: JOB_TIMEOUT_MS,
            max_jobs_to_activate: i32::try_from(most).unwrap_or(i32::MAX),
            request_timeout: if backup { -1 } else { POLL_TIMEOUT_MS },
            ..ActivateJobsRequest::default()
        }
    }

    fn stream_request(&self) -> StreamActivatedJobsRequest {
        StreamActivatedJobsRequest {
            r#type: self.job_type.clone(),
            worker: "bench".into(),
            timeout: JOB_TIMEOUT_MS,
            ..StreamActivatedJobsRequest::default()
        }
    }

    fn arrive(&mut self, due: u64) {
        let Some(rate) = self.options.rate else { return };
        if due >= self.window.end || self.left_to_start == 0 {
            self.next_arrival = None;
            return;
        }
        let spread = match self.options.arrival {
            Arrival::Uniform => 1.0,
            Arrival::Poisson => -self.random.share().ln(),
        };
        self.next_arrival = self.next_arrival.map(|at| at + spread / rate);
        let in_flight = self.instances.len() - self.free.len();
        if in_flight >= self.options.outstanding_max as usize {
            self.counts.left_out += u64::from(self.window.holds(due));
        } else {
            self.start(due);
        }
    }

    fn start(&mut self, at: u64) {
        if at >= self.window.end || self.left_to_start == 0 {
            return;
        }
        self.left_to_start -= 1;
        self.generation = self.generation.wrapping_add(1);
        let instance = Instance {
            generation: Some(self.generation),
            start: at,
            counted: self.window.holds(at),
            acknowledged: false,
            published: None,
            jobs_left: if self.workers.is_empty() { 0 } else { self.options.scenario.tasks() },
            seen: false,
        };
        self.counted_in_flight += u64::from(instance.counted);
        let slot = if let Some(slot) = self.free.pop() {
            self.instances[slot as usize] = instance;
            slot
        } else {
            self.instances.push(instance);
            u32::try_from(self.instances.len() - 1).expect("far fewer are in flight")
        };
        let number = u64::from(self.generation) << 32 | u64::from(slot);
        self.todo.push(Call::Create { number, attempt: 0 });
    }

    fn instance(&mut self, number: u64) -> Option<&mut Instance> {
        let slot = usize::try_from(number & 0xffff_ffff).ok()?;
        let instance = self.instances.get_mut(slot)?;
        instance
            .generation
            .is_some_and(|generation| u64::from(generation) == number >> 32)
            .then_some(instance)
    }

    fn job(&mut self, job: Job, worker: u32) {
        let now = self.now;
        let instance = job.number.and_then(|number| self.instance(number)).map(|instance| {
            let first = !std::mem::replace(&mut instance.seen, true);
            (first && instance.counted, instance.start, instance.published)
        });
        match instance {
            Some((true, start, published)) => {
                self.counts.job_visible.add(now.saturating_sub(start));
                if let Some(published) = published {
                    self.counts.correlate.add(now.saturating_sub(published));
                }
            }
            Some((false, ..)) => (),
            None => self.counts.strays += 1,
        }
        self.workers[worker as usize].held += 1;
        let (job, number) = (job.key, job.number);
        self.todo.push(Call::Complete { job, number, worker, arrived: now, attempt: 0 });
    }

    fn created(&mut self, number: u64) {
        let now = self.now;
        self.counts.created += u64::from(self.window.holds(now));
        let waits = self.options.scenario == Scenario::Message;
        let Some(instance) = self.instance(number) else { return };
        instance.acknowledged = true;
        instance.published = waits.then_some(now);
        let (counted, start, done) = (instance.counted, instance.start, instance.jobs_left == 0);
        if counted {
            self.counts.create_ack.add(now.saturating_sub(start));
        }
        if waits {
            self.todo.push(Call::Publish { number, sent: now, attempt: 0 });
        }
        if done {
            self.leave(number);
        }
    }

    fn completed(&mut self, number: Option<u64>, arrived: u64) {
        let now = self.now;
        self.counts.jobs += u64::from(self.window.holds(now));
        let Some(number) = number else { return };
        let Some(instance) = self.instance(number) else { return };
        instance.jobs_left = instance.jobs_left.saturating_sub(1);
        let Instance { counted, start, acknowledged, jobs_left, .. } = *instance;
        if counted {
            self.counts.complete_ack.add(now.saturating_sub(arrived));
        }
        if jobs_left > 0 {
            return;
        }
        self.counts.completed += u64::from(self.window.holds(now));
        if counted {
            self.counts.instance.add(now.saturating_sub(start));
        }
        if acknowledged {
            self.leave(number);
        }
    }

    /// Lets go of an instance, and in a closed loop starts the next.
    fn leave(&mut self, number: u64) {
        if self.release(number) && self.options.rate.is_none() {
            self.start(self.now);
        }
    }

    fn failed(&mut self, number: Option<u64>) {
        let Some(number) = number else { return };
        let counted = self.instance(number).is_some_and(|instance| instance.counted);
        self.counts.failed += u64::from(counted);
        if self.release(number) && self.options.rate.is_none() {
            self.later(REPLACE_AFTER, Timer::Start);
        }
    }

    fn release(&mut self, number: u64) -> bool {
        let Some(instance) = self.instance(number) else { return false };
        instance.generation = None;
        let counted = instance.counted;
        self.counted_in_flight -= u64::from(counted);
        self.free.push(u32::try_from(number & 0xffff_ffff).expect("it is 32 bits"));
        true
    }

    fn poll(&mut self, worker: u32) {
        let most = self.options.max_jobs;
        let state = &mut self.workers[worker as usize];
        // As common clients do: ask for more when less than a third is left.
        if !state.polling && state.held * 10 <= most * 3 {
            state.polling = true;
            self.todo.push(Call::Poll { worker, backup: false });
        }
    }

    fn later(&mut self, after: u64, timer: Timer) {
        self.timers.push(Reverse((self.now + after, timer)));
    }

    /// 5 ms doubling to 0.5 s, each spread over its upper half.
    fn again(&mut self, attempt: u32, call: Call) {
        let pause = ((5 * MILLI) << attempt.min(7)).min(SECOND / 2);
        let spread = self.random.number() % (pause / 2);
        self.later(pause / 2 + spread, Timer::Again(call));
    }

    fn error(&mut self, call: &str, code: u32) {
        if self.window.holds(self.now) {
            *self.counts.errors.entry(format!("{call} {}", code_name(code))).or_default() += 1;
        }
    }

    fn create_ended(&mut self, number: u64, attempt: u32, code: u32) {
        match code {
            code::OK => self.created(number),
            code::RESOURCE_EXHAUSTED | code::UNAVAILABLE => {
                self.error("create", code);
                self.again(attempt, Call::Create { number, attempt: attempt + 1 });
            }
            code => {
                self.error("create", code);
                self.failed(Some(number));
            }
        }
    }

    fn publish_ended(&mut self, number: u64, sent: u64, attempt: u32, code: u32) {
        match code {
            code::OK => {
                // The instance may have ended meanwhile: its answers cross.
                if self.window.holds(sent) {
                    self.counts.publish_ack.add(self.now.saturating_sub(sent));
                }
            }
            code::RESOURCE_EXHAUSTED | code::UNAVAILABLE => {
                self.error("publish", code);
                self.again(attempt, Call::Publish { number, sent, attempt: attempt + 1 });
            }
            code => {
                self.error("publish", code);
                self.failed(Some(number));
            }
        }
    }

    fn complete_ended(&mut self, call: Call, code: u32) {
        let Call::Complete { job, number, worker, arrived, attempt } = call else { return };
        match code {
            code::RESOURCE_EXHAUSTED | code::UNAVAILABLE | code::DEADLINE_EXCEEDED => {
                self.error("complete", code);
                let attempt = attempt + 1;
                return self.again(attempt, Call::Complete { job, number, worker, arrived, attempt });
            }
            code::OK => self.completed(number, arrived),
            // An attempt before this one had reached it after all.
            code::NOT_FOUND if attempt > 0 => self.completed(number, arrived),
            code => {
                self.error("complete", code);
                self.failed(number);
            }
        }
        let state = &mut self.workers[worker as usize];
        state.held = state.held.saturating_sub(1);
        if self.options.worker == WorkerKind::Poll {
            self.poll(worker);
        }
    }

    fn poll_ended(&mut self, worker: u32, backup: bool, status: Status) {
        if backup {
            self.later(SECOND, Timer::Again(Call::Poll { worker, backup }));
        }
        match status.code {
            code::OK if backup => (),
            code::OK => {
                self.workers[worker as usize].polling = false;
                self.poll(worker);
            }
            code @ (code::RESOURCE_EXHAUSTED | code::UNAVAILABLE | code::DEADLINE_EXCEEDED) => {
                self.error("poll", code);
                if !backup {
                    self.again(3, Call::Poll { worker, backup });
                }
            }
            _ => self.refused("ActivateJobs", status),
        }
    }

    fn stream_ended(&mut self, worker: u32, status: Status) {
        match status.code {
            code @ (code::OK | code::RESOURCE_EXHAUSTED | code::UNAVAILABLE) => {
                self.error("stream", code);
                self.again(3, Call::Stream { worker });
            }
            _ => self.refused("StreamActivatedJobs", status),
        }
    }

    fn refused(&mut self, call: &'static str, status: Status) {
        self.fatal = Some(Error::Refused { call, code: status.code, message: status.message });
    }
}

impl Sink<Call> for Load<'_> {
    fn message(&mut self, call: &mut Call, message: &[u8]) {
        let read = match *call {
            Call::Create { .. } | Call::Publish { .. } | Call::Complete { .. } => return,
            Call::Stream { worker } => Job::read(message).map(|job| self.job(job, worker)),
            Call::Poll { worker, .. } => Job::read_all(message, |job| self.job(job, worker)),
        };
        if read.is_none() {
            self.fatal = Some(Error::Unreadable { call: "a request for jobs" });
        }
    }

    fn ended(&mut self, call: Call, status: Status) {
        match call {
            Call::Create { number, attempt } => self.create_ended(number, attempt, status.code),
            Call::Publish { number, sent, attempt } => {
                self.publish_ended(number, sent, attempt, status.code);
            }
            Call::Complete { .. } => self.complete_ended(call, status.code),
            Call::Poll { worker, backup } => self.poll_ended(worker, backup, status),
            Call::Stream { worker } => self.stream_ended(worker, status),
        }
    }
}

impl Counts {
    fn new() -> Self {
        Self {
            created: 0,
            completed: 0,
            jobs: 0,
            left_out: 0,
            strays: 0,
            failed: 0,
            errors: BTreeMap::new(),
            create_ack: Histogram::new(),
            publish_ack: Histogram::new(),
            correlate: Histogram::new(),
            job_visible: Histogram::new(),
            complete_ack: Histogram::new(),
            instance: Histogram::new(),
        }
    }
}

/// Seconds since the run began, as the clock counts them.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and no run is that long"
)]
fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

fn code_name(code: u32) -> String {
    match i32::try_from(code) {
        Ok(code) => word(tonic::Code::from_i32(code)).to_owned(),
        Err(_) => format!("status {code}"),
    }
}

#[cfg(test)]
mod tests;
