//! The test cases of the DMN Technology Compatibility Kit below a folder, in the standard dialect.

mod case;
mod models;
mod value;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};
use coreto_dmn::Model;
use coreto_feel::{Env, Value};

use crate::Verdict;
use case::{Expected, Subject, TestCase};

/// The share of all cases that must pass, in thousandths.
const ALL_MIN: usize = 990;
/// The share of the cases of each folder that must pass, in thousandths.
const FOLDER_MIN: usize = 900;
/// Folders that may stay below, and why.
const EXCEPTIONS: &[(&str, &str)] = &[("0076-feel-external-java", "functions of Java are not run")];

/// What came out of one folder.
struct Tally {
    folder: String,
    passed: usize,
    all: usize,
}

impl Tally {
    const fn share(&self) -> usize {
        match (self.passed * 1000).checked_div(self.all) {
            Some(share) => share,
            None => 1000,
        }
    }
}

pub(crate) fn run(folder: &Path) -> anyhow::Result<Verdict> {
    let mut tallies: Vec<Tally> = Vec::new();
    for file in files(folder, "xml")? {
        let text = std::fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
        let Some(cases) = case::read(&text).with_context(|| format!("in `{}`", file.display()))? else {
            continue;
        };
        let place = file.parent().unwrap_or(folder);
        let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (passed, all) = match models::read(place, &cases.model) {
            Ok(model) => judge(&name, &model, &cases.cases),
            Err(error) => {
                println!("tck: {name}: {error:#}");
                (0, cases.cases.len())
            }
        };
        match tallies.iter_mut().find(|tally| tally.folder == name) {
            Some(tally) => {
                tally.passed += passed;
                tally.all += all;
            }
            None => tallies.push(Tally { folder: name, passed, all }),
        }
    }
    if tallies.is_empty() {
        bail!("no test cases below `{}`", folder.display());
    }
    Ok(report(&tallies))
}

/// All files of a suffix below a folder, in order of their paths.
fn files(folder: &Path, suffix: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("cannot list `{}`", folder.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("cannot list `{}`", folder.display()))?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == suffix) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// How many of the cases pass, and how many there are; what fails is told.
fn judge(folder: &str, model: &Model, cases: &[TestCase]) -> (usize, usize) {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let env = Env { now_ms: i64::try_from(since.as_millis()).unwrap_or_default(), ..Env::default() };
    let mut passed = 0;
    for case in cases {
        let faults: Vec<String> =
            case.results.iter().filter_map(|expected| fault(model, case, expected, &env)).collect();
        passed += usize::from(faults.is_empty());
        for fault in faults {
            println!("tck: {folder} {}: {fault}", case.id);
        }
    }
    (passed, cases.len())
}

/// What is wrong with one result of a case.
fn fault(model: &Model, case: &TestCase, expected: &Expected, env: &Env<'_>) -> Option<String> {
    let found = match found(model, case, &expected.name, env) {
        Ok(value) => value,
        Err(why) if expected.is_error => {
            return why.is_missing.then_some(why.message);
        }
        Err(why) => return Some(format!("`{}`: {}", expected.name, why.message)),
    };
    let as_expected = if expected.is_error { found.is_null() } else { value::same(&expected.value, &found) };
    (!as_expected).then(|| {
        let wanted = if expected.is_error { "null or an error".to_owned() } else { shown(&expected.value) };
        format!("`{}`: expected {wanted}, found {}", expected.name, shown(&found))
    })
}

/// Why there is no value.
struct NoValue {
    message: String,
    /// Whether the model does not have what the case asks for.
    is_missing: bool,
}

fn found(model: &Model, case: &TestCase, name: &str, env: &Env<'_>) -> Result<Value, NoValue> {
    let failed =
        |failure: Box<coreto_dmn::Failure>| NoValue { message: failure.to_string(), is_missing: false };
    let missing = |message: String| NoValue { message, is_missing: true };
    match &case.subject {
        Subject::Decisions => {
            let decision = model.decisions().find(|known| known.name() == name);
            let decision = decision.ok_or_else(|| missing(format!("the model has no decision `{name}`")))?;
            Ok(decision.evaluate(&case.inputs, env).map_err(failed)?.output)
        }
        Subject::Service(service) => {
            let service = model.services().find(|known| known.name() == service);
            let service = service.ok_or_else(|| missing("the model has no such decision service".into()))?;
            let output = service.evaluate(&case.inputs, env).map_err(failed)?.output;
            Ok(match &output {
                Value::Context(context) if service.outputs().len() > 1 => {
                    context.get(name).cloned().unwrap_or_default()
                }
                _ => output,
            })
        }
        Subject::KnowledgeModel(knowledge) => {
            let knowledge = model.knowledge_models().find(|known| known.name() == knowledge);
            let knowledge =
                knowledge.ok_or_else(|| missing("the model has no such knowledge model".into()))?;
            Ok(knowledge.evaluate(&case.inputs, env).map_err(failed)?.output)
        }
    }
}

