//! The end of a gateway, as those in front of it see it.

use rustix::process::Signal;

use crate::support::client::{Caller, ask};
use crate::support::kind;
use crate::support::program::{Program, SWITCHES, cluster, config, folder, until};
use crate::support::upstream::Upstream;
use crate::support::websocket::{CLOSE, plain};

#[test]
fn it_says_that_it_drains_before_it_does() {
    let folder = folder("pre-drain");
    let upstream = Upstream::start("shop");
    let start = |pre_drain: &str| {
        let text = config(0, "", &cluster("shop", &[upstream.address], "", ""));
        let admin = format!("[admin]\npre-drain = \"{pre_drain}\"\n");
        std::fs::write(folder.join("edge.toml"), text.replacen("[admin]\n", &admin, 1)).unwrap();
        Program::start(&folder, &[])
    };
    let gateway = start("1h");
    let mut kept = Caller::connect(gateway.address).unwrap();
    let healthy = || ask(gateway.admin, "GET /healthz", "").unwrap().status;
    assert_eq!((healthy(), kept.ask("GET /shop/a", "").unwrap().status), (200, 200));
    gateway.signal(Signal::TERM);
    until("it says so", || healthy() == 503);
    let answer = kept.ask("GET /shop/a", "").unwrap();
    assert_eq!((answer.status, answer.last), (200, false));
    assert_eq!(ask(gateway.address, "GET /shop/a", "").unwrap().status, 200, "it takes others, too");
    // Who cannot wait types Ctrl-C again.
    gateway.signal(Signal::INT);
    gateway.ended_with(130);
    start("100ms").end();
}

#[test]
fn a_websocket_is_told_that_it_goes_away() {
    let folder = folder("going-away");
    let upstream = Upstream::start("shop");
    let text =
        config(0, "clocks = { drain = \"300ms\" }", &cluster("shop", &[upstream.address], "", SWITCHES));
    std::fs::write(folder.join("edge.toml"), text).unwrap();
    let gateway = Program::start(&folder, &[]);
    let mut socket = Caller::connect(gateway.address).unwrap();
    kind::open(&mut socket, "/shop/socket").unwrap();
    kind::echoed(&mut socket, "hello").unwrap();
    gateway.signal(Signal::TERM);
    assert_eq!(socket.rest().unwrap(), plain(CLOSE, &[3, 233]));
    gateway.ended();
}
