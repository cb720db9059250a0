//! Runs `tests/cases/*.txt`: what expressions give, as data.
//!
//! ```text
//! # Text after a hash at the start of a line is a comment; the first one says what the group is about.
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

use std::fmt::Write as _;
use std::path::Path;

use coreto_feel::{
    AgentParameter, Context, Dialect, Env, Evaluated, Expression, Failure, List, Scope, UnaryTests, Value,
    Variable,
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

#[test]
#[expect(clippy::disallowed_methods, reason = "tests are read from files")]
fn every_case_gives_what_it_says() {
    let update = std::env::var("UPDATE").is_ok();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut cases, mut failures) = (0, String::new());
    for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "txt")) {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy();
        let mut dialect = Dialect::Camunda;
        let mut given = Context::empty();
        let mut rewritten = String::new();
        let mut lines = text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let mut case = line.to_owned();
            let mut kept = line.to_owned();
            while case.ends_with('\\') {
                let next = lines.next().expect("a line goes on in the next one").1;
                case.pop();
                case.push('\n');
                case.push_str(next);
                kept.push('\n');
                kept.push_str(next);
            }
            if let Some(name) = case.strip_prefix("dialect ") {
                dialect = if name == "standard" { Dialect::Standard } else { Dialect::Camunda };
            } else if let Some(json) = case.strip_prefix("given ") {
                let value = Value::from_json(json.as_bytes()).expect("`given` is followed by JSON");
                given = value.as_context().expect("a JSON object").clone();
            } else if !case.is_empty() && !case.starts_with('#') {
                let (expression, expected) =
                    case.rsplit_once('→').unwrap_or_else(|| panic!("{name}:{}: no `→`", number + 1));
                let found = run(dialect, expression.trim_end(), &given);
                cases += 1;
                if found != expected.trim() {
                    let (expression, expected) = (expression.trim_end(), expected.trim());
                    writeln!(
                        failures,
                        "{name}:{}: {expression}\n  expected {expected}\n  found    {found}",
                        number + 1
                    )
                    .unwrap();
                    let (before, _) = kept.rsplit_once('→').unwrap();
                    kept = format!("{before}→ {found}");
                }
            }
            rewritten.push_str(&kept);
            rewritten.push('\n');
        }
        if update && rewritten != text {
            std::fs::write(path, rewritten).unwrap();
        }
    }
    assert!(update || failures.is_empty(), "of {cases} cases these differ:\n{failures}");
    assert!(cases > 0, "there are cases");
}
