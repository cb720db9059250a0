//! Some hundred seeds of the simulator; `SEED=n` repeats one, `SEEDS=n` runs so many.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use coreto_catalog::Catalog;
use coreto_engine::Engine;
use coreto_sim::simulator::{Plan, Subject, run};
use coreto_sim::toy::Toy;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn seeds() {
    run_all::<Toy>(300);
}

#[test]
fn seeds_of_the_catalog() {
    run_all::<Catalog>(300);
}

#[test]
fn seeds_of_the_engine() {
    run_all::<Engine>(40);
}

fn run_all<M: Subject>(seeds: u64) {
    if let Some(seed) = number("SEED") {
        return run::<M>(seed, Plan::default());
    }
    // Panics that the toy is told to make would fill the output.
    std::panic::set_hook(Box::new(|info| {
        let text = info.to_string();
        if !text.contains("the toy was told to panic") {
            eprintln!("{text}");
        }
    }));
    for seed in 0..number("SEEDS").unwrap_or(seeds) {
        run::<M>(seed, Plan::default());
    }
}
