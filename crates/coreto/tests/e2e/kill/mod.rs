//! `kill -9` under load: what was acknowledged is there exactly once, what was not is whole or absent, and it goes on.

mod events;
mod history;
mod ledger;
mod load;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::support::{Chance, Client, Directory, Poll, Server, Settings, number, until};
use history::History;
use ledger::Ledger;
use load::{PROCESS, complete, deploy};

/// Snapshots and the trimming of the log are part of what is interrupted.
const CONFIGURATION: &str = "[snapshot]\nlog-bytes = 200000\n";

/// How long the load runs before the kill, in milliseconds.
const LOAD: std::ops::Range<u64> = 20..500;

/// A start takes about so many milliseconds; it is interrupted somewhere within.
const START: u64 = 20;

#[tokio::test]
async fn kill_loses_nothing_and_doubles_nothing() {
    let rounds = number("CORETO_E2E_KILLS", 8);
    let seed = number("CORETO_E2E_SEED", u64::from(std::process::id()));
    eprintln!("CORETO_E2E_SEED={seed} CORETO_E2E_KILLS={rounds} repeats the moments of the kills");
    let mut chance = Chance::new(seed);
    let directory = Directory::new();
    let records = directory.join("records.ndjson");
    let settings = Settings::new(&directory).configure(CONFIGURATION).argument("--export-ndjson", &records);
    let ledger = Arc::new(Mutex::new(Ledger::default()));

    let server = settings.start();
    deploy(&server.client().await).await;
    server.kill();
    for round in 0..rounds {
        if chance.below(3) == 0 {
            kill_during_start(&settings, &mut chance);
        }
        let server = settings.start();
        check(&server, &ledger, round).await;
        let load = load::run(&server, &ledger).await;
        let pause = LOAD.start + chance.below(LOAD.end - LOAD.start);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        server.kill();
        load.ended().await;
    }

    let server = settings.start();
    check(&server, &ledger, rounds).await;
    finish(&server.client().await, &ledger).await;
    server.stop().await;
    export_the_rest(&settings, &records).await;
    let ledger = ledger.lock().unwrap();
    eprintln!("{}", ledger.summary());
    assert!(ledger.created.len() > 10 && ledger.completed.len() > 10, "the load did next to nothing");
    History::read(&records).check(&ledger);
}

/// A server that stops gives its exporter some seconds only: lets others go on, until there is nothing left to export.
async fn export_the_rest(settings: &Settings, records: &Path) {
    let bytes = || std::fs::metadata(records).unwrap().len();
    let mut before = 0;
    while bytes() > before {
        before = bytes();
        settings.start().stop().await;
    }
}

fn kill_during_start(settings: &Settings, chance: &mut Chance) {
    let mut child = settings.spawn();
    std::thread::sleep(Duration::from_micros(chance.below(START * 1000)));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The state after a start, before anything else happens.
async fn check(server: &Server, ledger: &Mutex<Ledger>, round: u64) {
    let client = server.client().await;
    let running = client.instances().await.unwrap();
    let keys: Vec<i64> = running.iter().map(|instance| instance.key).collect();
    let strangers = ledger.lock().unwrap().check_running(&keys, round);
    // Of the others the state knows as much as of those that it knows by an answer, so some of each are looked at.
    for key in keys.iter().take(20).chain(&strangers) {
        let instance = client.instance(*key).await.unwrap();
        assert_eq!(instance.element_instances.len(), 2, "round {round}, instance {key}");
        assert_eq!(instance.jobs.len(), 1, "round {round}, instance {key}");
        let id = instance.variables.iter().find(|variable| variable.name == "id").unwrap();
        ledger.lock().unwrap().check_sent(id.value.parse().unwrap(), *key);
    }
}

/// Completes what is left, until nothing runs.
async fn finish(client: &Client, ledger: &Arc<Mutex<Ledger>>) {
    until("all instances complete", async || {
        let poll = Poll { job_type: PROCESS, max: 1000, wait: Duration::ZERO, lock: Duration::from_secs(60) };
        let mut completions = JoinSet::new();
        for job in client.poll(poll).await.unwrap() {
            let (client, ledger) = (client.clone(), Arc::clone(ledger));
            completions.spawn(async move { complete(&client, &ledger, &job).await.unwrap() });
        }
        completions.join_all().await;
        client.instances().await.unwrap().is_empty().then_some(())
    })
    .await;
    assert!(client.jobs().await.unwrap().is_empty());
}
