//! Runs `tests/cases/*.txt`: what expressions give, as data.
//!
//! ```text
//! # Text after a hash at the start of a line is a comment; the first one says what the group is about.
//! section Operators               the section of `docs/feel.md` that the lines that follow are about
//! given {"x": 1, "y": "a"}        variables for the lines that follow, until the next `given`
//! x + 1 → 2                       an expression and its value as JSON
//! date("2020-01-31") → date "2020-01-31"      types that JSON has not are named before it
//! x + y → null ! INVALID_TYPE     and the kinds of its warnings, in order; none stands for no warnings
//! unary 5 : < 3, [5..7] → true    unary tests against an input
//! agent fromAi(toolCall.x, "why") → [{"name":"x","description":"why"}]     what an agent is told to fill in
//! dialect standard                the lines that follow are read as DMN has it, until `dialect camunda`
//! assert(x, x > 1) → failure assertion failed: the condition is not fulfilled
//! x + → error line 1, column 4: expected an expression, found the end
//! ```
//!
//! A line that ends in `\` goes on in the next one. The clock stands at 2024-03-10T12:30:45.678Z, the zone is
//! Europe/Berlin, the seed 7. `UPDATE=1` writes what is found into the files, to be reviewed as a diff.

#![expect(clippy::disallowed_methods, reason = "tests are read from files")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use coreto_feel::{
    AgentParameter, Context, Dialect, Env, Evaluated, Expression, Failure, List, Scope, UnaryTests, Value,
    Variable, signatures,
};

/// The same variables as JSON text, which is read in another way.
struct Lazy(Vec<(String, String)>);

impl Scope for Lazy {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        let (_, text) = self.0.iter().find(|(known, _)| known == name)?;
        Some(Variable::Json(text.as_bytes()))
    }
}

fn env() -> Env<'static> {
    Env { now_ms: 1_710_073_845_678, zone: "Europe/Berlin", seed: 7, ..Env::default() }
}

fn render_value(value: &Value) -> String {
    match value {
        Value::Range(_) | Value::Function(_) => value.type_name().to_owned(),
        Value::Date(_)
        | Value::Time(_)
        | Value::DateTime(_)
        | Value::DaysTimeDuration(_)
        | Value::YearsMonthsDuration(_) => format!("{} {}", value.type_name(), value.to_json()),
        _ => value.to_json(),
    }
}

fn render(result: Result<Evaluated, Failure>) -> String {
    match result {
        Err(failure) => format!("failure {failure}"),
        Ok(Evaluated { value, warnings }) => {
            let mut text = render_value(&value);
            for (at, warning) in warnings.iter().enumerate() {
                let mark = if at == 0 { " !" } else { "," };
                write!(text, "{mark} {}", warning.kind).expect("writing to a string does not fail");
            }
            text
        }
    }
}

fn render_parameters(parameters: Vec<AgentParameter>) -> String {
    let parameters = parameters.into_iter().map(|parameter| {
        let AgentParameter { name, description, type_name, schema, options } = parameter;
        let entries: [(&str, Value); 5] = [
            ("name", name.into()),
            ("description", description.into()),
            ("type", type_name.into()),
            ("schema", schema.into()),
            ("options", options.into()),
        ];
        let told = entries.into_iter().filter(|(_, value)| !value.is_null());
        Context::new(told.map(|(name, value)| (name.into(), value)).collect()).expect("not deep").into()
    });
    Value::List(List::new(parameters.collect()).expect("not deep")).to_json()
}

fn run(dialect: Dialect, line: &str, given: &Context) -> String {
    let names: Vec<&str> = given.iter().map(|(name, _)| name).collect();
    if let Some(rest) = line.strip_prefix("unary ") {
        let (input, tests) = rest.split_once(" : ").expect("`unary INPUT : TESTS`");
        let input = Expression::parse(input).expect("the input is an expression");
        let input = input.evaluate(given, &env()).expect("the input is a value").value;
        return match UnaryTests::parse_in(dialect, &names, tests) {
            Err(error) => format!("error {error}"),
            Ok(tests) => render(tests.evaluate(input, given, &env())),
        };
    }
    if let Some(expression) = line.strip_prefix("agent ") {
        let expression = Expression::parse_in(dialect, &names, expression).expect("an expression");
        return match expression.agent_parameters() {
            Err(error) => format!("error {error}"),
            Ok(parameters) => render_parameters(parameters),
        };
    }
    match Expression::parse_in(dialect, &names, line) {
        Err(error) => format!("error {error}"),
        Ok(expression) => {
            let found = render(expression.evaluate(given, &env()));
            let lazy = Lazy(given.iter().map(|(name, value)| (name.to_owned(), value.to_json())).collect());
            let again = render(expression.evaluate(&lazy, &env()));
            assert_eq!(found, again, "values and JSON text give the same for `{line}`");
            found
        }
    }
}

/// What is wrong in a file, and what was counted.
#[derive(Default)]
struct Report {
    /// Cases of Camunda's dialect.
    cases: usize,
    /// Those of them that are about nulls and warnings.
    nulls: usize,
    failures: String,
}

