//! Random processes and scripts against a small model of what they should do, which knows nothing of the engine: what
//! runs, in which scopes, with which variables, jobs and incidents, and what is waited for.
//!
//! Processes are of tasks, gateways, subprocesses, called processes, loops, errors, timers, messages and signals, in all
//! places in which events may stand, on one partition or on three. Clients complete and fail jobs, throw errors, publish messages, broadcast signals,
//! set variables, change instances by hand, migrate and cancel them; time jumps, and the engine starts again from its log.
//!
//! `SEED=7 cargo test --release -p coreto-cases --test reference` repeats one game, with `TELL=1` and `--nocapture` it is
//! told action by action; `SEEDS=20000` plays more of them, `FROM=20000` others.
//!
//! # Where to look
//! `spec.rs` what a process is · `generate.rs` random ones · `bpmn.rs` how they are told to the engine · `model/` what
//! they should do · `seen.rs` what the engine's records say that they do · `compare.rs` both beside each other ·
//! `choose.rs`, `action.rs`, `game.rs` what is done to them · `group.rs` the engine's partitions.

#![allow(clippy::unwrap_used, reason = "a test")]
#![allow(clippy::print_stdout, reason = "a game is told when that is asked for")]

mod action;
mod bpmn;
mod choose;
mod compare;
mod dice;
mod game;
mod generate;
mod group;
mod model;
mod seen;
mod spec;

use game::Game;

/// Games that are played when none is named.
const SEEDS: u64 = 600;

#[test]
fn the_engine_does_what_the_model_does() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let from = number("FROM").unwrap_or(0);
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => from..from + number("SEEDS").unwrap_or(SEEDS),
    };
    let (mut completed, mut terminated, mut migrated, mut open) = (0, 0, 0, 0);
    // Of the games that fail the shortest is told.
    let mut failed = Vec::new();
    for seed in seeds.clone() {
        let mut game = Game::new(seed);
        match game.play() {
            Ok(ended) => (completed, terminated) = (completed + ended.0, terminated + ended.1),
            Err(fault) => failed.push((game.past.len(), seed, fault)),
        }
        open += u64::from(game.is_open);
        migrated += game.migrated;
    }
    if let Some((_, seed, fault)) = failed.iter().min() {
        let all: Vec<u64> = failed.iter().map(|(_, seed, _)| *seed).collect();
        panic!("games fail: {all:?}; the shortest is SEED={seed}: {fault}");
    }
    let played = seeds.end - seeds.start;
    println!(
        "{completed} instances completed, {terminated} were terminated, {migrated} moved; {open} of {played} games ended early"
    );
    if played >= SEEDS {
        assert!(
            completed > 200 && terminated > 200 && migrated > 100 && open < played / 20,
            "the games are not worth their time"
        );
    }
}
