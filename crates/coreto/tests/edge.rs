//! `coreto edge`, as a user types it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Exit code, standard output and standard error.
fn edge(arguments: &[&str]) -> (i32, String, String) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let program =
        Command::new(env!("CARGO_BIN_EXE_coreto")).arg("edge").args(arguments).current_dir(root).output();
    let output = program.expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is printed is text");
    (output.status.code().expect("it ends by itself"), text(output.stdout), text(output.stderr))
}

/// A file with a fault in its third line and one in its sixth.
fn faulty() -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("faulty.toml");
    let text =
        "[[listener]]\nname = \"public\"\nadress = \"x\"\n[[route]]\nname = \"all\"\nto = \"nowhere\"\n";
    std::fs::write(&path, text).expect("it can be written");
    path.to_str().expect("the path is text").to_owned()
}

#[test]
fn checks_files_and_tells_every_fault() {
    let (code, out, err) = edge(&["check", "examples/edge/minimal.toml", "examples/edge/grpc.toml"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "2 files checked, 0 refused\n", ""));

    let file = faulty();
    let (code, out, _) = edge(&["check", &file]);
    let expected = format!(
        "{file}: line 3: listener `public`: `adress`: there is no key `adress` here; did you mean `address`?\n\
         {file}: line 6: route `all`: `to`: there is no cluster `nowhere`\n\
         1 file checked, 1 refused\n"
    );
    assert_eq!((code, out), (1, expected));

    let (code, out, _) = edge(&["check", &file, "--json"]);
    assert_eq!(code, 1);
    let told: serde_json::Value = serde_json::from_str(&out).expect("it is one line of JSON");
    assert_eq!(
        (&told["ok"], &told["faults"][0]["line"], &told["faults"][1]["line"]),
        (&false.into(), &3.into(), &6.into())
    );

    let (code, _, err) = edge(&["check", "no-such.toml"]);
    assert_eq!(code, 2);
    assert!(err.starts_with("error: cannot read `no-such.toml`"), "{err}");
}

#[test]
fn explains_who_wins_and_why() {
    let url = "http://api.example/orders/7";
    let (code, out, err) =
        edge(&["explain", "examples/edge/versions.toml", "GET", url, "-H", "x-version: 1"]);
    let expected = "listener `public` at 127.0.0.1:8000
  → `order-by-header` goes before `order`: it names more headers
    `order` fits
    `order-by-query` does not fit by query
    `catalog` does not fit by path
    `shops` does not fit by host
    `health` does not fit by path
  to cluster `legacy` as GET /orders/7, host orders.old.example
";
    assert_eq!((code, out.as_str(), err.as_str()), (0, expected, ""));
    let (code, _, err) = edge(&["explain", "examples/edge/versions.toml", "GET", "api.example"]);
    assert_eq!(code, 2);
    assert!(err.contains("`api.example` is no URL of the web"), "{err}");
    for (url, why) in [
        ("http://api.example/a/../../b", "the path leads above the root"),
        ("http://me@api.example/", "the host is not `name` or `name:port`"),
    ] {
        let (code, _, err) = edge(&["explain", "examples/edge/versions.toml", "GET", url]);
        assert_eq!(code, 2);
        assert!(err.contains(&format!("`{url}` is refused before any route: {why}")), "{err}");
    }
}

#[test]
fn tells_what_changes() {
    let (code, out, _) = edge(&["diff", "examples/edge/minimal.toml", "examples/edge/minimal.toml"]);
    assert_eq!((code, out.as_str()), (0, "nothing changes\n"));
    let (code, out, _) = edge(&["diff", "examples/edge/minimal.toml", "examples/edge/websocket.toml"]);
    assert_eq!(
        (code, out.as_str()),
        (0, "+ cluster `chat`\n+ route `chat`\n- cluster `shop`\n- route `all`\n")
    );
    let (code, out, _) = edge(&["diff", "examples/edge/minimal.toml", "examples/edge/limits.toml"]);
    assert_eq!(code, 0);
    assert!(
        out.starts_with("~ listener `public`\n  - trusted-proxies = []\n  - bounds.connections = 10000\n"),
        "{out}"
    );
}