fn shown(value: &Value) -> String {
    const LONGEST: usize = 200;
    let text: String = value.to_json().chars().take(LONGEST).collect();
    format!("{text} ({})", value.type_name())
}

fn report(tallies: &[Tally]) -> Verdict {
    let mut verdict = Verdict::Passed;
    println!("{:<45} {:>6} {:>6} {:>7}", "folder", "passed", "cases", "share");
    for tally in tallies {
        let reason = EXCEPTIONS.iter().find(|(folder, _)| *folder == tally.folder).map(|(_, reason)| *reason);
        let note = match reason {
            _ if tally.share() >= FOLDER_MIN => String::new(),
            Some(reason) => format!("  {reason}"),
            None => {
                verdict = Verdict::Failed;
                "  too few".to_owned()
            }
        };
        let share = percent(tally.share());
        println!("{:<45} {:>6} {:>6} {share:>7}{note}", tally.folder, tally.passed, tally.all);
    }
    let sum = |count: fn(&Tally) -> usize| tallies.iter().map(count).sum();
    let total =
        Tally { folder: "all".into(), passed: sum(|tally| tally.passed), all: sum(|tally| tally.all) };
    let mean = tallies.iter().map(Tally::share).sum::<usize>() / tallies.len();
    println!("{:<45} {:>6} {:>6} {:>7}", total.folder, total.passed, total.all, percent(total.share()));
    println!("{:<45} {:>6} {:>6} {:>7}", "mean of the folders", "", "", percent(mean));
    if total.share() < ALL_MIN { Verdict::Failed } else { verdict }
}

fn percent(thousandths: usize) -> String {
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

#[cfg(test)]
mod tests {
    use coreto_feel::Dialect;

    use super::*;

    const MODEL: &[u8] = br##"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" namespace="n">
        <inputData id="n" name="n"/>
        <decision id="twice" name="Twice">
          <informationRequirement><requiredInput href="#n"/></informationRequirement>
          <literalExpression><text>{half: n / 2, list: [n * 2]}</text></literalExpression>
        </decision>
        <decisionService id="s" name="S"><outputDecision href="#twice"/><inputData href="#n"/></decisionService>
      </definitions>"##;

    const CASES: &[u8] = br#"<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><modelName>twice.dmn</modelName>
        <testCase id="right"><inputNode name="n"><value xsi:type="xsd:decimal">3</value></inputNode>
          <resultNode name="Twice"><expected>
            <component name="half"><value xsi:type="xsd:decimal">1.500000001</value></component>
            <component name="list"><list><item><value xsi:type="xsd:decimal">6</value></item></list></component>
          </expected></resultNode></testCase>
        <testCase id="service" type="decisionService" invocableName="S">
          <resultNode name="Twice"><expected>
            <component name="half"><value xsi:nil="true"/></component>
            <component name="list"><list><item><value xsi:nil="true"/></item></list></component>
          </expected></resultNode></testCase>
        <testCase id="wrong"><resultNode name="Twice"><expected>
            <value xsi:type="xsd:string">x</value></expected></resultNode></testCase>
        <testCase id="no error"><resultNode name="Twice" errorResult="true"/></testCase>
        <testCase id="missing"><resultNode name="Thrice" errorResult="true"/></testCase>
      </testCases>"#;

    #[test]
    fn judges_cases() {
        let model = Model::parse(MODEL, Dialect::Standard).expect("a sound model");
        let cases = case::read(CASES).expect("sound cases").expect("a file of cases");
        assert_eq!(cases.model, "twice.dmn");
        for (case, passes) in cases.cases.iter().zip([true, true, false, false, false]) {
            let (passed, all) = judge("folder", &model, std::slice::from_ref(case));
            assert_eq!((passed, all), (usize::from(passes), 1), "{}", case.id);
        }
    }

    #[test]
    fn asks_for_enough_of_each_folder_and_of_all() {
        let tally = |folder: &str, passed, all| Tally { folder: folder.into(), passed, all };
        let whole = || tally("whole", 1_000, 1_000);
        assert_eq!(report(&[whole()]), Verdict::Passed);
        assert_eq!(report(&[whole(), tally("poor", 1, 2)]), Verdict::Failed);
        assert_eq!(report(&[whole(), tally(EXCEPTIONS[0].0, 1, 2)]), Verdict::Passed);
        assert_eq!(report(&[tally("nearly", 989, 1_000)]), Verdict::Failed);
    }
}
