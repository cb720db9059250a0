//! `coreto edge`, as a user types it.

use std::process::Command;

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
        out.starts_with("[admin]\naddress = \"127.0.0.1:9901\"\n\n[[listener]]\nname = \"public\"\n"),
        "{out}"
    );
    assert!(out.contains("\n[route.timeouts]\ntotal = \"30s\"\n"), "{out}");
    let (code, out, _) = edge(&["print", "examples/edge/minimal.toml", "--json"]);
    assert_eq!(code, 0);
    let told: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!(told["cluster"][0]["endpoint"][0]["address"], "127.0.0.1:9001");
}
