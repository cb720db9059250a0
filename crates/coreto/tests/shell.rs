//! The program as whoever types its commands sees it: what is said where, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

const ORDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/order/order.bpmn");

/// A directory of one test, removed at its end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("coreto-shell-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).expect("the directory is new");
        Self(path)
    }

    fn coreto(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coreto"));
        command.args(arguments).current_dir(&self.0).env("TMPDIR", &self.0);
        // Its usual port belongs to one server at a time.
        command.env("CORETO_CATALOG_ADDRESS", "off");
        command
    }

    fn file(&self, name: &str, content: &str) {
        std::fs::write(self.0.join(name), content).expect("the file can be written");
    }

    /// The directories of servers that forget everything.
    fn kept_by_servers(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.0).expect("the directory is there");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths
            .filter(|path| {
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("coreto-dev"))
            })
            .collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server that forgets everything, killed at the end of a test that fails.
struct Server {
    child: Child,
    address: String,
    out: BufReader<ChildStdout>,
}

impl Server {
    fn start(place: &Place, partitions: &str) -> Self {
        let any = "127.0.0.1:0";
        let arguments = ["dev", "--json", "--grpc", any, "--management", any, "--partitions", partitions];
        let mut command = place.coreto(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        let mut out = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let mut line = String::new();
        out.read_line(&mut line).expect("it says that it is ready");
        let ready: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let address = ready["grpc"].as_str().expect("an address").to_owned();
        Self { child, address, out }
    }

    fn ask(&self, place: &Place, arguments: &[&str]) -> (i32, String, String) {
        told(&place.coreto(&[&["--address", &self.address], arguments].concat()).output().expect("it runs"))
    }

    fn interrupt(&self) {
        let pid =
            i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("it ends by itself"), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_demo_ends_without_cutting_its_own_connections_and_obeys_no_stray_settings() {
    let place = Place::new("demo");
    place.file("coreto.toml", "nonsense = 1\n");
    let mut command = place.coreto(&["demo", "--once"]);
    let (code, out, err) = told(&command.env("CORETO_LOG", "info").output().expect("it runs"));
    assert_eq!(code, 0, "{err}");
    let lines: Vec<_> = out.lines().collect();
    let at = |begin: &str| lines.iter().position(|line| line.contains(begin));
    assert!(at("started instance") < at("worker `stock` got job"), "{out}");
    for worker in ["stock", "payment"] {
        assert!(at(&format!("worker `{worker}` is registered, and found by name")).is_some(), "{out}");
    }
    assert!(at("variable reserved = 3 in `").is_some(), "{out}");
    assert!(lines.last().is_some_and(|line| line.starts_with("the order is done")), "{out}");
    assert!(!err.contains("cut") && !err.contains('\u{1b}'), "{err}");
}

#[test]
fn the_demo_speaks_json_to_programs() {
    let place = Place::new("demo-json");
    let (code, out, err) = told(&place.coreto(&["demo", "--once", "--json"]).output().expect("it runs"));
    assert_eq!(code, 0, "{err}");
    let told: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    let last = told.last().and_then(|line| line["told"].as_str());
    assert!(last.is_some_and(|line| line.starts_with("the order is done")), "{out}");
}

/// A server's answer has no warnings, and its refusal is a sentence.
#[test]
fn a_deployment_tells_what_was_found_in_the_files() {
    let place = Place::new("deploy");
    let server = Server::start(&place, "1");
    let decision = |text: &str| {
        let dmn = "https://www.omg.org/spec/DMN/20191111/MODEL/";
        let requirement = "<informationRequirement><requiredInput href=\"#gone\"/></informationRequirement>";
        let logic = format!("<literalExpression><text>{text}</text></literalExpression>");
        let decision = format!("<decision id=\"d\" name=\"d\">{requirement}{logic}</decision>");
        format!(
            "<definitions xmlns=\"{dmn}\" id=\"ds\" name=\"ds\" namespace=\"ds\">{decision}</definitions>"
        )
    };
    place.file("sound.dmn", &decision("1"));
    place.file("broken.dmn", &decision("1 +"));
    let warning = "warning: DMN-0014 `d`: `#gone` is not in the model\n";
    let (code, out, err) = server.ask(&place, &["deploy", "sound.dmn"]);
    assert!(code == 0 && out.contains("decision") && err.ends_with(warning), "{err}");
    let (code, _, err) = server.ask(&place, &["deploy", "broken.dmn"]);
    assert!(code == 1 && err.contains(warning) && err.matches("DMN-0020").count() == 1, "{err}");
    let (code, _, err) = server.ask(&place, &["--json", "deploy", "broken.dmn"]);
    let told: Vec<serde_json::Value> =
        err.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!((code, told.len(), &told[0]["ok"]), (1, 2, &false.into()), "{err}");
    let codes = told[0]["diagnostics"].as_array().expect("a list").iter().map(|found| &found["code"]);
    assert_eq!(codes.collect::<Vec<_>>(), ["DMN-0014", "DMN-0020"]);
    assert_eq!(told[1]["code"], "INVALID_ARGUMENT");
}

#[test]
fn files_are_deployed_and_started_at_once_and_deleted_again() {
    let place = Place::new("run");
    let server = Server::start(&place, "1");
    let process =
        |id: &str| format!("<process id=\"{id}\" isExecutable=\"true\"><startEvent id=\"s{id}\"/></process>");
    let model = |processes: &str| {
        let bpmn = "http://www.omg.org/spec/BPMN/20100524/MODEL";
        format!("<definitions xmlns=\"{bpmn}\" targetNamespace=\"t\">{processes}</definitions>")
    };
    place.file("one.bpmn", &model(&process("one")));
    place.file("two.bpmn", &model(&(process("a") + &process("b"))));
    let (code, out, err) =
        server.ask(&place, &["--json", "run", "one.bpmn", "--await", "--variables", "{\"x\":1}"]);
    assert_eq!(code, 0, "{err}");
    let told: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&told["bpmnProcessId"], &told["variables"]["x"]), (&"one".into(), &1.into()));
    let (code, _, err) = server.ask(&place, &["run", "two.bpmn"]);
    assert!(code == 2 && err.contains("`a`, `b`") && err.contains("--process"), "{err}");
    let (code, out, err) = server.ask(&place, &["run", "two.bpmn", "--process", "b"]);
    assert!(code == 0 && out.contains("of b version 1"), "{out}{err}");

    let key = told["processDefinitionKey"].to_string();
    let (code, out, err) = server.ask(&place, &["delete", &key]);
    assert!(code == 0 && out.contains("is deleted"), "{out}{err}");
    for gone in [["delete", &*key], ["create", "one"]] {
        assert_eq!(server.ask(&place, &gone).0, 4);
    }
}

#[test]
fn shells_complete_commands() {
    let place = Place::new("completion");
    for shell in ["bash", "zsh", "fish"] {
        let (code, out, err) = told(&place.coreto(&["completion", shell]).output().expect("it runs"));
        assert!(code == 0 && out.contains("deploy") && err.is_empty(), "{shell}: {err}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new("pipe");
    let mut command = place.coreto(&["demo", "--once"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    drop(child.stdout.take());
    let (code, _, err) = told(&child.wait_with_output().expect("it ends"));
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn a_second_interrupt_ends_a_server_that_a_client_keeps_waiting() {
    let place = Place::new("interrupt");
    let mut server = Server::start(&place, "1");
    // Speaks HTTP/2 so far that the server counts the connection, and then never again.
    let mut silent = std::net::TcpStream::connect(&server.address).expect("it listens");
    silent
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        .expect("it reads");
    silent.read_exact(&mut [0; 9]).expect("it answers");
    let mut log = BufReader::new(server.child.stderr.take().expect("it is a pipe"));
    server.interrupt();
    let mut line = String::new();
    while !line.contains("Ctrl-C again ends at once") {
        line.clear();
        assert_ne!(log.read_line(&mut line).expect("text"), 0, "it ended without a word");
    }
    server.interrupt();
    assert_eq!(server.child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn what_a_killed_server_left_is_removed_by_the_next_and_what_is_in_use_is_not() {
    let place = Place::new("sweep");
    let mut killed = Server::start(&place, "1");
    killed.child.kill().expect("it runs");
    killed.child.wait().expect("it ends");
    let left = place.kept_by_servers();
    assert_eq!(left.len(), 1);
    let _first = Server::start(&place, "1");
    let _second = Server::start(&place, "1");
    let kept = place.kept_by_servers();
    assert_eq!(kept.len(), 2);
    assert!(!kept.contains(&left[0]));
}

#[test]
fn the_ready_line_leaves_standard_output_to_the_records() {
    let place = Place::new("ndjson");
    let arguments = ["dev", "--grpc", "127.0.0.1:0", "--management", "127.0.0.1:0", "--export-ndjson", "-"];
    let mut child =
        place.coreto(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut log = BufReader::new(child.stderr.take().expect("it is a pipe"));
    let mut line = String::new();
    while !line.starts_with("ready in ") {
        line.clear();
        assert_ne!(log.read_line(&mut line).expect("text"), 0, "it ended without a word");
    }
    child.kill().expect("it runs");
    let (mut out, mut stdout) = (String::new(), child.stdout.take().expect("it is a pipe"));
    child.wait().expect("it ends");
    stdout.read_to_string(&mut out).expect("text");
    assert!(!out.contains("ready in"), "{out}");
}

#[test]
fn lists_go_over_all_partitions() {
    let place = Place::new("lists");
    let server = Server::start(&place, "3");
    let ask = |arguments: &[&str]| {
        let (code, out, err) = server.ask(&place, &[&["--json"], arguments].concat());
        assert_eq!(code, 0, "{arguments:?}: {err}");
        (serde_json::from_str::<Vec<serde_json::Value>>(&out).map_or(0, |list| list.len()), err)
    };
    ask(&["deploy", ORDER]);
    for _ in 0..6 {
        ask(&["create", "order"]);
    }
    for (list, entries) in [("instances", 6), ("jobs", 6), ("incidents", 0), ("definitions", 1)] {
        assert_eq!(ask(&["get", list]), (entries, String::new()), "{list}");
    }
    // Partitions have two instances each: the list ends inside of the second one.
    let (entries, more) = ask(&["get", "instances", "--limit", "3"]);
    assert_eq!(entries, 3);
    let after = more.trim().rsplit(' ').next().expect("a key");
    assert_eq!(ask(&["get", "instances", "--after", after]).0, 3, "{more}");
}

#[test]
fn an_incident_is_mended_by_commands_alone() {
    let place = Place::new("mend");
    let mut server = Server::start(&place, "1");
    assert_eq!(server.ask(&place, &["deploy", ORDER]).0, 0);
    assert_eq!(server.ask(&place, &["create", "order", "--variables", r#"{"orderId": 1, "items": 3}"#]).0, 0);
    let json = |arguments: &[&str]| -> serde_json::Value {
        let (code, out, err) = server.ask(&place, &[&["--json"], arguments].concat());
        assert_eq!(code, 0, "{arguments:?}: {err}");
        serde_json::from_str(&out).expect("JSON")
    };
    let job = json(&["activate", "check-stock"])[0]["jobKey"].to_string();
    json(&["update", "timeout", &job, "600000"]);
    json(&["fail", &job, "--retries", "0", "--message", "the shelf\nis empty"]);
    let (_, table, _) = server.ask(&place, &["get", "incidents"]);
    assert_eq!(table.lines().count(), 2, "{table}");
    let incident = &json(&["get", "incidents"])[0];
    assert_eq!(incident["jobKey"].to_string(), job);
    json(&["set", &incident["processInstanceKey"].to_string(), "--variables", r#"{"items": 4}"#]);
    json(&["resolve", &incident["incidentKey"].to_string(), "--retries", "2"]);
    assert_eq!(json(&["activate", "check-stock"])[0]["variables"]["items"], 4);
    json(&["update", "retries", &job, "5"]);
    assert_eq!(json(&["get", "jobs"])[0]["retries"], 5);
    json(&["throw", &job, "OUT_OF_STOCK"]);

    server.interrupt();
    assert_eq!(server.child.wait().expect("it ends").code(), Some(0));
    let mut rest = String::new();
    server.out.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "");
}

#[test]
fn exit_codes_tell_what_went_wrong() {
    let place = Place::new("codes");
    let server = Server::start(&place, "1");
    place.file("key.pem", "-----BEGIN PRIVATE KEY-----\n");
    let tls = format!("https://{}", server.address);
    for (arguments, code, begin) in [
        (&["--insecure", "status"][..], 0, ""),
        (&["--address", "ftp://x", "status"], 2, "error: `ftp://x` is no address of a server"),
        (&["--address", ":26500", "status"], 2, "error: `http://:26500` is no address of a server"),
        (
            &["--address", &tls, "--ca-certificate", "key.pem", "status"],
            2,
            "error: there is no certificate in `key.pem`",
        ),
        (&["--address", &tls, "status"], 3, "error: cannot connect to `https://"),
        (
            &["--address", "127.0.0.1:1", "status"],
            3,
            "error: cannot connect to `http://127.0.0.1:1`; is a server",
        ),
        (&["create", "x", "--variables", "[1]"], 2, "error: the variables are no JSON object: "),
        (&["create", "x", "--variables", "@nofile"], 2, "error: cannot read `nofile`: "),
        (&["deploy", "."], 2, "error: `.` is a directory"),
        (&["create", "x"], 4, "error: "),
        (&["--json", "create", "x"], 4, "{\"error\":\""),
        (&["resolve", "1", "--retries", "1"], 4, "error: there is no incident 1"),
        (&["check", "."], 2, "error: there is no .bpmn or .dmn file in `.`"),
        (&["check", "x.dmn"], 2, "error: cannot read `x.dmn`: "),
        (&["dmn", "evaluate", "x.dmn"], 2, "error: cannot read `x.dmn`: "),
        (&["dev", "--grpc", &server.address], 1, "error: the gateway (--grpc) cannot be opened: "),
        (&["start", "--data", "key.pem"], 1, "error: the data directory `key.pem` is a file"),
    ] {
        let mut command = place.coreto(arguments);
        let output = command.env("ZEEBE_ADDRESS", &server.address).output().expect("it runs");
        let (found, _, err) = told(&output);
        assert_eq!(found, code, "{arguments:?}: {err}");
        assert!(err.starts_with(begin), "{arguments:?}: {err}");
    }
}

#[test]
fn a_server_that_ends_ends_a_watch_with_a_word() {
    let place = Place::new("watch");
    for (kill, end) in [(false, "has ended the watch"), (true, "broke")] {
        let mut server = Server::start(&place, "1");
        assert_eq!(server.ask(&place, &["deploy", ORDER]).0, 0);
        let arguments = ["--address", &server.address, "watch", "--after", "0"];
        let mut command = place.coreto(&arguments);
        let mut watch = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        let mut out = BufReader::new(watch.stdout.take().expect("it is a pipe"));
        out.read_line(&mut String::new()).expect("a record");
        if kill {
            server.child.kill().expect("it runs");
        } else {
            server.interrupt();
        }
        std::io::copy(&mut out, &mut std::io::sink()).expect("text");
        let (code, _, err) = told(&watch.wait_with_output().expect("it ends"));
        assert_eq!(code, 3, "{err}");
        assert!(err.contains(end), "{err}");
        server.child.wait().expect("it ends");
    }
}

#[test]
fn wrong_settings_are_named_as_they_were_set() {
    let place = Place::new("settings");
    for (variable, arguments, told_of) in [
        (("CORETO_LOG", "loud"), &["dev"][..], "CORETO_LOG is `loud`, expected `off`, `error`"),
        (
            ("CORETO_GRPC_ADDRESS", "x"),
            &["config", "print"],
            "`CORETO_GRPC_ADDRESS` is `x`, expected an address",
        ),
        (("CORETO_GRPC_ADRESS", "x"), &["config", "print"], "did you mean `CORETO_GRPC_ADDRESS`?"),
        (
            ("CORETO_TIME_ZONE", "UTC"),
            &["config", "print", "--grpc", "foo"],
            "`--grpc` is `foo`, expected an address",
        ),
        (
            ("CORETO_DNS_RECURSORS", "10.0.0.2,dns.example"),
            &["dev"],
            "expected at most four addresses of DNS servers",
        ),
        (
            ("CORETO_DNS_RECURSORS", "10.0.0.2, 127.0.0.1:8600"),
            &["dev"],
            "dns.recursors has `127.0.0.1:8600`, which is dns.address",
        ),
    ] {
        let mut command = place.coreto(arguments);
        let (code, _, err) = told(&command.env(variable.0, variable.1).output().expect("it runs"));
        assert_eq!(code, 2, "{err}");
        assert!(err.contains(told_of), "{err}");
    }
    let (_, out, _) = told(&place.coreto(&["config", "print"]).output().expect("it runs"));
    assert!(out.contains("\ngrpc.message-bytes-max = 4194304\n"), "{out}");
}
