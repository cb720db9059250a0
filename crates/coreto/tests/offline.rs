//! Commands that need no server, as a user types them.

use std::process::Command;

/// Exit code, standard output and standard error.
fn coreto(arguments: &[&str]) -> (i32, String, String) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let output = Command::new(env!("CARGO_BIN_EXE_coreto")).args(arguments).current_dir(root).output();
    let output = output.expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is printed is text");
    (output.status.code().expect("it ends by itself"), text(output.stdout), text(output.stderr))
}

#[test]
fn evaluates_expressions() {
    for (arguments, code, out, err) in [
        (&["1 + 2"][..], 0, "3\n", ""),
        (&["a.b", "--context", r#"{"a": {"b": "x"}}"#], 0, "\"x\"\n", ""),
        (&["a"], 0, "null\n", "! NO_VARIABLE_FOUND: there is no variable `a`\n"),
        (&["< 5, 7", "--input", "3 + 4"], 0, "true\n", ""),
        (&["full name", "--dialect", "standard", "--context", r#"{"full name": 1}"#], 0, "1\n", ""),
        (&["1 +"], 1, "", "error: line 1, column 4: expected an expression, found the end\n1 +\n   ^\n"),
        (&["assert(1, false)"], 1, "", "error: assertion failed: the condition is not fulfilled\n"),
        (&["a", "--context", "[1]"], 2, "", "error: the value of `--context` is no JSON object\n"),
        (
            &["a", "--context", "@gone.json"],
            2,
            "",
            "error: cannot read `gone.json`: No such file or directory (os error 2)\n",
        ),
        (&["=1 + 2"], 0, "3\n", ""),
        (&["= a.b", "--variables", r#"{"a": {"b": "x"}}"#], 0, "\"x\"\n", ""),
        (&["= 7", "--input", "3 + 4", "--dialect", "standard"], 0, "true\n", ""),
        (&["1", "--json"], 0, "{\"result\":1,\"type\":\"number\",\"warnings\":[]}\n", ""),
    ] {
        let arguments = [&["feel", "eval"], arguments].concat();
        assert_eq!(coreto(&arguments), (code, out.to_owned(), err.to_owned()), "{arguments:?}");
    }
}

#[test]
fn evaluates_decisions_with_their_whole_way() {
    let evaluate =
        |more: &[&str]| coreto(&[&["dmn", "evaluate", "examples/decision/discount.dmn"], more].concat());
    let variables = r#"{"customer": "stranger", "total": 200}"#;
    let (code, out, err) = evaluate(&["--decision", "price", "--variables", variables]);
    let expected = "discount (Discount, DECISION_TABLE)
  Customer        \"stranger\"
  Total           200
  rule 2 (large)  percent: 10
  output          10
price (Price, LITERAL_EXPRESSION)
  output  180
result: 180
";
    assert_eq!((code, out.as_str(), err.as_str()), (0, expected, ""));

    let (code, out, _) = evaluate(&["--decision", "price", "--variables", r#"{"total": 2000}"#]);
    assert_eq!(code, 1);
    let last = "failed: cannot evaluate decision `discount`, rule 3, column `percent`: assertion failed: who buys for so much?";
    assert_eq!(out.lines().last(), Some(last));

    let (code, _, err) = evaluate(&[]);
    assert_eq!(
        (code, err.as_str()),
        (2, "error: say which decision by `--decision`; there are `price`, `discount`\n")
    );
    let (code, _, err) = evaluate(&["--decision", "nope"]);
    let missing = "error: there is no decision `nope`; there are `price`, `discount`\n";
    assert_eq!((code, err.as_str()), (4, missing));
}

#[test]
fn tells_decisions_to_programs() {
    let arguments = ["dmn", "evaluate", "examples/decision/discount.dmn", "--decision", "Discount", "--json"];
    let (code, out, _) = coreto(&[&arguments[..], &["--variables", r#"{"customer": "friend"}"#]].concat());
    let answer: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &answer["output"]), (0, &serde_json::json!(20)));
    let rule = &answer["evaluatedDecisions"][0]["matchedRules"][0];
    assert_eq!((&rule["ruleId"], &rule["ruleIndex"]), (&"friends".into(), &1.into()));
}

#[test]
fn checks_decisions() {
    let (code, out, _) = coreto(&["dmn", "check", "examples"]);
    assert_eq!((code, out.as_str()), (0, "1 file checked, 0 refused\n"));
    let (code, out, _) = coreto(&["dmn", "check", "examples/order/order.bpmn"]);
    assert_eq!(code, 1);
    assert!(out.contains("order.bpmn:2:1: error: DMN-0005: the root element `definitions` is not"), "{out}");
    assert!(out.contains("help: this is a BPMN model: `coreto check` checks those"), "{out}");
}

#[test]
fn checks_processes_and_decisions_of_a_directory() {
    let (code, out, _) = coreto(&["check", "examples"]);
    assert_eq!(code, 0, "{out}");
    let files = ["examples/decision/discount.dmn", "examples/order/order.bpmn"].map(|file| {
        let (_, out, _) = coreto(&["check", file, "--json"]);
        out.lines().count()
    });
    assert_eq!(files, [1, 1]);
    let (_, out, _) = coreto(&["check", "examples", "--json"]);
    assert!(out.contains("discount.dmn") && out.contains("order.bpmn"), "{out}");
}

/// A decision of a file may use one of another file, which is named, or stands beside it.
#[test]
fn finds_imported_decisions() {
    let place = std::env::temp_dir().join(format!("coreto-imports-{}", std::process::id()));
    std::fs::create_dir_all(place.join("apart")).expect("a directory can be made");
    let dmn = "https://www.omg.org/spec/DMN/20191111/MODEL/";
    let imported = format!(
        r#"<definitions xmlns="{dmn}" id="b" name="b" namespace="urn:b"><decision id="two" name="two"><literalExpression><text>2</text></literalExpression></decision></definitions>"#
    );
    let importing = format!(
        r#"<definitions xmlns="{dmn}" id="a" name="a" namespace="urn:a"><import namespace="urn:b" name="b" importType="{dmn}"/><decision id="three" name="three"><informationRequirement><requiredDecision href="urn:b#two"/></informationRequirement><literalExpression><text>b.two + 1</text></literalExpression></decision></definitions>"#
    );
    let file = |name: &str, text: &str| {
        let path = place.join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path.to_str().expect("a path of ASCII").to_owned()
    };
    let (beside, alone) = (file("a.dmn", &importing), file("apart/a.dmn", &importing));
    let other = file("b.dmn", &imported);
    for arguments in [&["dmn", "evaluate", &beside][..], &["dmn", "evaluate", &alone, &other]] {
        let (code, out, err) = coreto(arguments);
        assert_eq!((code, out.lines().last(), err.as_str()), (0, Some("result: 3"), ""), "{arguments:?}");
    }
    let (code, _, err) = coreto(&["dmn", "evaluate", &alone]);
    assert!(code == 1 && err.contains("no model with namespace `urn:b`"), "{err}");
    let (code, out, _) = coreto(&["check", &beside]);
    assert_eq!((code, out.as_str()), (0, "1 file checked, 0 refused\n"));
    std::fs::remove_dir_all(place).expect("what was made can be removed");
}

#[test]
fn places_that_cannot_be_used_are_refused() {
    let flags = ["dev", "--grpc-tls-cert", "gone.pem", "--grpc-tls-key", "gone.pem"];
    let (code, _, err) = coreto(&flags);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("cannot read `gone.pem`, which grpc.tls-cert names: No such file"), "{err}");
    let (code, _, err) = coreto(&["start", "--data", "examples"]);
    assert_eq!(code, 1);
    assert!(err.contains("the data directory `examples` holds what no server wrote, such as `"), "{err}");
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    for (variables, error) in [
        (
            &[("TIME_ZONE", "Mars/Base")][..],
            "`CORETO_TIME_ZONE` is `Mars/Base`, expected the name of a time zone such as Europe/Lisbon",
        ),
        (
            &[("GRPC_MESSAGE_BYTES_MAX", "0")],
            "`CORETO_GRPC_MESSAGE_BYTES_MAX` is `0`, expected a number of bytes above 0",
        ),
        (
            &[("LIMITS_QUEUE_BYTES_SOFT", "10"), ("LIMITS_QUEUE_BYTES_HARD", "5")],
            "limits.queue-bytes-soft is 10, which is above limits.queue-bytes-hard, 5",
        ),
        (
            &[("LIMITS_FREE_BYTES_NEW_WORK", "5"), ("LIMITS_FREE_BYTES_ALL", "10")],
            "limits.free-bytes-all is 10, which is above limits.free-bytes-new-work, 5",
        ),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coreto"));
        command.args(["config", "print"]);
        command.envs(variables.iter().map(|(name, value)| (format!("CORETO_{name}"), value)));
        let output = command.output().expect("the program runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*told), (Some(2), &*format!("error: {error}\n")));
    }
}

#[test]
fn how_a_server_is_reached_is_for_commands_that_talk_to_one() {
    for arguments in [&["edge"][..], &["edge", "check"], &["start"], &["dev"], &["feel", "eval"], &["bench"]]
    {
        let (code, help, _) = coreto(&[arguments, &["--help"]].concat());
        let shown = ["--ca-certificate", "--token", "--request-timeout"];
        assert!(code == 0 && shown.iter().all(|option| !help.contains(option)), "{help}");
    }
    for arguments in [&[][..], &["deploy"], &["get", "definitions"]] {
        let (_, help, _) = coreto(&[arguments, &["--help"]].concat());
        assert!(help.contains("--address") && help.contains("--token"), "{help}");
    }
    for arguments in [&["edge", "check", "--token", "x"][..], &["--token", "x", "edge", "check"]] {
        let (code, out, err) = coreto(arguments);
        let said = "error: `--token` is for commands that talk to a server, which this one does not\n";
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.starts_with(said), "{err}");
    }
    let (code, _, err) = coreto(&["status", "--address", "127.0.0.1:1", "--request-timeout", "100"]);
    assert_eq!(code, 3, "{err}");
}
