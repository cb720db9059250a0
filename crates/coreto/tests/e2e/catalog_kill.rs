//! The catalog killed while it is written to: registrations that were acknowledged are there, those that were taken back or
//! whose owners are gone are not, and a lock has one holder.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::catalog::settings;
use crate::support::{Chance, Directory, PATIENCE, ask, get, number, try_ask};

/// What somebody registers and takes back, over several lives of the server.
#[derive(Default)]
struct Registrar {
    name: u64,
    next: u64,
    /// Acknowledged, and not asked to go.
    there: Vec<String>,
    /// Acknowledged to be gone.
    gone: Vec<String>,
    /// Asked for without an answer: they may be there.
    unknown: Vec<String>,
}

impl Registrar {
    /// Registers, and now and then takes one back, until the server does not answer.
    fn work(&mut self, address: &str) {
        loop {
            self.next += 1;
            let id = format!("{}-{}", self.name, self.next);
            let body = format!(r#"{{"Name": "web", "ID": "{id}", "Port": 80}}"#);
            if !tell(address, "/v1/agent/service/register", &body) {
                return self.unknown.push(id);
            }
            self.there.push(id);
            if self.next.is_multiple_of(3) {
                let id = self.there.swap_remove(self.there.len() / 2);
                if !tell(address, &format!("/v1/agent/service/deregister/{id}"), "") {
                    return self.unknown.push(id);
                }
                self.gone.push(id);
            }
        }
    }

    fn check(&self, found: &BTreeSet<String>) {
        let lost: Vec<_> = self.there.iter().filter(|id| !found.contains(*id)).collect();
        assert!(lost.is_empty(), "{lost:?} of {} are lost", self.there.len());
        let ghosts: Vec<_> = self.gone.iter().filter(|id| found.contains(*id)).collect();
        assert!(ghosts.is_empty(), "{ghosts:?} of {} are back", self.gone.len());
    }
}

/// Whether something was acknowledged; it may not be refused.
fn tell(address: &str, path: &str, body: &str) -> bool {
    match try_ask(address, "PUT", path, body) {
        Some((status, body)) => {
            assert_eq!(status, 200, "{path}: {body}");
            true
        }
        None => false,
    }
}

/// Takes the lock and gives it back until the server does not answer; nobody else may have it meanwhile.
fn contend(address: &str, session: &str, me: u64, holder: &AtomicU64, taken: &AtomicU64) {
    let ask = |how: &str| try_ask(address, "PUT", &format!("/v1/kv/lock?{how}={session}"), &me.to_string());
    loop {
        let Some((status, body)) = ask("acquire") else { return };
        assert_eq!(status, 200, "{body}");
        if body == "true" {
            assert_eq!(holder.swap(me, Ordering::SeqCst), 0, "somebody else holds it, too");
            taken.fetch_add(1, Ordering::Relaxed);
            let told = try_ask(address, "GET", "/v1/kv/lock?raw", "");
            // Before it is sent: somebody else may have it as soon as it is done.
            assert_eq!(holder.swap(0, Ordering::SeqCst), me, "somebody else has taken it");
            if told.is_some_and(|(_, body)| body != me.to_string()) {
                panic!("somebody else has written it");
            }
            if ask("release").is_none() {
                return;
            }
        }
    }
}

fn create_session(address: &str) -> String {
    let (status, body) = ask(address, "PUT", "/v1/session/create", r#"{"LockDelay": "0s"}"#);
    assert_eq!(status, 200, "{body}");
    serde_json::from_str::<Value>(&body).unwrap()["ID"].as_str().unwrap().to_owned()
}

/// Opens a stream that holds an instance for as long as it is open.
fn open_stream(address: &str, id: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let line = format!("{{\"Name\": \"web\", \"ID\": \"{id}\"}}\n");
    let head = "POST /v1/coreto/register HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked";
    write!(stream, "{head}\r\n\r\n{:x}\r\n{line}\r\n", line.len()).unwrap();
    let (mut reader, mut answer) = (BufReader::new(stream.try_clone().unwrap()), String::new());
    while !answer.contains("\"ID\"") {
        assert!(reader.read_line(&mut answer).unwrap() > 0, "{answer}");
    }
    stream
}

fn found(address: &str, passing: &str) -> BTreeSet<String> {
    let (status, body) = get(address, &format!("/v1/health/service/web?{passing}"));
    assert_eq!(status, 200, "{body}");
    let rows: Vec<Value> = serde_json::from_str(&body).unwrap();
    rows.iter().map(|row| row["Service"]["ID"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn registrations_and_locks_hold_over_kills() {
    let directory = Directory::new();
    let settings = settings(&directory);
    let mut chance = Chance::new(number("CORETO_E2E_SEED", 1));
    let mut registrars = [1, 2].map(|name| Registrar { name, ..Registrar::default() });
    let (holder, taken) = (AtomicU64::new(0), AtomicU64::new(0));
    let mut sessions = Vec::new();
    for life in 0..number("CORETO_E2E_KILLS", 3) {
        let server = settings.start();
        let address = server.catalog().to_owned();
        if sessions.is_empty() {
            sessions.extend([1, 2].map(|me| (me, create_session(&address))));
        }
        let ttl = format!(
            r#"{{"Name": "web", "ID": "ttl-{life}", "Check": {{"TTL": "2s", "Status": "passing"}}}}"#
        );
        assert!(tell(&address, "/v1/agent/service/register", &ttl));
        let stream = open_stream(&address, &format!("stream-{life}"));
        std::thread::scope(|scope| {
            for registrar in &mut registrars {
                scope.spawn(|| registrar.work(&address));
            }
            for (me, session) in &sessions {
                scope.spawn(|| contend(&address, session, *me, &holder, &taken));
            }
            std::thread::sleep(Duration::from_millis(100 + chance.below(400)));
            server.kill();
        });
        drop(stream);
    }
    let server = settings.start();
    let address = server.catalog().to_owned();
    let all = found(&address, "");
    registrars.iter().for_each(|registrar| registrar.check(&all));
    let known = |id: &String| {
        registrars.iter().any(|registrar| registrar.there.contains(id) || registrar.unknown.contains(id))
            || id.starts_with("ttl-")
            || id.starts_with("stream-")
    };
    let strangers: Vec<_> = all.iter().filter(|id| !known(id)).collect();
    assert!(strangers.is_empty(), "{strangers:?} were asked for by nobody");

    let end = Instant::now() + PATIENCE;
    let is_gone = |id: &String| id.starts_with("ttl-") || id.starts_with("stream-");
    // Nobody tells of the ones, and nobody holds the others.
    while found(&address, "passing").iter().any(is_gone) {
        assert!(Instant::now() < end, "{:?} are still told", found(&address, "passing"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(
        !found(&address, "").iter().any(|id| id.starts_with("stream-")),
        "what a stream held is not critical, but gone"
    );

    assert!(taken.load(Ordering::Relaxed) > 0, "nobody ever had the lock");
    let (_, held) = get(&address, "/v1/kv/lock");
    for (_, session) in &sessions {
        let (status, body) = ask(&address, "PUT", &format!("/v1/session/destroy/{session}"), "");
        assert_eq!(status, 200, "a session that nothing has ended is there: {body} {held}");
    }
    assert!(!get(&address, "/v1/kv/lock").1.contains("Session"), "its end lets go");
    server.stop().await;
}
