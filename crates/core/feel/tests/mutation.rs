//! Known expressions, mutated: whatever comes out is read or refused, and stays within its budget.
//!
//! `FEEL_MUTATIONS` says how many are tried, `FEEL_MUTATION_SEED` where to start. A failure shows its source.

#![expect(clippy::disallowed_methods, reason = "a test reads files and its settings")]

#[path = "support/everything.rs"]
mod everything;
#[path = "support/random.rs"]
mod random;

use std::path::Path;

use coreto_feel::{Budget, Dialect, Env, Expression, UnaryTests, Value};

use everything::Everything;
use random::Random;

/// Shows a source when something panics over it.
struct Shown<'s>(&'s str);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the source: {:?}", self.0);
        }
    }
}

#[test]
fn survives_mutated_expressions() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let mut random = Random(setting("FEEL_MUTATION_SEED").unwrap_or(0x5eed));
    let corpus = corpus();
    let budget = Budget { steps: 5000, bytes: 1 << 20, list_length: 2000, ..Budget::default() };
    let env = Env { now_ms: 1_710_073_845_678, zone: "Europe/Berlin", seed: 7, budget };
    let (mut parsed, mut evaluated) = (0u32, 0u32);
    for _ in 0..setting("FEEL_MUTATIONS").unwrap_or(500_000) {
        let source = mutate(&corpus, &mut random);
        let source = String::from_utf8_lossy(&source);
        let shown = Shown(&source);
        match Expression::parse(&source) {
            Ok(expression) => {
                parsed += 1;
                evaluated += u32::from(holds(&expression, &env));
            }
            Err(error) => assert!(error.caret(&source).ends_with('^')),
        }
        if let Ok(expression) = Expression::parse_in(Dialect::Standard, &["first name", "a-b"], &source) {
            let _ = expression.evaluate(&Everything, &env);
        }
        if let Ok(tests) = UnaryTests::parse(&source) {
            let _ = tests.evaluate(5.into(), &Everything, &env);
        }
        let _ = Value::from_json(source.as_bytes());
        drop(shown);
    }
    assert!(parsed > 100 && evaluated > 100, "the mutations reach the evaluator: {parsed}, {evaluated}");
}

/// Whether an expression has a value, about which all holds that must.
fn holds(expression: &Expression, env: &Env<'_>) -> bool {
    let _ = expression.agent_parameters();
    let Ok(evaluated) = expression.evaluate(&Everything, env) else { return false };
    let json = evaluated.value.to_json();
    let again = Value::from_json(json.as_bytes()).expect("what is written can be read");
    assert_eq!(again.to_json(), json, "reading and writing changes nothing");
    for warning in evaluated.warnings {
        assert!(warning.offset as usize <= expression.source().len());
    }
    true
}

/// The sources of all cases.
fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = std::fs::read_dir(folder).expect("there are cases");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let mut sources = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path).expect("a file of cases");
        for (case, _) in text.lines().filter_map(|line| line.rsplit_once('→')) {
            let case = case.strip_prefix("agent ").unwrap_or(case);
            let unary = case.strip_prefix("unary ").and_then(|case| case.split_once(" : "));
            sources.push(unary.map_or(case, |(_, tests)| tests).trim().as_bytes().to_vec());
        }
    }
    sources
}

/// A source with some of its parts changed for others.
fn mutate(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    const PARTS: [&str; 40] = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "..",
        ".",
        ",",
        ":",
        "?",
        "-",
        "+",
        "*",
        "/",
        "**",
        "=",
        "<",
        ">=",
        "\"",
        "`",
        "@",
        " and ",
        " or ",
        " in ",
        "null",
        "if ",
        "for ",
        "not(",
        "function(",
        "date(\"2024-02-29\")",
        "duration(\"P1D\")",
        "1e6000",
        "-0",
        "9999999999999999999",
        "0.1",
        "é🐎",
        "\\u",
        "//",
        "/*",
    ];
    let mut below = |limit: usize| usize::try_from(random.below(limit.max(1) as u64)).expect("a place");
    let mut source = corpus[below(corpus.len())].clone();
    for _ in 0..=below(4) {
        let at = below(source.len() + 1);
        match below(6) {
            0 => drop(source.splice(at..at, PARTS[below(PARTS.len())].bytes())),
            1 => {
                let end = (at + below(8)).min(source.len());
                source.drain(at..end);
            }
            2 if at < source.len() => source[at] = u8::try_from(below(128)).expect("below 128"),
            3 => {
                let other = &corpus[below(corpus.len())];
                let from = below(other.len() + 1);
                source.splice(at..at, other[from..].iter().copied());
            }
            4 => {
                let other = corpus[below(corpus.len())].clone();
                source.splice(at..at, other.into_iter().chain(*b")"));
            }
            _ => {
                let end = (at + below(20)).min(source.len());
                let copy = source[at..end].to_vec();
                source.splice(at..at, copy);
            }
        }
        source.truncate(2000);
    }
    source
}
