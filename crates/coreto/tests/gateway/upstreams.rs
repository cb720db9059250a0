//! What upstreams do to the requests under way, and to those that come.

use crate::support::client::{Caller, ask};
use crate::support::load::{Asked, Load};
use crate::support::program::{Program, SWITCHES, access_log, cluster, config, folder, until};
use crate::support::upstream::Upstream;
use crate::support::way::Way;

fn start(test: &str, text: &str) -> (std::path::PathBuf, Program) {
    let folder = folder(test);
    std::fs::write(folder.join("edge.toml"), config(0, "", text)).unwrap();
    let program = Program::start(&folder, &[]);
    (folder, program)
}

#[test]
fn an_upstream_that_is_killed_costs_what_it_was_at_and_no_more() {
    const CLIENTS: usize = 8;
    let (doomed, other) = (Upstream::start("doomed"), Upstream::start("other"));
    let text = cluster("shop", &[doomed.address, other.address], "balance = \"round-robin\"", "");
    let (folder, gateway) = start("killed", &text);
    // A POST may have acted where it was sent to, and is not sent again; a GET is.
    let asked = |request, body| Asked { address: gateway.address, request, body };
    let posts = Load::kept(&asked("POST /shop/a", "an order"), CLIENTS);
    let gets = Load::start(gateway.address, "/shop/a");
    posts.go_on(200);
    gets.go_on(200);
    doomed.kill();
    posts.go_on(200);
    gets.go_on(200);
    let (answered, failed) = gets.end();
    assert!(failed.is_empty(), "{answered} were answered; not: {failed:#?}");
    let (_, failed) = posts.end();
    assert!(failed.len() <= CLIENTS, "each client had one request there at most: {failed:#?}");
    assert!(failed.iter().all(|failed| failed.starts_with("502")), "{failed:#?}");
    gateway.end();
    let log = access_log(&folder);
    let lost = log.iter().filter(|line| line["status"] != 200);
    let lost: Vec<_> = lost.map(|line| (&line["status"], &line["method"], &line["endpoint"])).collect();
    let there = doomed.address.to_string();
    assert_eq!(lost.len(), failed.len());
    assert!(
        lost.iter().all(|found| *found == (&502.into(), &"POST".into(), &there.as_str().into())),
        "{lost:?}"
    );
}

#[test]
fn an_upstream_that_is_drained_costs_nothing() {
    let (leaving, other) = (Upstream::start("leaving"), Upstream::start("other"));
    let text = cluster("shop", &[leaving.address, other.address], "balance = \"round-robin\"", SWITCHES);
    let (_, gateway) = start("drained", &text);
    let posts = Asked { address: gateway.address, request: "POST /shop/a", body: "an order" };
    let loads =
        [Load::kept(&posts, 8), Load::of_all_kinds(&Way { address: gateway.address, trust: None }, false)];
    let go_on = || {
        loads.iter().for_each(|load| load.go_on(200));
        loads.iter().for_each(Load::all_go_on);
    };
    go_on();
    leaving.drain();
    go_on();
    for load in loads {
        let (answered, failed) = load.end();
        assert!(failed.is_empty(), "{answered} were answered; not: {failed:#?}");
    }
    gateway.end();
}

#[test]
fn when_all_upstreams_fail_they_get_what_the_budget_allows_on_top_and_no_more() {
    const TRIES: u64 = 2_000;
    let upstreams = [Upstream::start("one"), Upstream::start("other")];
    let addresses = upstreams.each_ref().map(|upstream| upstream.address);
    let retry = "retry = { attempts = 3, on = [\"503\"] }";
    let (_, gateway) = start("budget", &cluster("shop", &addresses, "", retry));
    upstreams.iter().for_each(Upstream::fail);
    let started = std::time::Instant::now();
    let load = Load::kept(&Asked { address: gateway.address, request: "GET /shop/a", body: "" }, 16);
    let tries = || upstreams.iter().map(Upstream::requests).sum::<u64>();
    until("enough was tried", || tries() >= TRIES);
    let (answered, failed) = load.end();
    let seconds = started.elapsed().as_secs() + 1;
    gateway.end();
    assert!(
        answered == 0 && failed.iter().all(|answer| answer.starts_with("503: ")),
        "the last answer passes"
    );
    let requests = failed.len() as u64;
    let again = tries() - requests;
    // A fifth of the requests, ten for each second, and ten seconds of these to begin with.
    let allowed = requests / 5 + 10 * (seconds + 10);
    assert!(again <= allowed, "of {requests} {again} were tried again, {allowed} may be");
    assert!(again >= requests / 5, "of {requests} {again} were tried again: the budget is used");
}

#[test]
fn an_upstream_that_hangs_holds_up_nobody_else() {
    const WAITING: usize = 300;
    let (slow, quick) = (Upstream::start("slow"), Upstream::start("quick"));
    let text = cluster("slow", &[slow.address], "", "") + &cluster("quick", &[quick.address], "", "");
    let (_, gateway) = start("slow", &text);
    slow.hold(true);
    let ask_slow = || {
        let mut caller = Caller::connect(gateway.address).unwrap();
        caller.send("GET /slow/a", "").unwrap();
        caller
    };
    let mut waiting: Vec<_> = (0..WAITING).map(|_| ask_slow()).collect();
    until("all are waiting", || {
        let stats = ask(gateway.admin, "GET /stats", "").unwrap().body;
        let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
        stats["clusters"][0]["in_flight"] == WAITING
    });
    // None of these ends before those that wait, unless they are let through.
    let load = Load::start(gateway.address, "/quick/a");
    load.go_on(1_000);
    let (_, failed) = load.end();
    assert!(failed.is_empty(), "{failed:#?}");
    slow.hold(false);
    for caller in &mut waiting {
        assert_eq!(caller.receive().unwrap().body, "slow");
    }
    gateway.end();
}
