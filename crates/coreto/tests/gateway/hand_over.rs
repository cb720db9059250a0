//! One gateway after the other, without a request lost between them.

use std::net::TcpListener;
use std::path::Path;

use crate::support::calls::Calls;
use crate::support::client::ask;
use crate::support::load::Load;
use crate::support::program::{Program, SWITCHES, access_log, cluster, config, folder};
use crate::support::upstream::Upstream;
use crate::support::way::Way;

const HAND_OVER: [&str; 2] = ["--hand-over", "edge.sock"];

/// A port that is free now: two gateways are to ask for the same.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn write(folder: &Path, text: &str) {
    std::fs::write(folder.join("edge.toml"), text).unwrap();
}

#[test]
fn successors_take_over_under_load_and_no_request_fails() {
    let folder = folder("hand-over");
    let (upstream, service) = (Upstream::start("shop"), Calls::start());
    let calls = cluster("calls", &[service.address], "protocol = \"http2\"", "");
    write(&folder, &config(port(), "", &(cluster("shop", &[upstream.address], "", SWITCHES) + &calls)));
    let mut running = Program::start(&folder, &HAND_OVER);
    let (address, admin) = (running.address, running.admin);
    let load = Load::of_all_kinds(&Way { address, trust: None }, true);
    for _ in 0..3 {
        load.all_go_on();
        let next = Program::start(&folder, &HAND_OVER);
        assert_eq!((next.address, next.admin), (address, admin), "they are the same sockets");
        std::mem::replace(&mut running, next).ended();
    }
    load.all_go_on();
    assert_eq!(ask(admin, "GET /healthz", "").unwrap().body, "ok\n");
    let (answered, failed) = load.end();
    assert!(failed.is_empty(), "{answered} were answered; not: {failed:#?}");
    running.end();
    let log = access_log(&folder);
    assert_eq!(log.len() as u64, answered, "each is written down once, by whoever answered it");
    assert_eq!(upstream.requests() + service.count(), answered, "each was asked for once");
}

#[test]
fn a_successor_that_does_not_start_changes_nothing() {
    let folder = folder("hand-over-fails");
    let upstream = Upstream::start("shop");
    let sound = config(port(), "", &cluster("shop", &[upstream.address], "", ""));
    write(&folder, &sound);
    let mut running = Program::start(&folder, &HAND_OVER);
    let load = Load::start(running.address, "/shop/a");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = format!("[[listener]]\nname = \"other\"\naddress = \"{}\"\n", taken.local_addr().unwrap());
    // One that reads nothing sound, and one that has the sockets before it finds that it lacks another.
    for broken in [sound.replace("prefix", "prefixx"), sound.clone() + &other] {
        load.go_on(100);
        write(&folder, &broken);
        assert!(Program::try_start(&folder, &HAND_OVER).is_none());
    }
    load.go_on(100);
    assert!(!running.has_ended());
    write(&folder, &sound);
    let next = Program::start(&folder, &HAND_OVER);
    running.ended();
    load.go_on(100);
    let (answered, failed) = load.end();
    assert!(failed.is_empty(), "{answered} were answered; not: {failed:#?}");
    next.end();
    // What is left of its file is nobody's.
    Program::start(&folder, &HAND_OVER).end();
}

#[test]
fn a_file_at_the_path_of_the_hand_over_is_left_alone() {
    let folder = folder("hand-over-file");
    let upstream = Upstream::start("shop");
    let text = config(0, "", &cluster("shop", &[upstream.address], "", ""));
    write(&folder, &text);
    assert!(Program::try_start(&folder, &["--hand-over", "edge.toml"]).is_none());
    assert_eq!(std::fs::read_to_string(folder.join("edge.toml")).unwrap(), text);
}
