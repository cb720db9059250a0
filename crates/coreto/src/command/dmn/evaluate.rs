//! `coreto dmn evaluate`: a decision with its whole way.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use coreto_cli::CliError;
use coreto_dmn::{Decision, EvaluatedDecision, Failure, Model};
use coreto_feel::{Dialect, Value, Warning};
use serde_json::json;

use super::files;
use crate::args::EvaluateArgs;
use crate::command::check::Report;
use crate::command::feel::{Variables, env, value_json, warning_json};

pub(crate) fn run(args: &EvaluateArgs, json: bool) -> anyhow::Result<ExitCode> {
    let Some(model) = model(args, json)? else { return Ok(ExitCode::FAILURE) };
    let decision = decision(&model, args.decision.as_deref())?;
    let variables = Variables::parse(&args.variables, "--variables")?;
    let mut out = std::io::stdout().lock();
    let result = decision.evaluate(&variables, &env(&args.language));
    let (output, decisions, failure) = match &result {
        Ok(evaluation) => (Some(&evaluation.output), &evaluation.decisions, None),
        Err(failure) => (None, &failure.decisions, Some(&**failure)),
    };
    if json {
        let answer = json!({
            "decisionId": decision.id(),
            "decisionName": decision.name(),
            "output": output.map(value_json),
            "failedDecisionId": failure.map(|failure| &*failure.decision),
            "failureMessage": failure.map(Failure::to_string),
            "evaluatedDecisions": decisions.iter().map(render).collect::<Vec<_>>(),
        });
        writeln!(out, "{answer}")?;
    } else {
        for decision in decisions {
            tell(&mut out, decision)?;
        }
        match (output, failure) {
            (Some(output), _) => writeln!(out, "result: {}", shown(output))?,
            (None, Some(failure)) => writeln!(out, "failed: {failure}")?,
            (None, None) => (),
        }
    }
    Ok(ExitCode::from(u8::from(failure.is_some())))
}

/// The model with what it imports; nothing when it is refused, which is told.
fn model(args: &EvaluateArgs, json: bool) -> anyhow::Result<Option<Model>> {
    let paths: Vec<PathBuf> = args.files.iter().chain(&args.import).cloned().collect();
    let mut results = files::read(&paths, args.language.dialect.into())?;
    if let Some(model) = results[0].0.take() {
        return Ok(Some(model));
    }
    let mut report = Report::new(std::io::stderr().lock(), json);
    for (path, (model, diagnostics)) in paths.iter().zip(&results) {
        report.file(path, model.is_some(), diagnostics)?;
    }
    Ok(None)
}

/// The decision of an identifier or a name, or the only one.
fn decision<'m>(model: &'m Model, wanted: Option<&str>) -> anyhow::Result<Decision<'m>> {
    let mut decisions = model.decisions();
    let found = match wanted {
        Some(wanted) => {
            let by_name = || model.decisions().find(|decision| decision.name() == wanted);
            model.decision(wanted).or_else(by_name)
        }
        None if decisions.len() == 1 => decisions.next(),
        None => None,
    };
    let Some(found) = found else {
        let known: Vec<String> = model.decisions().map(|decision| format!("`{}`", decision.id())).collect();
        let known = known.join(", ");
        if let Some(wanted) = wanted {
            return Err(
                CliError::Missing(format!("there is no decision `{wanted}`; there are {known}")).into()
            );
        }
        let error = format!("say which decision by `--decision`; there are {known}");
        return Err(CliError::Usage(error).into());
    };
    Ok(found)
}

fn render(decision: &EvaluatedDecision) -> serde_json::Value {
    let input = |input: &coreto_dmn::EvaluatedInput| json!({ "inputId": input.id.as_deref(), "inputName": &*input.name, "inputValue": value_json(&input.value) });
    let output = |output: &coreto_dmn::EvaluatedOutput| {
        let value = value_json(&output.value);
        json!({ "outputId": output.id.as_deref(), "outputName": &*output.name, "outputValue": value })
    };
    let rule = |rule: &coreto_dmn::MatchedRule| {
        let outputs: Vec<_> = rule.outputs.iter().map(output).collect();
        json!({ "ruleId": rule.id.as_deref(), "ruleIndex": rule.index, "evaluatedOutputs": outputs })
    };
    json!({
        "decisionId": &*decision.id,
        "decisionName": &*decision.name,
        "decisionType": decision.kind.name(),
        "output": value_json(&decision.output),
        "evaluatedInputs": decision.inputs.iter().map(input).collect::<Vec<_>>(),
        "matchedRules": decision.rules.iter().map(rule).collect::<Vec<_>>(),
        "warnings": decision.warnings.iter().map(warning_json).collect::<Vec<_>>(),
    })
}

fn tell(out: &mut impl Write, decision: &EvaluatedDecision) -> std::io::Result<()> {
    writeln!(out, "{} ({}, {})", decision.id, decision.name, decision.kind.name())?;
    let name = |id: &Option<_>, index: u32| match id {
        Some(id) => format!("rule {index} ({id})"),
        None => format!("rule {index}"),
    };
    let inputs = decision.inputs.iter().map(|input| (input.name.to_string(), shown(&input.value)));
    let rules = decision.rules.iter().map(|rule| {
        let outputs = rule.outputs.iter().map(|output| match &*output.name {
            "" => shown(&output.value),
            name => format!("{name}: {}", shown(&output.value)),
        });
        (name(&rule.id, rule.index), outputs.collect::<Vec<_>>().join(", "))
    });
    let rows: Vec<(String, String)> =
        inputs.chain(rules).chain([("output".to_owned(), shown(&decision.output))]).collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, value) in &rows {
        let pad = width - name.chars().count();
        writeln!(out, "  {name}{:pad$}  {value}", "")?;
    }
    decision.warnings.iter().try_for_each(|warning: &Warning| writeln!(out, "  ! {warning}"))
}

/// A value for people: text in quotes, what JSON does not have by the name of its type.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Function(_) | Value::Range(_) => value.type_name().to_owned(),
        _ => value.to_json(),
    }
}

impl From<crate::args::DialectArg> for Dialect {
    fn from(dialect: crate::args::DialectArg) -> Self {
        match dialect {
            crate::args::DialectArg::Camunda => Self::Camunda,
            crate::args::DialectArg::Standard => Self::Standard,
        }
    }
}
