//! Random processes and random scripts: what must hold after every step, after every restart, and at the end.
//!
//! `SEED=7 cargo test --release -p coreto-cases --test random` repeats one seed; `SEEDS=1000` plays more of them. A game
//! that fails is made as small as it can be and printed as a case.

#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the dice give small numbers"
)]

mod generate;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use generate::{Game, Script, shrink};

/// Seeds that are played when none is named.
const SEEDS: u64 = 150;

/// Events that must have occurred when enough seeds were played, so that the games stay worth their time.
const EVENTS: [&str; 34] = [
    "ElementMigrated",
    "FlowTaken",
    "IncidentCreated IoMappingError",
    "IncidentCreated ExtractValueError",
    "IncidentCreated JobNoRetries",
    "IncidentCreated MessageSizeExceeded",
    "IncidentMigrated",
    "IncidentCreated UnhandledErrorEvent",
    "IncidentResolved",
    "Job Canceled",
    "Job Completed",
    "Job Created",
    "Job ErrorThrown",
    "Job Failed",
    "Job RecurredAfterBackoff",
    "Job RetriesUpdated",
    "Job TimedOut",
    "Job TimeoutUpdated",
    "Job Yielded",
    "JobsActivated",
    "JobsActivated truncated",
    "InstanceMigrated",
    "InstanceModified",
    "Job Migrated",
    "Message",
    "MessageSubscription",
    "ProcessEventTriggered",
    "ProcessSubscription",
    "ResultAwaited",
    "SignalSubscription",
    "Timer",
    "VariableMigrated",
    "VariableUpdated",
    "VariablesUpdated",
];

/// Steps of a script before everything is ended.
const STEPS: usize = 120;

#[test]
fn random_scripts_break_no_promise() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
    };
    let mut seen = BTreeSet::new();
    let many = seeds.clone().count() as u64 >= SEEDS;
    let all: Vec<usize> = (0..STEPS).collect();
    for seed in seeds {
        match play(seed, &all).1 {
            Ok(events) => seen.extend(events),
            Err(fault) => panic!("SEED={seed}: {fault}\n\n{}", told(seed, all)),
        }
    }
    let missing: Vec<_> = EVENTS.iter().filter(|event| !seen.contains(**event)).collect();
    assert!(!many || missing.is_empty(), "the games are blind to {missing:?}");
}

/// The smallest game of a seed that still fails, as a case with its models.
fn told(seed: u64, steps: Vec<usize>) -> String {
    let steps = shrink::smallest(steps, |steps| play(seed, steps).1.is_err());
    let (script, played) = play(seed, &steps);
    let fault = played.err().unwrap_or_default();
    format!("{} of {STEPS} steps are enough for: {fault}\n\n# A claim.\n{script}", steps.len())
}

/// Plays some steps of a seed's game. Gives what was done, and which events occurred or what is wrong.
fn play(seed: u64, steps: &[usize]) -> (Script, Result<BTreeSet<String>, String>) {
    let mut game = Game::begin(seed);
    let played = catch_unwind(AssertUnwindSafe(|| play_steps(&mut game, steps)));
    let played = played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("a panic: {}", text.unwrap_or_default()))
    });
    let (script, events) = game.end();
    (script, played.map(|()| events))
}

fn play_steps(game: &mut Game, steps: &[usize]) -> Result<(), String> {
    let mut cuts = Vec::new();
    for step in steps {
        game.roll(*step);
        game.step()?;
        if game.one_in(15) {
            cuts.push(game.bench().cut());
        }
        if game.one_in(30) {
            game.restart()?;
        }
    }
    game.settle()?;
    for cut in &cuts {
        if game.bench().differs_from(cut) {
            return Err(
                "a store of an earlier time and the rest of the log do not give the live state".to_owned()
            );
        }
    }
    game.end_all()?;
    match game.bench().leftovers().as_slice() {
        [] => Ok(()),
        left => Err(format!("all instances have ended and tables are not empty: {left:?}")),
    }
}

#[test]
fn games_can_be_kept_as_cases() {
    for seed in 0..20 {
        let (script, played) = play(seed, &(0..STEPS).collect::<Vec<_>>());
        played.unwrap();
        let load = |file: &str| script.model(file).map(Into::into).ok_or_else(|| format!("no `{file}`"));
        let case = format!("{}\nleft\n", script.steps());
        let trace = coreto_cases::play::play(&case, &load)
            .unwrap_or_else(|fault| panic!("SEED={seed}: {fault}\n\n{script}"));
        assert!(trace.ends_with("left: nothing\n"), "SEED={seed}: the case ends otherwise\n\n{script}");
    }
}

#[test]
fn shrinking_keeps_what_a_failure_needs() {
    for needed in [&[][..], &[0], &[119], &[17, 60], &[3, 4, 5, 50, 99]] {
        let mut tries = 0;
        let found = shrink::smallest((0..STEPS).collect(), |steps| {
            tries += 1;
            needed.iter().all(|step| steps.contains(step))
        });
        assert_eq!(found, needed);
        assert!(tries < 10 * STEPS, "{tries} tries");
    }
}