/// Where in a file the runner is.
struct Place<'f> {
    file: &'f str,
    line: usize,
    dialect: Dialect,
    given: Context,
    section: Option<String>,
}

impl Place<'_> {
    /// Takes a line that says how the lines that follow are meant; nothing for other lines.
    fn direct(&mut self, line: &str, headings: &[&str]) -> Option<()> {
        if let Some(name) = line.strip_prefix("dialect ") {
            self.dialect = if name == "standard" { Dialect::Standard } else { Dialect::Camunda };
        } else if let Some(json) = line.strip_prefix("given ") {
            let value = Value::from_json(json.as_bytes()).expect("`given` is followed by JSON");
            self.given = value.as_context().expect("a JSON object").clone();
        } else if let Some(name) = line.strip_prefix("section ") {
            assert!(headings.contains(&name), "{}:{}: there is no section `{name}`", self.file, self.line);
            self.section = Some(name.to_owned());
        } else if !line.is_empty() && !line.starts_with('#') {
            return None;
        }
        Some(())
    }

    /// Runs a case; gives what it should say, if it says something else.
    fn run(&self, case: &str, report: &mut Report) -> Option<String> {
        let Self { file, line, section, .. } = self;
        assert!(section.is_some(), "{file}:{line}: no section is named before the case");
        let (expression, expected) = case.rsplit_once('→').unwrap_or_else(|| panic!("{file}:{line}: no `→`"));
        let (expression, expected) = (expression.trim_end(), expected.trim());
        let found = run(self.dialect, expression, &self.given);
        if self.dialect == Dialect::Camunda {
            report.cases += 1;
            report.nulls += usize::from(found.contains("null") || found.contains(" ! "));
        }
        if found == expected {
            return None;
        }
        writeln!(report.failures, "{file}:{line}: {expression}\n  expected {expected}\n  found    {found}")
            .expect("writing to a string does not fail");
        Some(found)
    }
}

/// Runs the cases of a file; gives its text with what was found.
fn run_file(file: &str, text: &str, headings: &[&str], report: &mut Report) -> String {
    let mut place =
        Place { file, line: 0, dialect: Dialect::Camunda, given: Context::empty(), section: None };
    let mut rewritten = String::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        place.line = number + 1;
        let mut kept = line.to_owned();
        while kept.ends_with('\\') {
            kept.push('\n');
            kept.push_str(lines.next().expect("a line goes on in the next one").1);
        }
        let case = kept.replace("\\\n", "\n");
        if place.direct(&case, headings).is_none()
            && let Some(found) = place.run(&case, report)
        {
            let (before, _) = kept.rsplit_once('→').expect("found before");
            kept = format!("{before}→ {found}");
        }
        rewritten.push_str(&kept);
        rewritten.push('\n');
    }
    rewritten
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_case_gives_what_it_says() {
    let update = std::env::var("UPDATE").is_ok();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = read(&root.join("../../../docs/feel.md"));
    let headings: Vec<&str> = reference
        .lines()
        .filter_map(|line| line.strip_prefix("##"))
        .map(|line| line.trim_start_matches('#').trim())
        .collect();
    let folder = root.join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut report = Report::default();
    for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "txt")) {
        let text = read(path);
        let name = path.file_name().unwrap().to_string_lossy();
        let rewritten = run_file(&name, &text, &headings, &mut report);
        if update && rewritten != text {
            std::fs::write(path, rewritten).unwrap();
        }
    }
    let Report { cases, nulls, failures } = report;
    assert!(update || failures.is_empty(), "these cases differ:\n{failures}");
    assert!(cases >= 600 && nulls >= 200, "{cases} cases, {nulls} of them about nulls and warnings");
}

#[test]
fn every_signature_is_called_by_the_names_of_its_parameters() {
    let cases = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/named.txt"));
    for (name, parameters) in signatures(Dialect::Camunda) {
        let called = |line: &str| {
            let rest = parameters.iter().enumerate().try_fold(line, |rest, (at, parameter)| {
                let named = format!("{}{parameter}: ", if at == 0 { "(" } else { ", " });
                rest.split_once(&named).map(|(_, rest)| rest)
            });
            line.starts_with(&format!("{name}(")) && rest.is_some()
        };
        assert!(cases.lines().any(called), "{name}({})", parameters.join(", "));
    }
}

/// The list is of all there is, so that neither a published signature nor one of ours goes missing.
#[test]
fn the_signatures_are_those_of_the_list() {
    let list = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/signatures.txt"));
    let lines = || list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(lines().filter(|line| !line.starts_with('+')).count(), 136, "signatures that are published");
    let listed: BTreeSet<String> = lines().map(|line| line.trim_start_matches("+ ").to_owned()).collect();
    let found: BTreeSet<String> = signatures(Dialect::Camunda)
        .map(|(name, parameters)| format!("{name}({})", parameters.join(", ")))
        .collect();
    let (missing, unlisted) = (listed.difference(&found), found.difference(&listed));
    let (missing, unlisted): (Vec<_>, Vec<_>) = (missing.collect(), unlisted.collect());
    assert!(missing.is_empty() && unlisted.is_empty(), "missing: {missing:?}; not listed: {unlisted:?}");
}
