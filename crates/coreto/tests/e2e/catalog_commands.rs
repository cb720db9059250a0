//! Commands that are clients of the catalog.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::catalog::{WEB, put, settings};
use crate::support::{Directory, Server, Settings, get, try_ask, until};

/// Runs a command against the catalog of a server; gives its exit code and what it printed.
fn coreto(server: &Server, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coreto"));
    command.args(arguments).env("CONSUL_HTTP_ADDR", server.catalog());
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (status.code().unwrap(), text(&stdout), text(&stderr))
}

#[tokio::test]
async fn services_are_listed_and_looked_up() {
    let directory = Directory::new();
    let server = settings(&directory).start();
    assert_eq!(coreto(&server, &["services"]).1, "SERVICE  TAGS\n");
    let missing = coreto(&server, &["lookup", "web"]);
    assert_eq!(missing.0, 4);
    assert_eq!(missing.2, "error: there is no instance of `web`\n");
    put(&server, "/v1/agent/service/register", WEB);
    let other = r#"{"Name": "web", "ID": "web-2", "Port": 81, "Tags": ["v2"], "Check": {"TTL": "1m"}}"#;
    put(&server, "/v1/agent/service/register", other);
    assert_eq!(coreto(&server, &["services"]).1, "SERVICE  TAGS\nweb      v2\n");
    let (_, services, _) = coreto(&server, &["services", "--json"]);
    assert_eq!(services, "{\"web\":[\"v2\"]}\n");
    let (_, well, _) = coreto(&server, &["lookup", "web"]);
    assert!(well.contains("10.1.2.3:80") && !well.contains("web-2"), "{well}");
    let ill = coreto(&server, &["lookup", "web", "--tag", "v2"]).2;
    assert_eq!(ill, "error: there is no instance of `web` with `v2` that is well; --all shows the others\n");
    let (_, all, _) = coreto(&server, &["lookup", "web", "--all", "--tag", "v2", "--json"]);
    let all: Value = serde_json::from_str(&all).unwrap();
    assert_eq!(all[0]["Service"]["ID"], "web-2");
    assert_eq!(all.as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn keys_are_written_compared_listed_and_removed() {
    let directory = Directory::new();
    let server = settings(&directory).start();
    let file = directory.join("value");
    std::fs::write(&file, b"\xff\x00").unwrap();
    let from_file = format!("@{}", file.display());
    for (arguments, code, out) in [
        (&["kv", "put", "a/b c", "1"][..], 0, "key `a/b c` is written\n"),
        (&["kv", "get", "a/b c"], 0, "1"),
        (&["kv", "put", "a/b c", "2", "--cas", "0"], 1, ""),
        (&["kv", "put", "a/d", &from_file, "--json"], 0, "{\"key\":\"a/d\"}\n"),
        (&["kv", "get", "a/d"], 0, "\u{fffd}\0"),
        (&["kv", "get", "a/", "--keys"], 0, "a/b c\na/d\n"),
        (&["kv", "get", "a/", "--keys", "--json"], 0, "[\"a/b c\",\"a/d\"]\n"),
        (&["kv", "delete", "a/", "--recurse"], 0, "no key begins with `a/` any more\n"),
        (&["kv", "get", "a/d"], 4, ""),
    ] {
        let told = coreto(&server, arguments);
        assert_eq!((told.0, &*told.1), (code, out), "{arguments:?}: {}", told.2);
    }
    let (code, _, err) = coreto(&server, &["kv", "get", "x", "--catalog", "127.0.0.1:1"]);
    assert!(code == 3 && err.contains("cannot reach the catalog at `127.0.0.1:1`"), "{err}");
    let (code, _, err) = coreto(&server, &["services", "--catalog", "https://127.0.0.1"]);
    assert!(code == 2 && err.contains("it is not served by `https`"), "{err}");
    server.stop().await;
}

/// A command that runs on, and the lines that it has said.
struct Running {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Running {
    /// Starts it; `told` is standard output, or standard error.
    fn start(catalog: &str, arguments: &[&str], told: Told) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coreto"));
        command.args(arguments).env("CONSUL_HTTP_ADDR", catalog).stdin(Stdio::null());
        // It is about the engine, also where a flag of the same name is not.
        command.env("ZEEBE_ADDRESS", "10.9.9.9");
        match told {
            Told::Out => command.stdout(Stdio::piped()),
            Told::Errors => command.stderr(Stdio::piped()),
        };
        let mut child = command.spawn().unwrap();
        let from: Box<dyn Read + Send> = match told {
            Told::Out => Box::new(child.stdout.take().unwrap()),
            Told::Errors => Box::new(child.stderr.take().unwrap()),
        };
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let written = Arc::clone(&lines);
        std::thread::spawn(move || {
            let all = BufReader::new(from).lines().map_while(Result::ok);
            all.for_each(|line| written.lock().unwrap().push(line));
        });
        Self { child, lines }
    }

    /// Waits until it has said so many lines; gives them.
    async fn lines(&self, count: usize) -> Vec<String> {
        let enough = async || Some(self.lines.lock().unwrap().clone()).filter(|lines| lines.len() >= count);
        until(&format!("{count} lines, and not {:?}", self.lines.lock().unwrap()), enough).await
    }

    /// The events that it has told of as JSON, once the last of these is among them so often; what is told again with
    /// another reason counts once.
    async fn events(&self, last: &str, times: usize) -> Vec<String> {
        until(
            &format!("{last} for the {times}. time, and not {:?}", self.lines.lock().unwrap()),
            async || {
                let lines = self.lines.lock().unwrap();
                let event = |line: &String| {
                    serde_json::from_str::<Value>(line).ok()?["event"].as_str().map(str::to_owned)
                };
                let mut events: Vec<String> = lines.iter().filter_map(event).collect();
                events.dedup();
                (events.iter().filter(|event| *event == last).count() == times).then_some(events)
            },
        )
        .await
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    async fn ended(&mut self) -> Option<i32> {
        until("the command ends", async || self.child.try_wait().unwrap()).await.code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy)]
enum Told {
    Out,
    Errors,
}

/// Waits until so many instances of `web` are well.
async fn instances(catalog: &str, count: usize) {
    until(&format!("{count} instances"), async || {
        let (_, found) = get(catalog, "/v1/health/service/web?passing");
        let found: Value = serde_json::from_str(&found).unwrap();
        (found.as_array().unwrap().len() == count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn changes_are_told_as_they_happen() {
    let directory = Directory::new();
    let server = settings(&directory).start();
    put(&server, "/v1/kv/a", "1");
    let start = |arguments: &[&str]| Running::start(server.catalog(), arguments, Told::Out);
    let services = start(&["watch", "services", "--json"]);
    let (web, keys) = (start(&["watch", "services", "web"]), start(&["kv", "watch", "a", "--recurse"]));
    assert_eq!(services.lines(1).await, ["{}"]);
    assert_eq!(keys.lines(1).await, ["+ a  1"]);
    put(&server, "/v1/agent/service/register", WEB);
    web.lines(1).await;
    // States may be skipped, so each is waited for.
    services.lines(2).await;
    put(&server, "/v1/agent/service/deregister/web-1", "");
    put(&server, "/v1/kv/ab", "2");
    keys.lines(2).await;
    put(&server, "/v1/kv/a", "3");
    let web = web.lines(2).await;
    assert!(web[0].starts_with("+ web-1  10.1.2.3:80  "), "{web:?}");
    assert_eq!(web[1], web[0].replacen('+', "-", 1));
    assert_eq!(keys.lines(3).await, ["+ a  1", "+ ab  2", "~ a  3"]);
    assert_eq!(services.lines(3).await, ["{}", "{\"web\":[]}", "{}"]);
    let mut ended = start(&["kv", "watch", "none"]);
    let refused = coreto(&server, &["watch", "services", "--tag", "x"]);
    assert_eq!(refused.0, 2, "{}", refused.2);
    server.stop().await;
    assert_eq!(ended.ended().await, Some(3), "the server has ended");
}

/// A program that goes on until SIGTERM, and ends then with a code of its own; or when who runs it is gone.
const PROGRAM: [&str; 4] = ["--", "sh", "-c", "trap 'exit 7' TERM; while kill -0 $PPID; do sleep 0.02; done"];

#[tokio::test]
async fn a_program_is_found_for_as_long_as_it_runs() {
    let directory = Directory::new();
    let settings = at_one_port(&directory);
    let server = settings.start();
    let catalog = server.catalog().to_owned();
    let start = |port| {
        let options =
            ["register", "--json", "--name", "web", "--port", port, "--tag", "v1", "--grace", "100"];
        Running::start(&catalog, &[&options[..], &PROGRAM].concat(), Told::Errors)
    };
    let (mut first, second) = (start("8001"), start("8002"));
    instances(&catalog, 2).await;
    let (_, found, _) = coreto(&server, &["lookup", "web", "--tag", "v1"]);
    assert!(found.contains("web-8001") && found.contains("web-8002"), "{found}");
    second.signal(Signal::KILL);
    instances(&catalog, 1).await;

    let is_back = Arc::new(AtomicBool::new(false));
    let reader = std::thread::spawn(reads_until(catalog.clone(), Arc::clone(&is_back)));
    server.kill();
    let server = settings.start();
    first.events("registered", 2).await;
    instances(&catalog, 1).await;
    is_back.store(true, Ordering::Relaxed);
    let (seen, missed) = reader.join().unwrap();
    assert!(seen > 0 && missed == 0, "it is there in each of {seen} answers but {missed}");

    first.signal(Signal::TERM);
    assert_eq!(first.ended().await, Some(7), "the code of the program");
    let events = first.events("ended", 1).await;
    let wanted = ["started", "registered", "unregistered", "registered", "draining", "deregistered", "ended"];
    assert_eq!(events, wanted);
    instances(&catalog, 0).await;
    server.stop().await;
}

/// Asks for those who pass, again and again; gives how many answers came once there was none, and how many of all of
/// them did not have the first instance.
fn reads_until(catalog: String, done: Arc<AtomicBool>) -> impl FnOnce() -> (u32, u32) {
    move || {
        let (mut is_away, mut seen, mut missed) = (false, 0, 0);
        while !done.load(Ordering::Relaxed) {
            match try_ask(&catalog, "GET", "/v1/health/service/web?passing", "") {
                Some((200, body)) => {
                    seen += u32::from(is_away);
                    missed += u32::from(!body.contains("web-8001"));
                }
                _ => is_away = true,
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        (seen, missed)
    }
}

#[tokio::test]
async fn who_falls_silent_is_not_found_and_comes_back() {
    let directory = Directory::new();
    let server = settings(&directory).start();
    let options = ["register", "--json", "--name", "web", "--port", "8001", "--grace", "0"];
    let silent = Running::start(server.catalog(), &[&options[..], &PROGRAM].concat(), Told::Errors);
    instances(server.catalog(), 1).await;
    silent.signal(Signal::STOP);
    instances(server.catalog(), 0).await;
    silent.signal(Signal::CONT);
    instances(server.catalog(), 1).await;
    silent.signal(Signal::TERM);
    instances(server.catalog(), 0).await;
    server.stop().await;
}

#[tokio::test]
async fn a_program_is_found_once_its_checks_pass_and_ends_when_it_is_refused() {
    let directory = Directory::new();
    let server = settings(&directory).start();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("tcp://{}", listener.local_addr().unwrap());
    let options =
        ["register", "--json", "--name", "web", "--port", "8001", "--check-interval", "50", "--check"];
    let start = |check: &str, more: &[&str]| {
        Running::start(server.catalog(), &[&options[..], &[check], more, &PROGRAM].concat(), Told::Errors)
    };
    let well = start(&target, &[]);
    instances(server.catalog(), 1).await;
    drop(listener);
    instances(server.catalog(), 0).await;
    assert_eq!(coreto(&server, &["lookup", "web", "--all"]).1.matches("critical").count(), 1);
    drop(well);
    let mut refused = start(&target, &["--id", &"x".repeat(300)]);
    assert_eq!(refused.ended().await, Some(1));
    assert_eq!(refused.events("ended", 1).await, ["started", "refused", "ended"]);
    let (code, _, err) =
        coreto(&server, &["register", "--name", "a", "--port", "1", "--", "/no/such/program"]);
    assert!(code == 1 && err.contains("cannot run `/no/such/program`"), "{err}");
    server.stop().await;
}

/// Settings with which the catalog is at the same port after a restart.
fn at_one_port(directory: &Directory) -> Settings {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    Settings::new(directory).argument("--catalog", free).argument("--dns", "127.0.0.1:0")
}
