//! Upstreams that refuse, reset, stall, answer half and lie about lengths, by a seed: every request ends, once, and
//! what is written down of it is what its client has seen.
//!
//! `CORETO_EDGE_SEED=n` repeats a run, `CORETO_EDGE_REQUESTS=n` makes it longer.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and says by which seed")]

mod book;
mod client;
mod one;
mod plan;
mod two;
mod wire;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use coreto_edge::{Gateway, Output};
use serde_json::Value;

use book::{Book, id};
use client::Outcome;
use plan::{Act, brings, plan};

/// Clients of each kind.
const CLIENTS: usize = 8;
/// Tries after the first.
const ATTEMPTS: u32 = 2;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Two endpoints that do what is planned and one that nobody listens at, for each protocol.
fn config(endpoints: [[SocketAddr; 3]; 2]) -> String {
    let listener = "[[listener]]\nname = \"public\"\naddress = \"127.0.0.1:0\"\n";
    let clusters = [("one", "http1"), ("two", "http2")].into_iter().zip(endpoints);
    let clusters = clusters.map(|((name, protocol), [a, b, c])| {
        format!(
            "[[cluster]]\nname = \"{name}\"\nprotocol = \"{protocol}\"\nendpoints = [\"{a}\", \"{b}\", \"{c}\"]\n\
             budget = {{ percent = 100 }}\n\
             [[route]]\nname = \"{name}\"\nprefix = \"/{name}\"\nto = \"{name}\"\n\
             timeouts = {{ total = \"2s\", per-try = \"250ms\", idle = \"250ms\" }}\n\
             [route.retry]\nattempts = {ATTEMPTS}\nbody-bytes = \"64KiB\"\n\
             on = [\"connection-closed\", \"reset\", \"per-try\"]\n"
        )
    });
    format!("[admin]\naddress = \"127.0.0.1:0\"\n{listener}{}", clusters.collect::<String>())
}

#[test]
fn every_request_ends_once_whatever_upstreams_do() {
    let seed = number("CORETO_EDGE_SEED", std::process::id().into());
    let requests = number("CORETO_EDGE_REQUESTS", 1_600);
    println!("CORETO_EDGE_SEED={seed} CORETO_EDGE_REQUESTS={requests}");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trouble");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let (file, log) = (folder.join("edge.toml"), folder.join("access.log"));
    let book = Book::default();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ones = [one::start(seed, &book), one::start(seed, &book), nobody];
    let twos = [two::start(seed, &book), two::start(seed, &book), nobody];
    std::fs::write(&file, config([ones, twos])).unwrap();
    let gateway = Gateway::build(&file, 2, Output::file(&log).unwrap()).unwrap();
    let shared = Arc::clone(gateway.shared());
    let address = shared.addresses()[0].1;
    let serving = gateway.start().unwrap();
    let outcomes = ask_all(address, seed, requests);
    let left: Vec<u32> =
        shared.plane().in_force().upstreams().iter().map(|upstream| upstream.in_flight()).collect();
    shared.drain();
    serving.wait().unwrap();
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (acted, mut wrong) = book.read();
    wrong.extend(judge(seed, &outcomes, &lines));
    for (id, times) in &acted {
        // A POST may be sent again only where nobody can have acted on it.
        let most = if brings(seed, *id).is_some() { 1 } else { 1 + ATTEMPTS };
        if *times > most {
            wrong.push(format!("request {id} was acted on {times} times"));
        }
    }
    assert!(
        wrong.is_empty(),
        "CORETO_EDGE_SEED={seed}: {} wrong: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(20)]
    );
    assert_eq!(left, [0, 0], "nothing is left in flight");
    let whole = outcomes.values().filter(|outcome| matches!(outcome, Outcome::Whole(200, _))).count();
    assert!(whole * 2 > outcomes.len(), "{whole} of {} went well", outcomes.len());
}

/// Asks all requests: half of the clients speak each protocol, and half of the requests go to each.
fn ask_all(address: SocketAddr, seed: u64, requests: u64) -> BTreeMap<u64, Outcome> {
    let named = |id: u64| (id, format!("/{}/{id}", if (id / 2).is_multiple_of(2) { "one" } else { "two" }));
    let share = |client: usize| -> Vec<(u64, String)> {
        let mine = |id: &u64| usize::try_from(*id).unwrap() % (2 * CLIENTS) == client;
        (0..requests).filter(mine).map(named).collect()
    };
    let mut threads = Vec::new();
    for at in 0..CLIENTS {
        let asked = share(2 * at);
        threads.push(std::thread::spawn(move || client::one(address, seed, &asked)));
    }
    let streams: Vec<_> = (0..CLIENTS).map(|at| share(2 * at + 1)).collect();
    threads.push(std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let (sender, connection) = h2::client::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            let mut clients = tokio::task::JoinSet::new();
            for asked in streams {
                clients.spawn(client::two(sender.clone(), seed, asked));
            }
            clients.join_all().await.concat()
        })
    }));
    threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
}

/// Compares what clients have seen with what is written down, and both with what was planned.
fn judge(seed: u64, outcomes: &BTreeMap<u64, Outcome>, lines: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut told: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for line in lines {
        told.entry(id(line["path"].as_str().unwrap())).or_default().push(line);
    }
    for (id, outcome) in outcomes {
        let lines = told.remove(id).unwrap_or_default();
        let [line] = lines[..] else {
            let times = lines.len();
            wrong
                .push(format!("request {id}: {}, and written down {times} times: {lines:?}", short(outcome)));
            continue;
        };
        let attempts = line["attempts"].as_u64().unwrap_or_default();
        let failed = !line["error"].is_null();
        let sound = match outcome {
            Outcome::Whole(200, body) => {
                !failed && line["status"] == 200 && fits(&plan(seed, *id, attempts - 1), body)
            }
            Outcome::Whole(status, _) | Outcome::Broken(status) => failed && line["status"] == *status,
            Outcome::Reset => failed,
            Outcome::Nothing(_) => false,
        };
        if !sound {
            wrong.push(format!("request {id}: {}, and {line}", short(outcome)));
        }
    }
    wrong.extend(told.into_values().flatten().map(|line| format!("nobody asked for {line}")));
    wrong
}

/// Whether a body is the whole one of a try; a length that is too short is believed, there is no other.
fn fits(plan: &plan::Plan, body: &str) -> bool {
    match plan.act {
        Act::Whole | Act::Pieces | Act::Early | Act::Hints | Act::Leave => body == plan.body,
        Act::Short => body == &plan.body[..plan.body.len() / 2],
        Act::Close
        | Act::Reset
        | Act::Refuse
        | Act::Stall
        | Act::HalfClose
        | Act::HalfReset
        | Act::HalfStall
        | Act::HalfGarbage
        | Act::Garbage => false,
    }
}

fn short(outcome: &Outcome) -> String {
    let text = format!("{outcome:?}");
    text.chars().take(100).collect()
}
