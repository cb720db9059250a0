//! A transaction that is undone leaves no trace: not in the state, not in the credit of streams and polls.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use coreto_engine::{
    Answer, Effect, Engine, Env, IncidentFilter, InstanceFilter, JobFilter, Limits, Query, SinkKind,
    SinkSpec, Sinks, State, invariant,
};
use coreto_machine::{
    Caller, Channel, Env as _, Fault, Head, Machine, Output, Place, Tables, Tenant, Timestamp, Txn,
};
use coreto_record::command::{
    ActivateElement, ActivateJobs, CancelInstance, CompleteJob, CreateInstance, Deploy, FailJob,
    ResolveIncident, Resource, SetVariables, ThrowError, UpdateJobRetries,
};
use coreto_record::{Command, Document, ElementNumber, IncidentKey, JobKey, ProcessInstanceKey};

const MODEL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="t">
<process id="p" isExecutable="true"><startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="a"/>
<serviceTask id="a"><extensionElements><zeebe:taskDefinition type="a"/><zeebe:ioMapping><zeebe:input source="=x" target="y"/>
<zeebe:output source="=y" target="z"/></zeebe:ioMapping></extensionElements></serviceTask>
<sequenceFlow id="f2" sourceRef="a" targetRef="b"/><sequenceFlow id="f3" sourceRef="a" targetRef="e"/>
<serviceTask id="b"><extensionElements><zeebe:taskDefinition type="b"/></extensionElements></serviceTask>
<sequenceFlow id="f4" sourceRef="b" targetRef="e"/><endEvent id="e"/></process></definitions>"#;

struct Bench {
    state: State,
    env: Env,
    out: Output<Engine>,
    sinks: Arc<Sinks>,
    now: i64,
}

impl Bench {
    fn new() -> Self {
        let sinks = Arc::new(Sinks::default());
        let env = Env::new(Arc::clone(&sinks), Limits::default(), "UTC".into());
        let state = State::create(Place { number: 1, count: 1 });
        Self { state, env, out: Output::default(), sinks, now: 0 }
    }

    /// Runs a command and its follow-ups, and gives the number of jobs that were pushed.
    fn run(&mut self, command: &Command) -> usize {
        let head = Head {
            now: Timestamp::from_millis(self.now),
            seed: 7,
            caller: Caller::anonymous(Channel::Grpc),
            operation_reference: None,
            token: None,
        };
        let mut next = Some(command.clone());
        while let Some(command) = next {
            // Whether it is rejected does not matter: both must leave nothing behind.
            drop(Engine::handle(
                &mut Txn::new(&mut self.state, &mut self.env, &mut self.out),
                &head,
                &command,
            ));
            next = self.out.follow_ups.pop_front();
        }
        self.out.records.clear();
        self.out.effects.drain(..).map(|Effect::Push { .. }| ()).count()
    }

    /// Runs a command twice: once for nothing, once for good.
    fn try_and_run(&mut self, command: &Command) {
        let before = (self.state.fingerprint(), self.sinks.count());
        let pushed = self.run(command);
        self.state.undo();
        self.env.undo();
        assert_eq!((self.state.fingerprint(), self.sinks.count()), before, "{command:?} left something");
        assert_eq!(self.run(command), pushed, "{command:?} found other credit than the first time");
        self.state.commit();
        self.env.commit();
        self.env.seal();
        assert_eq!(invariant::broken(&self.state), Vec::<String>::new(), "after {command:?}");
    }

    fn ask(&self, query: &Query) -> Answer {
        Engine::query(&self.state, &Caller::internal(), query)
    }

    fn jobs(&self) -> Vec<JobKey> {
        let Answer::Jobs(jobs, _) = self.ask(&Query::Jobs(JobFilter::default())) else { unreachable!() };
        jobs.into_iter().map(|job| job.key).collect()
    }

    fn incidents(&self) -> Vec<IncidentKey> {
        let query = Query::Incidents(IncidentFilter::default());
        let Answer::Incidents(incidents, _) = self.ask(&query) else { unreachable!() };
        incidents.into_iter().map(|incident| incident.key).collect()
    }

    fn instances(&self) -> Vec<ProcessInstanceKey> {
        let query = Query::Instances(InstanceFilter::default());
        let Answer::Instances(instances, _) = self.ask(&query) else { unreachable!() };
        instances.into_iter().map(|instance| instance.key).collect()
    }

    fn open(&self, job_type: &str, kind: SinkKind, credit: u32) -> u64 {
        let spec = SinkSpec {
            job_type: job_type.into(),
            worker: "w".into(),
            timeout_ms: 1000,
            fetch: Arc::new([]),
            tenants: Arc::new([Tenant::DEFAULT]),
            kind,
        };
        self.sinks.open(spec, credit)
    }
}

fn deploy() -> Command {
    let resource = Resource { name: "p.bpmn".into(), content: MODEL.as_bytes().into() };
    Command::Deploy(Deploy { tenant: Tenant::DEFAULT, resources: vec![resource] })
}

