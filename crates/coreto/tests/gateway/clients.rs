//! Clients that take their time.

use std::io::{Read, Write};
use std::net::TcpStream;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::client::Caller;
use crate::support::load::Load;
use crate::support::program::{Program, access_log, cluster, config, folder, until};
use crate::support::upstream::Upstream;
use crate::support::way::connect;

/// How many slow clients there are to be.
const SLOW: usize = 10_000;
/// File descriptors that are for all else.
const OTHERS: u64 = 500;

/// As many slow clients as there may be open files.
fn slow_clients() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let open = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX).saturating_sub(OTHERS);
    let clients = usize::try_from(open).unwrap_or(usize::MAX).min(SLOW);
    if clients < SLOW {
        println!("{clients} slow clients instead of {SLOW}: no more files may be open");
    }
    clients
}

#[test]
fn ten_thousand_clients_with_slow_heads_leave_the_gateway_serving() {
    let folder = folder("slow-heads");
    let upstream = Upstream::start("shop");
    let bounds =
        "bounds = { connections = 20000, connections-per-address = 20000 }\nclocks = { header = \"4s\" }";
    let text = config(0, bounds, &cluster("shop", &[upstream.address], "", ""));
    std::fs::write(folder.join("edge.toml"), text).unwrap();
    let count = slow_clients();
    let gateway = Program::start(&folder, &[]);
    let address = gateway.address;
    let begin = |_| {
        let mut stream = connect(address).unwrap();
        stream.write_all(b"GET /shop/a HTTP/1.1\r\nhost: a\r\nx: ").unwrap();
        stream
    };
    let mut slow: Vec<TcpStream> = (0..count).map(begin).collect();
    let load = Load::start(address, "/shop/a");
    load.go_on(300);
    for stream in &mut slow {
        // Another byte, which does not give it more time. It may have been told so already.
        let _ = stream.write_all(b"y");
    }
    load.go_on(300);
    let (_, failed) = load.end();
    assert!(failed.is_empty(), "{failed:#?}");
    for stream in &mut slow {
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 408 "), "{read:?}: {answer}");
    }
    gateway.end();
    let late = access_log(&folder).iter().filter(|line| line["status"] == 408).count();
    assert_eq!(late, count, "each is written down");
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let folder = folder("slow-readers");
    let upstream = Upstream::start("shop");
    let page = "x".repeat(60_000);
    let own = format!("[[route]]\nname = \"own\"\nprefix = \"/own\"\nrespond = {{ body = \"{page}\" }}\n\n");
    let shop = cluster("shop", &[upstream.address], "", "timeouts = { total = \"1s\" }");
    let still = cluster("still", &[upstream.address], "", "timeouts = { total = \"1h\", idle = \"1s\" }");
    std::fs::write(
        folder.join("edge.toml"),
        config(0, "clocks = { body = \"1s\" }", &(own + &shop + &still)),
    )
    .unwrap();
    let gateway = Program::start(&folder, &[]);
    // More than sockets hold: one answer that is too long in all, one that stands still, many that are ours.
    let mut readers = Vec::new();
    for (path, times) in [("/shop/50000000", 1), ("/still/50000000", 1), ("/own", 200)] {
        let mut caller = Caller::connect(gateway.address).unwrap();
        for _ in 0..times {
            caller.send(&format!("GET {path}"), "").unwrap();
        }
        readers.push(caller);
    }
    until("all are cut off", || {
        access_log(&folder).iter().filter(|line| !line["error"].is_null()).count() == 3
    });
    for mut reader in readers {
        let broken = (0..200).find_map(|_| reader.receive().err());
        assert!(broken.is_some(), "it has not got all");
    }
    gateway.end();
    let log = access_log(&folder);
    for route in ["shop", "still", "own"] {
        let line = log.iter().rfind(|line| line["route"] == route).unwrap();
        assert_eq!(line["error"], "http_request_error", "{line}");
    }
}
