//! Random processes and scripts against a small model of what they should do, which knows nothing of the engine: which
//! jobs wait, which loop items they see, what loops collect, and when an instance has ended.
//!
//! A process is a tree of blocks: tasks, sequences, branches, subprocesses, called processes and loops. `SEED=7` repeats
//! one game, `SEEDS=1000` plays more of them.

#![allow(clippy::unwrap_used, reason = "a test")]

mod blocks;

use std::collections::{BTreeMap, BTreeSet};

use blocks::{Block, Dice, Run, Waiting};
use coreto_cases::bench::{Bench, Bounds};
use coreto_machine::Tenant;
use coreto_partition::{Answer, Body};
use coreto_record::command::{ActivateJobs, CancelInstance, CompleteJob, CreateInstance, Deploy, Resource};
use coreto_record::event::JobIntent;
use coreto_record::{
    ActivatedJob, Command, Document, Event, JobKey, Key, Lifecycle, ProcessInstanceKey, Reply,
};

/// Games that are played when none is named.
const SEEDS: u64 = 120;

#[test]
fn the_engine_does_what_the_model_does() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
    };
    let (mut completed, mut cancelled) = (0, 0);
    for seed in seeds.clone() {
        match Game::begin(seed).play() {
            Ok(true) => completed += 1,
            Ok(false) => cancelled += 1,
            Err(fault) => panic!("SEED={seed}: {fault}"),
        }
    }
    if seeds.end - seeds.start >= SEEDS {
        assert!(completed > 20 && cancelled > 20, "{completed} games completed, {cancelled} were cancelled");
    }
}

struct Game {
    bench: Bench,
    dice: Dice,
    root: Block,
    /// Jobs that wait, as a worker sees them.
    jobs: BTreeMap<Waiting, JobKey>,
    instance: ProcessInstanceKey,
    /// Process instances that run: the one that was created, and those that it called.
    running: BTreeSet<ProcessInstanceKey>,
    /// How the created one ended.
    ended: Option<Lifecycle>,
    /// Last values of its own variables.
    variables: BTreeMap<String, String>,
}

impl Game {
    fn begin(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut bounds = Bounds::default();
        if dice.below(2) == 0 {
            bounds.engine.children_per_step = dice.pick(&[1, 2, 3]);
            bounds.partition.commands_in_batch_max = 1 + dice.below(8);
        }
        let root = Block::random(&mut dice);
        Self {
            bench: Bench::new(bounds),
            dice,
            root,
            jobs: BTreeMap::new(),
            instance: ProcessInstanceKey::default(),
            running: BTreeSet::new(),
            ended: None,
            variables: BTreeMap::new(),
        }
    }

