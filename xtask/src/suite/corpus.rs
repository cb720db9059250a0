//! Every BPMN and DMN model below a folder through `coreto check` and `coreto dmn check`: accepted, or refused with located diagnostics.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::Verdict;
use crate::process::{self, End};
use crate::workspace::Workspace;

/// How long one model may take.
const TIME: Duration = Duration::from_secs(10);

pub(crate) fn run(workspace: &Workspace, folder: &Path) -> anyhow::Result<Verdict> {
    let program = workspace.program("coreto");
    if !program.is_file() {
        bail!("`{}` is not there; build it: cargo build --release -p coreto", program.display());
    }
    let models = models(folder)?;
    if models.is_empty() {
        bail!("no `.bpmn` or `.dmn` file below `{}`", folder.display());
    }
    let output = workspace.scratch("corpus")?.join("answer.json");
    let mut sources: BTreeMap<String, Tally> = BTreeMap::new();
    let mut total = Tally::default();
    for model in &models {
        let name = model.strip_prefix(folder).unwrap_or(model);
        let source = name.iter().next().unwrap_or_default().to_string_lossy().into_owned();
        let answer = check(&program, model, &output)?;
        if let Answer::Broken(why) = &answer {
            println!("corpus: {}: {why}", name.display());
        }
        sources.entry(source).or_default().count(&answer);
        total.count(&answer);
    }
    report(&sources, &total);
    Ok(if total.broken == 0 { Verdict::Passed } else { Verdict::Failed })
}

/// What `coreto check` said of one model.
enum Answer {
    Accepted,
    /// What is missing, by name.
    NotImplemented(Vec<String>),
    /// The codes of its faults.
    Invalid(Vec<String>),
    /// It crashed, hung, or gave no proper answer.
    Broken(String),
}

#[derive(Default)]
struct Tally {
    accepted: usize,
    not_implemented: usize,
    invalid: usize,
    broken: usize,
    /// Models by what they lack or are faulted for.
    reasons: BTreeMap<String, usize>,
}

impl Tally {
    fn count(&mut self, answer: &Answer) {
        let reasons = match answer {
            Answer::Accepted => {
                self.accepted += 1;
                return;
            }
            Answer::Broken(_) => {
                self.broken += 1;
                return;
            }
            Answer::NotImplemented(missing) => {
                self.not_implemented += 1;
                missing
            }
            Answer::Invalid(codes) => {
                self.invalid += 1;
                codes
            }
        };
        for reason in reasons {
            *self.reasons.entry(reason.clone()).or_default() += 1;
        }
    }
}

fn check(program: &Path, model: &Path, output: &Path) -> anyhow::Result<Answer> {
    // A file rather than a pipe: nothing can block on it.
    let stdout = File::create(output).with_context(|| format!("cannot create `{}`", output.display()))?;
    let mut command = Command::new(program);
    let is_dmn = model.extension().is_some_and(|suffix| suffix == "dmn");
    command.args(if is_dmn { &["dmn", "check", "--json"][..] } else { &["check", "--json"] }).arg(model);
    command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::null());
    let status = match process::run(&mut command, TIME)? {
        End::OutOfTime => return Ok(Answer::Broken(format!("no answer within {} s", TIME.as_secs()))),
        End::Exited(status) => status,
    };
    let text =
        std::fs::read_to_string(output).with_context(|| format!("cannot read `{}`", output.display()))?;
    let answer = text.lines().next().and_then(|line| serde_json::from_str::<Value>(line).ok());
    Ok(match (status.code(), answer) {
        (None, _) => Answer::Broken(format!("crashed: {status}")),
        (Some(0 | 1), Some(answer)) => judge(&answer),
        (Some(code), _) => Answer::Broken(format!("no answer, exit status {code}")),
    })
}

fn judge(answer: &Value) -> Answer {
    let diagnostics: Vec<&Value> = answer["diagnostics"].as_array().into_iter().flatten().collect();
    let nowhere =
        diagnostics.iter().find(|diagnostic| diagnostic["line"].as_u64().is_none_or(|line| line == 0));
    if let Some(nowhere) = nowhere {
        return Answer::Broken(format!("a diagnostic without a line: {nowhere}"));
    }
    if answer["ok"] == true {
        return Answer::Accepted;
    }
    let faults: Vec<&Value> =
        diagnostics.into_iter().filter(|diagnostic| diagnostic["severity"] != "warning").collect();
    if faults.is_empty() {
        return Answer::Broken("refused without a diagnostic".to_owned());
    }
    if faults.iter().all(|fault| is_missing(fault)) {
        return Answer::NotImplemented(reasons(&faults, "message"));
    }
    Answer::Invalid(reasons(&faults, "code"))
}

/// Whether a diagnostic says that something is not built, rather than wrong.
fn is_missing(diagnostic: &Value) -> bool {
    diagnostic["notImplemented"] == true
}

/// A field of each diagnostic, without repetition.
fn reasons(diagnostics: &[&Value], field: &str) -> Vec<String> {
    let mut reasons: Vec<String> = diagnostics
        .iter()
        .filter_map(|diagnostic| diagnostic[field].as_str())
        .map(|reason| reason.trim_start_matches("not implemented: ").to_owned())
        .collect();
    reasons.sort();
    reasons.dedup();
    reasons
}

fn report(sources: &BTreeMap<String, Tally>, total: &Tally) {
    println!("{:<40} {:>9} {:>15} {:>8} {:>7}", "source", "accepted", "not implemented", "invalid", "broken");
    for (source, tally) in
        sources.iter().map(|(source, tally)| (source.as_str(), tally)).chain([("all", total)])
    {
        println!(
            "{source:<40} {:>9} {:>15} {:>8} {:>7}",
            tally.accepted, tally.not_implemented, tally.invalid, tally.broken
        );
    }
    let mut reasons: Vec<_> = total.reasons.iter().collect();
    reasons.sort_by(|left, right| right.1.cmp(left.1).then(left.0.cmp(right.0)));
    println!("\nmodels by reason:");
    for (reason, count) in reasons {
        println!("{count:>6}  {reason}");
    }
}

/// All models below a folder, in order of their paths.
fn models(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut models = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("cannot list `{}`", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list `{}`", folder.display()))?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|suffix| suffix == "bpmn" || suffix == "dmn") {
                models.push(path);
            }
        }
    }
    models.sort();
    Ok(models)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_missing_from_wrong() {
        let timer = serde_json::json!({"code": "BPMN-0010", "line": 3, "message": "not implemented: timer",
            "notImplemented": true});
        let warning = serde_json::json!({"code": "BPMN-0018", "line": 2, "severity": "warning",
            "notImplemented": false});
        let fault = serde_json::json!({"code": "BPMN-0002", "line": 3, "notImplemented": false});
        let refused = |diagnostics: &[&Value]| serde_json::json!({"ok": false, "diagnostics": diagnostics});
        let missing = judge(&refused(&[&warning, &timer, &timer]));
        assert!(matches!(missing, Answer::NotImplemented(names) if names == ["timer"]));
        let wrong = judge(&refused(&[&timer, &fault]));
        assert!(matches!(wrong, Answer::Invalid(codes) if codes == ["BPMN-0002", "BPMN-0010"]));
        assert!(matches!(judge(&refused(&[&warning])), Answer::Broken(_)));
        let silent = serde_json::json!({"ok": false, "diagnostics": []});
        assert!(matches!(judge(&silent), Answer::Broken(_)));
    }
}