fn create(variables: &str) -> Command {
    let variables = Document::parse(variables).unwrap();
    Command::CreateInstance(CreateInstance { process: "p".into(), variables, ..CreateInstance::default() })
}

/// Small numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 40).unwrap() % count
    }

    fn one_of<T: Copy + Default>(&mut self, all: &[T]) -> T {
        if all.is_empty() { T::default() } else { all[self.below(all.len())] }
    }
}

#[test]
fn undone_transactions_leave_nothing_behind() {
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let mut bench = Bench::new();
        bench.try_and_run(&deploy());
        bench.open("a", SinkKind::Stream, 3);
        for _ in 0..150 {
            let job = dice.one_of(&bench.jobs());
            let command = match dice.below(12) {
                0 => deploy(),
                1..=3 => create(r#"{"x":1,"z":0}"#),
                4 | 5 => {
                    let variables = Document::parse(r#"{"z":2,"r":3}"#).unwrap();
                    Command::CompleteJob(CompleteJob { job, variables })
                }
                6 => {
                    let (retries, backoff) = (i32::try_from(dice.below(2)).unwrap(), 500);
                    Command::FailJob(FailJob { job, retries, backoff, ..FailJob::default() })
                }
                7 => Command::ThrowError(ThrowError { job, code: "E".into(), ..ThrowError::default() }),
                8 => Command::UpdateJobRetries(UpdateJobRetries { job, retries: 2 }),
                9 => Command::ResolveIncident(ResolveIncident { incident: dice.one_of(&bench.incidents()) }),
                10 => match dice.below(3) {
                    0 => {
                        Command::CancelInstance(CancelInstance { instance: dice.one_of(&bench.instances()) })
                    }
                    1 => Command::SetVariables(SetVariables {
                        scope: dice.one_of(&bench.instances()).into(),
                        variables: Document::parse(r#"{"x":4}"#).unwrap(),
                        local: true,
                    }),
                    _ => {
                        bench.now += 700;
                        Command::Tick(())
                    }
                },
                _ => {
                    let poll = bench.open("b", SinkKind::Poll { max: 2 }, 2);
                    Command::ActivateJobs(ActivateJobs {
                        job_type: "b".into(),
                        worker: "w".into(),
                        timeout: 1000,
                        max: 2,
                        tenants: vec![Tenant::DEFAULT],
                        poll,
                        ..ActivateJobs::default()
                    })
                }
            };
            bench.try_and_run(&command);
        }
    }
}

#[test]
fn bans_an_instance_in_which_the_engine_failed() {
    let mut bench = Bench::new();
    bench.try_and_run(&deploy());
    bench.try_and_run(&create("{}"));
    let [instance] = bench.instances()[..] else { panic!("one instance runs") };
    let [job] = bench.jobs()[..] else { panic!("one job waits") };
    let head = Head {
        now: Timestamp::from_millis(0),
        seed: 7,
        caller: Caller::internal(),
        operation_reference: None,
        token: None,
    };
    let failed = Command::ActivateElement(ActivateElement {
        instance,
        scope: instance.into(),
        element: ElementNumber(1),
        ..ActivateElement::default()
    });
    let mut txn = Txn::new(&mut bench.state, &mut bench.env, &mut bench.out);
    assert!(Engine::fault(&mut txn, &head, &failed, &Fault::Panicked("it broke".into())).is_ok());
    bench.state.commit();
    // The job ends, its element does not go on, and the instance stays as it is.
    bench.try_and_run(&Command::CompleteJob(CompleteJob { job, variables: Document::EMPTY }));
    assert_eq!(bench.instances(), [instance]);
    assert_eq!(bench.jobs(), []);
    bench.try_and_run(&Command::CancelInstance(CancelInstance { instance }));
    assert_eq!(bench.instances(), [instance]);
}

#[test]
fn a_tick_that_failed_passes_what_is_due_first() {
    let mut bench = Bench::new();
    bench.try_and_run(&deploy());
    bench.try_and_run(&create("{}"));
    bench.try_and_run(&create("{}"));
    let take = ActivateJobs {
        job_type: "a".into(),
        worker: "w".into(),
        timeout: 10,
        max: 5,
        tenants: vec![Tenant::DEFAULT],
        ..ActivateJobs::default()
    };
    bench.try_and_run(&Command::ActivateJobs(take));
    let head = Head {
        now: Timestamp::from_millis(1000),
        seed: 7,
        caller: Caller::internal(),
        operation_reference: None,
        token: None,
    };
    for left in [1, 0] {
        assert!(Engine::due(&bench.state).is_some_and(|due| due <= head.now));
        let mut txn = Txn::new(&mut bench.state, &mut bench.env, &mut bench.out);
        let failed = Fault::Panicked("it broke".into());
        assert!(Engine::fault(&mut txn, &head, &Command::Tick(()), &failed).is_ok());
        bench.state.commit();
        assert_eq!(Engine::due(&bench.state).is_some(), left > 0);
    }
    assert_eq!(bench.jobs().len(), 2);
    assert!(invariant::broken(&bench.state).is_empty());
}