    /// Plays until the instance has ended. Says whether it completed; else it was cancelled.
    fn play(&mut self) -> Result<bool, String> {
        let resources = self.root.models().into_iter().map(|(name, text)| Resource {
            name: format!("{name}.bpmn").into(),
            content: text.into_bytes().into(),
        });
        let deploy = Deploy { tenant: Tenant::DEFAULT, resources: resources.collect() };
        self.ask(Command::Deploy(deploy))?;
        let create = CreateInstance { process: "main".into(), ..CreateInstance::default() };
        self.ask(Command::CreateInstance(create))?;
        let mut model = Run::begin(&self.root);
        // Bound: each turn completes a job, of which a process has few.
        loop {
            self.compare(&model)?;
            let waiting: Vec<Waiting> = model.waiting();
            if waiting.is_empty() {
                return self.check_end(Lifecycle::Completed).map(|()| true);
            }
            if self.dice.below(12) == 0 {
                self.ask(Command::CancelInstance(CancelInstance { instance: self.instance }))?;
                self.jobs.clear();
                return self.check_end(Lifecycle::Terminated).map(|()| false);
            }
            if self.dice.below(4) == 0 {
                self.bench.restart();
            }
            let chosen = self.dice.pick(&waiting);
            let result = self.dice.below(1000);
            let job = self.jobs.remove(&chosen).unwrap();
            let variables = Document::parse(&format!(r#"{{"r":{result}}}"#)).unwrap();
            self.ask(Command::CompleteJob(CompleteJob { job, variables }))?;
            model.complete(&chosen, result);
        }
    }

    /// Jobs that wait are those of the model, with the items that they see.
    fn compare(&mut self, model: &Run) -> Result<(), String> {
        self.take_jobs()?;
        let expected: BTreeSet<Waiting> = model.waiting().into_iter().collect();
        let found: BTreeSet<Waiting> = self.jobs.keys().cloned().collect();
        if expected != found {
            return Err(format!("of {:?}\nexpected are {expected:?}\nfound are {found:?}", self.root));
        }
        for (name, value) in model.collected() {
            if self.variables.get(&name) != Some(&value) {
                let found = self.variables.get(&name);
                return Err(format!("of {:?}\n`{name}` should be {value}, it is {found:?}", self.root));
            }
        }
        Ok(())
    }

    fn take_jobs(&mut self) -> Result<(), String> {
        let command = Command::ActivateJobs(ActivateJobs {
            job_type: "work".into(),
            worker: "w".into(),
            timeout: i64::from(i32::MAX),
            max: 10_000,
            tenants: vec![Tenant::DEFAULT],
            ..ActivateJobs::default()
        });
        let Reply::JobsActivated(taken) = self.ask(command)? else { return Err("no jobs".to_owned()) };
        for job in taken.jobs {
            if let Some(other) = self.jobs.insert(seen(&job), job.key) {
                return Err(format!("jobs {other} and {} are the same", job.key));
            }
        }
        Ok(())
    }

    fn check_end(&self, how: Lifecycle) -> Result<(), String> {
        if self.ended != Some(how) || !self.running.is_empty() {
            return Err(format!("of {:?}\n{:?} run, the end was {:?}", self.root, self.running, self.ended));
        }
        match self.bench.leftovers().first() {
            None => Ok(()),
            Some(left) => Err(format!("left is {left:?}")),
        }
    }

    /// Runs a command and all that follows, with all that must hold then.
    fn ask(&mut self, command: Command) -> Result<Reply, String> {
        let told = format!("{command:?}");
        self.bench.ask(command);
        let mut answer = self.seal();
        while self.bench.take_pending() {
            answer = self.seal().or(answer);
        }
        if let Some(broken) = self.bench.broken().into_iter().chain(self.bench.differences()).next() {
            return Err(broken);
        }
        match answer {
            Some(Answer::Reply(reply)) => Ok(reply),
            other => Err(format!("{told} was answered {other:?}")),
        }
    }

    fn seal(&mut self) -> Option<Answer<coreto_engine::Engine>> {
        let batch = self.bench.seal();
        for record in batch.records {
            if let Body::Event(event) = record.body {
                self.learn(&event);
            }
        }
        batch.answers.into_iter().next().map(|(_, answer)| answer)
    }

    fn learn(&mut self, event: &Event) {
        match event {
            Event::InstanceCreated(created) => {
                self.instance = created.instance;
                self.running.insert(created.instance);
            }
            Event::InstanceStarted(started) => drop(self.running.insert(started.instance)),
            Event::Element(changed) if changed.scope.is_unset() && changed.to.is_over() => {
                self.running.remove(&changed.instance);
                if changed.instance == self.instance {
                    self.ended = Some(changed.to);
                }
            }
            Event::VariableCreated(set) | Event::VariableUpdated(set)
                if set.scope == self.instance.into() =>
            {
                self.variables.insert(set.name.to_string(), set.value.to_string());
            }
            Event::Job(job) if job.to == JobIntent::Canceled => self.jobs.retain(|_, key| *key != job.key),
            _ => (),
        }
    }
}

/// A job as the model names it: its element, and the items of the loops around it.
fn seen(job: &ActivatedJob) -> Waiting {
    let items = job.variables.entries().filter(|(name, _)| name.starts_with("item_"));
    let items = items.map(|(name, value)| (name.to_string(), value.parse().unwrap())).collect();
    Waiting { element: job.element.to_string(), items }
}
