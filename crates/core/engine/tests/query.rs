//! Questions see what their caller may see, a page at a time.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use coreto_engine::{
    Answer, Engine, Env, InstanceFilter, JobFilter, JobView, Limits, Page, Query, Sinks, State,
};
use coreto_machine::{
    Caller, Channel, Head, Machine, Output, Place, Principal, Tables, Tenant, Timestamp, Txn,
};
use coreto_record::command::{CreateInstance, Deploy, Resource};
use coreto_record::{Command, Key, ProcessInstanceKey};

const MODEL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="t">
<process id="p" isExecutable="true"><startEvent id="s"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="a"/><sequenceFlow id="f2" sourceRef="s" targetRef="b"/>
<serviceTask id="a"><extensionElements><zeebe:taskDefinition type="a"/></extensionElements></serviceTask>
<serviceTask id="b"><extensionElements><zeebe:taskDefinition type="b"/></extensionElements></serviceTask></process></definitions>"#;

const NOW: Timestamp = Timestamp::from_millis(1_767_225_599_999);

/// Instances that run.
const RUNNING: usize = 7;

fn state() -> State {
    let mut state = State::create(Place { number: 1, count: 1 });
    let mut env = Env::new(Arc::new(Sinks::default()), Limits::default(), "UTC".into());
    let mut out = Output::<Engine>::default();
    let resource = Resource { name: "p.bpmn".into(), content: MODEL.as_bytes().into() };
    let deploy = Deploy { tenant: Tenant::DEFAULT, resources: vec![resource] };
    out.follow_ups.push_back(Command::Deploy(deploy));
    let create = CreateInstance { process: "p".into(), ..CreateInstance::default() };
    out.follow_ups.extend(vec![Command::CreateInstance(create); RUNNING]);
    let head = Head {
        now: NOW,
        seed: 1,
        caller: Caller::anonymous(Channel::Grpc),
        operation_reference: None,
        token: None,
    };
    while let Some(command) = out.follow_ups.pop_front() {
        assert!(Engine::handle(&mut Txn::new(&mut state, &mut env, &mut out), &head, &command).is_ok());
        state.commit();
    }
    state
}

fn jobs(state: &State, caller: &Caller, filter: JobFilter) -> (Vec<JobView>, Option<u64>) {
    let Answer::Jobs(jobs, next) = Engine::query(state, caller, &Query::Jobs(filter)) else { unreachable!() };
    (jobs, next)
}

fn instances(state: &State, caller: &Caller) -> Vec<ProcessInstanceKey> {
    let query = Query::Instances(InstanceFilter::default());
    let Answer::Instances(instances, _) = Engine::query(state, caller, &query) else { unreachable!() };
    instances.into_iter().map(|instance| instance.key).collect()
}

#[test]
fn pages_follow_each_other_without_gap_or_overlap() {
    let state = state();
    let mut keys = Vec::new();
    let mut after = 0;
    loop {
        let page = Page { limit: 3, after };
        let (found, next) = jobs(&state, &Caller::internal(), JobFilter { page, ..JobFilter::default() });
        assert!(found.len() <= 3);
        keys.extend(found.into_iter().map(|job| job.key));
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(keys.len(), 2 * RUNNING);
    assert!(keys.is_sorted_by(|one, next| one < next));
}

#[test]
fn jobs_of_one_instance_are_those_of_all_that_are_its_own() {
    let state = state();
    let caller = Caller::internal();
    let (all, _) = jobs(&state, &caller, JobFilter::default());
    for instance in instances(&state, &caller) {
        let own: Vec<_> = all.iter().filter(|job| job.instance == instance).map(|job| job.key).collect();
        let filter = JobFilter { instance: Some(instance), ..JobFilter::default() };
        let (found, next) = jobs(&state, &caller, filter.clone());
        assert_eq!(found.iter().map(|job| job.key).collect::<Vec<_>>(), own);
        assert_eq!((own.len(), next), (2, None));
        let page = Page { limit: 0, after: own[0].raw() };
        let (rest, _) = jobs(&state, &caller, JobFilter { page, ..filter });
        assert_eq!(rest.iter().map(|job| job.key).collect::<Vec<_>>(), own[1..]);
    }
}

#[test]
fn foreign_tenants_see_nothing() {
    let state = state();
    let stranger = Caller::of(Principal(9), Channel::Grpc, Arc::new([Tenant::from_raw(5)]));
    let instance = instances(&state, &Caller::internal())[0];
    assert_eq!(instances(&state, &stranger), []);
    assert!(jobs(&state, &stranger, JobFilter::default()).0.is_empty());
    let filter = JobFilter { instance: Some(instance), ..JobFilter::default() };
    assert!(jobs(&state, &stranger, filter).0.is_empty());
    let answer = Engine::query(&state, &stranger, &Query::Instance(instance));
    assert!(matches!(answer, Answer::Instance(None)));
}

#[test]
fn instances_say_when_they_started() {
    let state = state();
    let query = Query::Instances(InstanceFilter::default());
    let Answer::Instances(found, _) = Engine::query(&state, &Caller::internal(), &query) else {
        unreachable!()
    };
    assert_eq!(found.len(), RUNNING);
    assert!(found.iter().all(|instance| instance.started == NOW));
}
