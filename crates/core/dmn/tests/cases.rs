//! Runs `tests/cases/*.txt`: models with what they evaluate to, or what is wrong with them, as data.
//!
//! ```text
//! # The claim of the file.
//!
//! == a claim about the model that follows; `== standard: …` reads it in the standard dialect, else it is Camunda's
//! <decision …>…</decision>             elements of `definitions` (DMN 1.3), or a whole document
//! -- dish {"n": 1} → "fish"            a decision, its variables, and its result
//! -- service menu {"n": 1} → …         the same for a decision service; `knowledge` for a knowledge model
//!    rule 1: "fish"                    what an evaluation tells is indented: values of input columns,
//!    ! INVALID_TYPE: …                 rules that matched, warnings, and failures
//! ```
//!
//! Diagnostics stand behind the model, and so do evaluations if it is not refused. A model may import those above it
//! by the namespace `n1`, `n2`, … in their order in the file. `UPDATE=1` writes what is found into the files, to be
//! reviewed as a diff.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads files and may fail")]

use std::fmt::Write as _;
use std::path::Path;

use coreto_dmn::{EvaluatedDecision, Model, Options};
use coreto_feel::{Dialect, Env, Scope, Value, Variable};

/// Variables as JSON text, as an engine has them.
struct Variables(Vec<(String, String)>);

impl Scope for Variables {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        let (_, text) = self.0.iter().find(|(known, _)| known == name)?;
        Some(Variable::Json(text.as_bytes()))
    }
}

fn variables(json: &str) -> Variables {
    let value = Value::from_json(json.as_bytes()).expect("variables are JSON");
    let context = value.as_context().expect("variables are an object").clone();
    Variables(context.iter().map(|(name, value)| (name.to_owned(), value.to_json())).collect())
}

#[test]
fn every_case_gives_what_it_says() {
    let update = std::env::var_os("UPDATE").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 5, "only {} files of cases were found", files.len());
    let mut failures = String::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let found = rewritten(&text);
        if found == text {
            continue;
        }
        if update {
            std::fs::write(&path, found).unwrap();
            continue;
        }
        for (number, (expected, found)) in text.lines().zip(found.lines()).enumerate() {
            if expected != found {
                let name = path.file_name().unwrap().to_string_lossy();
                writeln!(failures, "{name}:{}:\n  expected {expected}\n  found    {found}", number + 1)
                    .unwrap();
                break;
            }
        }
        writeln!(
            failures,
            "{}: {} lines, not {}",
            path.display(),
            found.lines().count(),
            text.lines().count()
        )
        .unwrap();
    }
    assert!(failures.is_empty(), "{failures}");
}

/// The file as it should be.
fn rewritten(text: &str) -> String {
    let (head, blocks) = text.split_once("\n== ").expect("a file has a case");
    let mut models = Vec::new();
    let mut out = format!("{}\n", head.trim_end());
    for block in blocks.split("\n== ") {
        out.push('\n');
        out.push_str(&one(block, &mut models));
    }
    out
}

/// One model with its evaluations; what is found replaces what was there.
fn one(block: &str, models: &mut Vec<Model>) -> String {
    let (title, rest) = block.split_once('\n').expect("a model follows the title");
    let is_found = |line: &&str| line.starts_with("-- ") || line.starts_with("   ! DMN-");
    let xml: Vec<&str> = rest.lines().take_while(|line| !is_found(line)).collect();
    let xml = xml.join("\n").trim_end().to_owned();
    let mut out = format!("== {title}\n{xml}\n");
    let dialect = if title.starts_with("standard: ") { Dialect::Standard } else { Dialect::Camunda };
    let document = whole(&xml, models.len() + 1);
    let (model, diagnostics) =
        Model::read(document.as_bytes(), &Options { dialect, imports: models, ..Options::default() });
    for diagnostic in &diagnostics {
        writeln!(out, "   ! {diagnostic}").unwrap();
    }
    if let Some(model) = model {
        for line in rest.lines().filter(|line| line.starts_with("-- ")) {
            evaluate(&model, line, &mut out);
        }
        models.push(model);
    }
    out
}

fn whole(xml: &str, number: usize) -> String {
    if xml.contains("definitions ") {
        return xml.to_owned();
    }
    let namespaces = "xmlns:zeebe=\"http://camunda.org/schema/zeebe/1.0\" xmlns:camunda=\"http://camunda.org/schema/1.0/dmn\"";
    let dmn = "xmlns=\"https://www.omg.org/spec/DMN/20191111/MODEL/\"";
    let names = format!("id=\"d\" name=\"d\" namespace=\"n{number}\"");
    format!("<definitions {dmn} {namespaces} {names}>\n{xml}\n</definitions>")
}

fn evaluate(model: &Model, line: &str, out: &mut String) {
    let asked = line.trim_start_matches("-- ");
    let asked = asked.split_once(" →").map_or(asked, |(asked, _)| asked);
    let (name, json) = asked.split_once(" {").expect("`NAME {VARIABLES}`");
    let variables = variables(&format!("{{{json}"));
    let env = Env { now_ms: 1_710_073_845_678, zone: "Europe/Berlin", seed: 7, ..Env::default() };
    let result = match name.split_once(' ') {
        Some(("service", name)) => {
            let service = model.services().find(|known| known.name() == name).expect("the service is there");
            service.evaluate(&variables, &env)
        }
        Some(("knowledge", name)) => {
            let knowledge = model.knowledge_models().find(|known| known.name() == name);
            knowledge.expect("the knowledge model is there").evaluate(&variables, &env)
        }
        _ => model.evaluate(name, &variables, &env),
    };
    match result {
        Ok(evaluation) => {
            writeln!(out, "-- {asked} → {}", shown(&evaluation.output)).unwrap();
            tell(&evaluation.decisions, out);
        }
        Err(failure) => {
            writeln!(out, "-- {asked} → {failure}").unwrap();
            tell(&failure.decisions, out);
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Function(_) | Value::Range(_) => value.type_name().to_owned(),
        _ => value.to_json(),
    }
}

fn tell(decisions: &[EvaluatedDecision], out: &mut String) {
    let several = decisions.len() > 1;
    for decision in decisions {
        if several {
            writeln!(out, "   {} {} = {}", decision.kind.name(), decision.id, shown(&decision.output))
                .unwrap();
        }
        for input in &decision.inputs {
            writeln!(out, "   input {}: {}", input.name, shown(&input.value)).unwrap();
        }
        for rule in &decision.rules {
            let outputs: Vec<String> = rule
                .outputs
                .iter()
                .map(|output| format!("{}: {}", output.name, shown(&output.value)))
                .collect();
            let id = rule.id.as_deref().map(|id| format!(" `{id}`")).unwrap_or_default();
            writeln!(out, "   rule {}{id}: {}", rule.index, outputs.join(", ")).unwrap();
        }
        for warning in &decision.warnings {
            writeln!(out, "   ! {warning}").unwrap();
        }
    }
}