#[test]
fn prints_every_default() {
    let (code, out, _) = edge(&["print", "examples/edge/minimal.toml"]);
    assert_eq!(code, 0);
    assert!(
        out.starts_with(
            "[admin]\naddress = \"127.0.0.1:9901\"\npre-drain = \"0ms\"\n\n[catalog]\naddress = \"127.0.0.1:8500\"\n\n[[listener]]\nname = \"public\"\n"
        ),
        "{out}"
    );
    assert!(out.contains("\n[route.timeouts]\ntotal = \"30s\"\n"), "{out}");
    let (code, out, _) = edge(&["print", "examples/edge/minimal.toml", "--json"]);
    assert_eq!(code, 0);
    let told: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!(told["cluster"][0]["endpoint"][0]["address"], "127.0.0.1:9001");
}

/// An upstream that answers one word to everything.
fn upstream(word: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
                let mut stream = stream;
                while let Some(Ok(line)) = lines.next() {
                    if line.is_empty() {
                        let answer =
                            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{word}", word.len());
                        stream.write_all(answer.as_bytes()).expect("the gateway reads");
                    }
                }
            });
        }
    });
    address
}

fn config(upstream: SocketAddr) -> String {
    format!(
        "[admin]\naddress = \"127.0.0.1:0\"\n[[listener]]\nname = \"public\"\naddress = \"127.0.0.1:0\"\n\
         [[cluster]]\nname = \"c\"\nendpoints = [\"{upstream}\"]\n[[route]]\nname = \"all\"\nto = \"c\"\n"
    )
}

/// What is answered on a connection that goes on.
fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").expect("the gateway reads");
    let mut answer = vec![0; 4096];
    let mut length = 0;
    while !String::from_utf8_lossy(&answer[..length]).contains("\r\n\r\nword-") {
        let read = stream.read(&mut answer[length..]).expect("the gateway answers");
        assert!(read > 0, "the connection has ended: {}", String::from_utf8_lossy(&answer[..length]));
        length += read;
    }
    String::from_utf8_lossy(&answer[..length]).rsplit('-').next().expect("a word").to_owned()
}

#[test]
fn runs_a_gateway_that_signals_reload_and_end() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("running.toml");
    std::fs::write(&file, config(upstream("word-1"))).expect("it can be written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_coreto"))
        .args(["edge", "--access-log", "off", "--json", "--config"])
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut ready = String::new();
    BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut ready).expect("a line");
    let ready: serde_json::Value = serde_json::from_str(&ready).expect("it is JSON");
    let address = ready["listeners"]["public"].as_str().expect("an address").to_owned();
    let mut stream = TcpStream::connect(&address).expect("the gateway listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket takes a time");
    assert_eq!(ask(&mut stream), "1");
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
    let signal = |signal| rustix::process::kill_process(pid, signal).expect("it runs");
    std::fs::write(&file, config(upstream("word-2"))).expect("it can be written");
    signal(rustix::process::Signal::HUP);
    let reloaded = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        ask(&mut stream) == "2"
    });
    assert!(reloaded, "the same connection goes by the new file");
    signal(rustix::process::Signal::TERM);
    assert!(child.wait().expect("it ends").success());
    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn refuses_to_run_what_it_cannot() {
    let (code, _, err) = edge(&["--config", "no-such.toml"]);
    assert_eq!(code, 1);
    assert!(err.starts_with("error: cannot read `no-such.toml`"), "{err}");
    let (code, _, err) = edge(&["--config", &faulty()]);
    assert_eq!(code, 1);
    assert!(err.contains("\nline 3: listener `public`: `adress`"), "{err}");
}
