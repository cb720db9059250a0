//! Random processes and random scripts: what must hold after every step, after every restart, and at the end.
//!
//! `SEED=7 cargo test --release -p coreto-cases --test random` repeats one seed; `SEEDS=1000` plays more of them.

#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the dice give small numbers"
)]

mod generate;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use generate::Game;

/// Seeds that are played when none is named.
const SEEDS: u64 = 150;

/// Events that must have occurred when enough seeds were played, so that the games stay worth their time.
const EVENTS: [&str; 23] = [
    "FlowTaken",
    "IncidentCreated IoMappingError",
    "IncidentCreated ExtractValueError",
    "IncidentCreated JobNoRetries",
    "IncidentCreated MessageSizeExceeded",
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
    "ProcessEventTriggered",
    "ResultAwaited",
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
    for seed in seeds {
        let played = catch_unwind(AssertUnwindSafe(|| play(seed)));
        match played {
            Ok(Ok(events)) => seen.extend(events),
            Ok(Err(fault)) => panic!("SEED={seed}: {fault}"),
            Err(panic) => {
                eprintln!("SEED={seed} panicked");
                resume_unwind(panic);
            }
        }
    }
    let missing: Vec<_> = EVENTS.iter().filter(|event| !seen.contains(**event)).collect();
    assert!(!many || missing.is_empty(), "the games are blind to {missing:?}");
}

/// Plays a seed and tells which events occurred.
fn play(seed: u64) -> Result<BTreeSet<String>, String> {
    let mut game = Game::begin(seed);
    let mut cuts = Vec::new();
    for _ in 0..STEPS {
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
        [] => Ok(game.seen()),
        left => Err(format!("all instances have ended and tables are not empty: {left:?}")),
    }
}
