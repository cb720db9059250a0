//! The reference for users, `docs/feel.md`: each example gives what it says, and no function is missing.
//!
//! Examples are the lines of blocks that are marked `feel`: an expression, `//`, and the value as another expression,
//! followed by the kinds of its warnings (`null, NOT_COMPARABLE`); or `fails:` and why. What follows the mark is the
//! input of unary tests, or `standard` for that dialect. The block marked `json` has the variables.

use std::fmt::Write as _;
use std::path::Path;

use coreto_feel::value::equal;
use coreto_feel::{Context, Dialect, Env, Evaluated, Expression, Failure, UnaryTests, Value, signatures};

struct Example<'d> {
    /// What follows `feel` in the mark of its block.
    mode: &'d str,
    source: &'d str,
    expected: &'d str,
    line: usize,
}

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/feel.md");
    std::fs::read_to_string(path).expect("the document is there")
}

/// Lines of the document inside of blocks, each with the mark of its block and its number.
fn blocks(document: &str) -> impl Iterator<Item = (&str, &str, usize)> {
    let mut mark = "";
    document.lines().enumerate().filter_map(move |(number, line)| match line.strip_prefix("```") {
        Some(rest) => {
            mark = rest;
            None
        }
        None => (!mark.is_empty()).then_some((mark, line, number + 1)),
    })
}

fn examples(document: &str) -> Vec<Example<'_>> {
    let lines =
        blocks(document).filter_map(|(mark, line, number)| Some((mark.strip_prefix("feel")?, line, number)));
    let lines = lines.filter(|(_, line, _)| !line.is_empty() && !line.starts_with("//"));
    lines
        .map(|(mode, line, number)| {
            let (source, expected) =
                line.rsplit_once(" // ").unwrap_or_else(|| panic!("line {number} says no value"));
            Example { mode: mode.trim(), source: source.trim(), expected: expected.trim(), line: number }
        })
        .collect()
}

fn variables(document: &str) -> Context {
    let json: String =
        blocks(document).filter(|(mark, ..)| *mark == "json").map(|(_, line, _)| line).collect();
    Value::from_json(json.as_bytes()).expect("JSON").as_context().expect("an object").clone()
}

fn env() -> Env<'static> {
    Env { now_ms: 1_710_073_845_678, zone: "Europe/Berlin", seed: 7, ..Env::default() }
}

fn evaluate(example: &Example<'_>, source: &str, scope: &Context) -> Result<Evaluated, Failure> {
    let dialect = if example.mode == "standard" { Dialect::Standard } else { Dialect::Camunda };
    let expression = Expression::parse_in(dialect, &[], source)
        .unwrap_or_else(|error| panic!("line {}: {error}", example.line));
    expression.evaluate(scope, &env())
}

fn run(example: &Example<'_>, scope: &Context) -> Result<Evaluated, Failure> {
    if example.mode.is_empty() || example.mode == "standard" {
        return evaluate(example, example.source, scope);
    }
    let input = evaluate(example, example.mode, scope)?.value;
    let tests =
        UnaryTests::parse(example.source).unwrap_or_else(|error| panic!("line {}: {error}", example.line));
    tests.evaluate(input, scope, &env())
}

/// What is wrong with an example.
fn fault(example: &Example<'_>, scope: &Context) -> Option<String> {
    let found = run(example, scope);
    if let Some(reason) = example.expected.strip_prefix("fails: ") {
        return match found {
            Err(failure) if failure.to_string().ends_with(reason) => None,
            other => Some(format!("{other:?}")),
        };
    }
    let (expected, warnings) = expectation(example.expected);
    let found = found.map_err(|failure| failure.to_string());
    let expected = evaluate(example, expected, scope).expect("a value").value;
    match found {
        Ok(Evaluated { value, warnings: found })
            if equal(&value, &expected) == Some(true)
                && value.type_name() == expected.type_name()
                && found.iter().map(|warning| warning.kind.name()).eq(warnings.iter().copied()) =>
        {
            None
        }
        other => Some(format!("{other:?}")),
    }
}

/// The value and the kinds of warnings behind it.
fn expectation(text: &str) -> (&str, Vec<&str>) {
    let (mut value, mut warnings) = (text, Vec::new());
    while let Some((rest, last)) = value.rsplit_once(", ")
        && last.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    {
        warnings.insert(0, last);
        value = rest;
    }
    (value, warnings)
}

#[test]
fn every_example_gives_what_it_says() {
    let document = document();
    let scope = variables(&document);
    let mut faults = String::new();
    for example in examples(&document) {
        if let Some(found) = fault(&example, &scope) {
            let Example { source, expected, line, .. } = example;
            writeln!(faults, "line {line}: {source}\n  says  {expected}\n  gives {found}").expect("a string");
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn every_signature_is_told_and_every_function_has_an_example() {
    let document = document();
    let examples = examples(&document);
    for (name, parameters) in signatures(Dialect::Standard) {
        let signature = format!("`{name}({})`", parameters.join(", "));
        assert!(document.contains(&signature), "{signature} is not told");
        let (alone, inside) = (format!("{name}("), format!("({name}("));
        let is_called = |source: &str| source.starts_with(&alone) || source.contains(&inside);
        assert!(examples.iter().any(|example| is_called(example.source)), "`{name}` has no example");
    }
}
