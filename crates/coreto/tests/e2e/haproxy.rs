//! HAProxy as it is, which finds its servers by names of the catalog.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::catalog::{put, settings};
use crate::support::{Directory, Server, ask, get, skip, until};

/// An instance that answers with its name. It goes on answering when it is not found any more, so that it is names alone
/// that take it out of use.
fn instance(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let reader = BufReader::new(stream.try_clone().unwrap());
            reader.lines().map_while(Result::ok).take_while(|line| !line.is_empty()).count();
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length:";
            let _ = write!(stream, "{head} {}\r\n\r\n{name}", name.len());
        }
    });
    address
}

/// Registers by a stream; the instance is there until what comes back is dropped.
fn hold(server: &Server, name: &str, address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(server.catalog()).unwrap();
    let port = address.port();
    let line =
        format!("{{\"Name\": \"web\", \"ID\": \"{name}\", \"Address\": \"127.0.0.1\", \"Port\": {port}}}\n");
    let head = "POST /v1/coreto/register HTTP/1.1\r\nhost: catalog\r\ntransfer-encoding: chunked\r\n\r\n";
    write!(stream, "{head}{:x}\r\n{line}\r\n", line.len()).unwrap();
    let mut answer = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    assert!(answer.any(|line| line.contains("\"ID\"")));
    stream
}

struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it with a template of four servers; none when it is not here.
fn haproxy(directory: &Directory, server: &Server) -> Option<(Proxy, String)> {
    let front = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let config = format!(
        "defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n\
         resolvers catalog\n nameserver one {}\n accepted_payload_size 8192\n timeout resolve 200ms\n hold valid 200ms\n\
         frontend front\n bind {front}\n default_backend web\n\
         backend web\n balance roundrobin\n server-template web 4 _web._tcp.service.consul resolvers catalog resolve-opts allow-dup-ip init-addr none\n",
        server.dns()
    );
    let path = directory.join("haproxy.cfg");
    std::fs::write(&path, config).unwrap();
    let programs = ["haproxy", "/usr/sbin/haproxy"];
    let start = |program: &str| {
        Command::new(program).arg("-db").arg("-f").arg(&path).stderr(Stdio::null()).spawn().ok()
    };
    Some((Proxy(programs.into_iter().find_map(start)?), front))
}

/// Waits until requests are answered by these instances and no other; says how long that took.
async fn answered_by(front: &str, wanted: &[&str]) {
    let begun = Instant::now();
    let wanted: BTreeSet<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
    until(&format!("requests are answered by {wanted:?}"), async || {
        // It may not listen yet.
        TcpStream::connect(front).ok()?;
        let found: BTreeSet<String> = (0..8).map(|_| get(front, "/").1).collect();
        (found == wanted).then_some(())
    })
    .await;
    eprintln!("requests are answered by {wanted:?} after {} ms", begun.elapsed().as_millis());
}

#[tokio::test]
async fn haproxy_sends_requests_to_those_who_are_well() {
    let directory = Directory::new();
    let server = settings(&directory).start();
    let (one, two) = (hold(&server, "one", instance("one")), hold(&server, "two", instance("two")));
    let Some((_proxy, front)) = haproxy(&directory, &server) else { return skip("there is no `haproxy`") };
    answered_by(&front, &["one", "two"]).await;
    drop(one);
    answered_by(&front, &["two"]).await;

    let port = instance("three").port();
    let three = format!(
        r#"{{"Name": "web", "ID": "three", "Address": "127.0.0.1", "Port": {port}, "Check": {{"TTL": "1s", "Status": "passing"}}}}"#
    );
    put(&server, "/v1/agent/service/register", &three);
    let (well, catalog) = (Arc::new(AtomicBool::new(true)), server.catalog().to_owned());
    let still = Arc::clone(&well);
    let telling = std::thread::spawn(move || {
        while still.load(Ordering::Relaxed) {
            assert_eq!(ask(&catalog, "PUT", "/v1/agent/check/pass/service:three", "").0, 200);
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    answered_by(&front, &["three", "two"]).await;
    well.store(false, Ordering::Relaxed);
    telling.join().unwrap();
    // Nobody tells that it is well any more.
    answered_by(&front, &["two"]).await;
    drop(two);
    server.stop().await;
}
