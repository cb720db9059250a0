//! What one-task instances cost in the engine alone: time, bytes of records, replay, memory of parked instances.
//!
//! `cargo run --release -p coreto-engine --example one_task -- [INSTANCES] [PARKED]`

use std::sync::Arc;
use std::time::Duration;

use coreto_engine::{Effect, Engine, Env, Limits, SinkKind, SinkSpec, Sinks, State, invariant};
use coreto_machine::codec::Reader;
use coreto_machine::{
    Caller, Channel, Codec, Env as _, Head, Machine, Output, Place, Tables, Tenant, Timestamp, Txn,
};
use coreto_record::command::{CompleteJob, CreateInstance, Deploy, Resource};
use coreto_record::{Command, Document, Event};

const MODEL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
<process id="one-task" isExecutable="true"><startEvent id="start"/><sequenceFlow id="a" sourceRef="start" targetRef="task"/>
<serviceTask id="task"><extensionElements><zeebe:taskDefinition type="work"/></extensionElements></serviceTask>
<sequenceFlow id="b" sourceRef="task" targetRef="end"/><endEvent id="end"/></process></definitions>"#;

/// Instances whose events are replayed.
const REPLAYED: usize = 50_000;

struct Bench {
    state: State,
    env: Env,
    out: Output<Engine>,
    records: usize,
    /// Encoded events, while they are kept for a replay.
    kept: Option<Vec<u8>>,
}

impl Bench {
    fn run(&mut self, command: &Command) {
        let head = Head {
            now: Timestamp::from_millis(1_700_000_000_000),
            seed: 1,
            caller: Caller::anonymous(Channel::Grpc),
            operation_reference: None,
            token: None,
        };
        let handled =
            Engine::handle(&mut Txn::new(&mut self.state, &mut self.env, &mut self.out), &head, command);
        assert!(handled.is_ok(), "{handled:?}");
        while let Some(next) = self.out.follow_ups.pop_front() {
            let handled =
                Engine::handle(&mut Txn::new(&mut self.state, &mut self.env, &mut self.out), &head, &next);
            assert!(handled.is_ok(), "{handled:?}");
        }
        self.state.commit();
        self.env.commit();
        self.records += self.out.records.len();
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(&self.out.records);
        }
        self.out.records.clear();
    }
}

/// CPU time of this process so far, which other programs on the machine do not stretch.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}

/// Decodes and applies events to an empty state, and gives their number.
fn replay(records: &[u8]) -> usize {
    let mut state = State::create(Place { number: 1, count: 1 });
    let mut reader = Reader::new(records);
    let mut events = 0;
    while !reader.rest().is_empty() {
        let tag = reader.varint().expect("a tag");
        assert_eq!(tag, u64::from(Output::<Engine>::EVENT_TAG), "only events were recorded");
        let event = Event::decode(reader.bytes().expect("a record")).expect("an event");
        Engine::apply(&mut state, &event);
        events += 1;
        if events % 1000 == 0 {
            state.commit();
        }
    }
    state.commit();
    events
}

fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

fn one_task(bench: &mut Bench, create: &Command) {
    bench.run(create);
    let Some(Effect::Push { job, .. }) = bench.out.effects.pop() else { panic!("the job was not pushed") };
    bench.run(&Command::CompleteJob(CompleteJob { job: job.key, variables: Document::EMPTY }));
}

fn new_state() -> State {
    State::create(Place { number: 1, count: 1 })
}

/// As a checkpoint does: the dirty sets are emptied.
fn forget_changes(state: &mut State) {
    state.take_changes(&mut coreto_machine::Changes::default());
}

fn stream() -> SinkSpec {
    SinkSpec {
        job_type: "work".into(),
        worker: "bench".into(),
        timeout_ms: 60_000,
        fetch: Arc::new([]),
        tenants: Arc::new([Tenant::DEFAULT]),
        kind: SinkKind::Stream,
    }
}

fn deploy() -> Command {
    let resource = Resource { name: "one-task.bpmn".into(), content: MODEL.as_bytes().into() };
    Command::Deploy(Deploy { tenant: Tenant::DEFAULT, resources: vec![resource] })
}

fn create() -> Command {
    let variables = format!(r#"{{"lg":"0123456789abcdef","pad":"{}"}}"#, "x".repeat(60));
    Command::CreateInstance(CreateInstance {
        process: "one-task".into(),
        variables: Document::parse(&variables).expect("JSON"),
        ..CreateInstance::default()
    })
}

/// Nanoseconds and bytes of records per instance.
#[expect(clippy::cast_precision_loss, reason = "it is a measurement")]
fn whole_instances(bench: &mut Bench, instances: usize) -> (f64, usize) {
    let create = create();
    bench.records = 0;
    let begun = cpu_time();
    for _ in 0..instances {
        one_task(bench, &create);
    }
    let took = cpu_time().saturating_sub(begun);
    let broken = invariant::broken(&bench.state);
    assert!(broken.is_empty(), "{broken:?}");
    (took.as_nanos() as f64 / instances as f64, bench.records / instances)
}

/// Nanoseconds per event, and how many there were.
#[expect(clippy::cast_precision_loss, reason = "it is a measurement")]
fn replayed_events(bench: &mut Bench) -> (f64, usize) {
    bench.state = new_state();
    bench.kept = Some(Vec::new());
    bench.run(&deploy());
    let create = create();
    for _ in 0..REPLAYED {
        one_task(bench, &create);
    }
    let kept = bench.kept.take().expect("events were kept");
    let begun = cpu_time();
    let events = replay(&kept);
    let took = cpu_time().saturating_sub(begun);
    (took.as_nanos() as f64 / events as f64, events)
}

/// Bytes of memory per instance that waits for its job.
fn parked_instances(bench: &mut Bench, parked: usize) -> usize {
    forget_changes(&mut bench.state);
    let before = resident_bytes();
    let create = create();
    for _ in 0..parked {
        bench.run(&create);
    }
    forget_changes(&mut bench.state);
    (resident_bytes() - before) / parked
}

#[expect(clippy::print_stdout, reason = "it prints measurements")]
fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>().expect("a number"));
    let instances = arguments.next().unwrap_or(300_000);
    let parked = arguments.next().unwrap_or(200_000);
    let sinks = Arc::new(Sinks::default());
    let mut bench = Bench {
        state: new_state(),
        env: Env::new(Arc::clone(&sinks), Limits::default(), "UTC".into()),
        out: Output::default(),
        records: 0,
        kept: None,
    };
    bench.run(&deploy());
    let stream = sinks.open(stream(), u32::MAX);
    let (ns, bytes) = whole_instances(&mut bench, instances);
    println!("{ns:.0} ns and {bytes} bytes of records per one-task instance");
    let (ns, events) = replayed_events(&mut bench);
    println!("{ns:.0} ns per replayed event, {events} of them");
    sinks.close(stream);
    let bytes = parked_instances(&mut bench, parked);
    println!("{bytes} bytes of memory per parked instance");
}
