//! `coreto feel eval`: one expression, its value and why something in it is null.

use std::io::Write;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use coreto_cli::CliError;
use coreto_feel::{
    Dialect, Env, Evaluated, Expression, Failure, ParseError, Scope, UnaryTests, Value, Variable, Warning,
};
use serde_json::json;

use crate::args::{EvalArgs, LanguageArgs};
use crate::command::dmn::evaluate::shown;

/// Variables as JSON text; only what is asked for is read.
pub(crate) struct Variables(Vec<(String, String)>);

impl Scope for Variables {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        let (_, text) = self.0.iter().find(|(known, _)| known == name)?;
        Some(Variable::Json(text.as_bytes()))
    }
}

impl Variables {
    /// Reads an argument: a JSON object, or the file that `@FILE` names.
    pub(crate) fn parse(argument: &str, flag: &str) -> Result<Self, CliError> {
        let text = match argument.strip_prefix('@') {
            None => argument.to_owned(),
            Some(path) => std::fs::read_to_string(path).map_err(|source| CliError::File {
                path: path.into(),
                doing: "read",
                source,
            })?,
        };
        let value = Value::from_json(text.as_bytes())
            .map_err(|error| CliError::Usage(format!("the value of `{flag}` is no JSON: {error}")))?;
        let context = value
            .as_context()
            .ok_or_else(|| CliError::Usage(format!("the value of `{flag}` is no JSON object")))?;
        Ok(Self(context.iter().map(|(name, value)| (name.to_owned(), value.to_json())).collect()))
    }

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// The world as expressions see it, now.
pub(crate) fn env(language: &LanguageArgs) -> Env<'_> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    Env { now_ms, zone: &language.zone, seed: since.as_nanos(), ..Env::default() }
}

pub(crate) fn run(args: &EvalArgs, json: bool) -> anyhow::Result<ExitCode> {
    let variables = Variables::parse(&args.context, "--context")?;
    let (dialect, names) = (Dialect::from(args.language.dialect), variables.names());
    let env = env(&args.language);
    // Tests may begin with a `=` of their own.
    let marked = args.expression.trim_start().strip_prefix('=').filter(|_| args.input.is_none());
    let source = marked.unwrap_or(&args.expression);
    let parse = |source: &str| Expression::parse_in(dialect, &names, source);
    let result = match &args.input {
        None => match parse(source) {
            Ok(expression) => expression.evaluate(&variables, &env),
            Err(error) => return not_parsed(source, &error, json),
        },
        Some(input) => {
            let (input, tests) = match (parse(input), UnaryTests::parse_in(dialect, &names, source)) {
                (Err(error), _) => return not_parsed(input, &error, json),
                (_, Err(error)) => return not_parsed(source, &error, json),
                (Ok(input), Ok(tests)) => (input, tests),
            };
            input.evaluate(&variables, &env).and_then(|input| tests.evaluate(input.value, &variables, &env))
        }
    };
    match result {
        Ok(evaluated) => tell(&evaluated, json)?,
        Err(failure) => return failed(&failure, json),
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(evaluated: &Evaluated, json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let Evaluated { value, warnings } = evaluated;
    if json {
        let warnings: Vec<_> = warnings.iter().map(warning_json).collect();
        let kind = value.type_name();
        return writeln!(
            out,
            "{}",
            json!({ "result": value_json(value), "type": kind, "warnings": warnings })
        );
    }
    writeln!(out, "{}", shown(value))?;
    let mut errors = std::io::stderr().lock();
    warnings.iter().try_for_each(|warning| writeln!(errors, "! {warning}"))
}

fn not_parsed(source: &str, error: &ParseError, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        let answer = json!({ "error": error.to_string(), "line": error.line, "column": error.column });
        writeln!(std::io::stdout().lock(), "{answer}")?;
    } else {
        writeln!(std::io::stderr().lock(), "error: {error}\n{}", error.caret(source))?;
    }
    Ok(ExitCode::FAILURE)
}

fn failed(failure: &Failure, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        writeln!(std::io::stdout().lock(), "{}", json!({ "error": failure.to_string() }))?;
    } else {
        writeln!(std::io::stderr().lock(), "error: {failure}")?;
    }
    Ok(ExitCode::FAILURE)
}

/// A value as JSON, as it would become a variable.
pub(crate) fn value_json(value: &Value) -> serde_json::Value {
    serde_json::from_str(&value.to_json()).unwrap_or_default()
}

pub(crate) fn warning_json(warning: &Warning) -> serde_json::Value {
    json!({ "type": warning.kind.name(), "message": warning.message })
}
