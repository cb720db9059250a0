//! Models that are read together and import each other.

use coreto_dmn::{Diagnostic, Limits, Model, Options, read_all};
use coreto_feel::{Env, Nothing};

const DMN: &str = "https://www.omg.org/spec/DMN/20191111/MODEL/";

/// A model with a decision of its name, which adds 1 to those of the models that it imports.
fn model(name: &str, imports: &[&str]) -> String {
    let head: Vec<String> = imports
        .iter()
        .map(|import| format!(r#"<import namespace="urn:{import}" name="{import}" importType="{DMN}"/>"#))
        .collect();
    let requirements: Vec<String> = imports
        .iter()
        .map(|import| {
            let reference = format!(r#"<requiredDecision href="urn:{import}#{import}"/>"#);
            format!("<informationRequirement>{reference}</informationRequirement>")
        })
        .collect();
    let parts: Vec<String> = imports.iter().map(|import| format!(" + {import}.{import}")).collect();
    let (head, requirements, sum) = (head.concat(), requirements.concat(), format!("1{}", parts.concat()));
    format!(
        r#"<definitions xmlns="{DMN}" id="{name}s" name="{name}" namespace="urn:{name}">{head}<decision id="{name}" name="{name}">{requirements}<literalExpression><text>{sum}</text></literalExpression></decision></definitions>"#
    )
}

/// For each model the value of its decision, or what is wrong with it.
fn read(models: &[String], options: &Options<'_>) -> Vec<String> {
    let resources: Vec<&[u8]> = models.iter().map(String::as_bytes).collect();
    read_all(&resources, options).iter().map(tell).collect()
}

fn tell((model, diagnostics): &(Option<Model>, Vec<Diagnostic>)) -> String {
    let decision = model.as_ref().and_then(|model| model.decisions().next());
    let Some(decision) = decision else {
        let told = diagnostics.iter().map(|found| format!("{}: {}", found.code.name(), found.message));
        return told.collect::<Vec<_>>().join("; ");
    };
    decision.evaluate(&Nothing, &Env::default()).expect("nothing fails").output.to_json()
}

fn told(models: &[String]) -> Vec<String> {
    read(models, &Options::default())
}

#[test]
fn the_order_does_not_matter() {
    let (a, b, c) = (model("a", &["b", "c"]), model("b", &["c"]), model("c", &[]));
    assert_eq!(told(&[a.clone(), b.clone(), c.clone()]), ["4", "2", "1"]);
    assert_eq!(told(&[c, a, b]), ["1", "4", "2"]);
}

#[test]
fn imports_say_how_deep_they_go_and_of_what() {
    let models = [model("a", &["b", "c"]), model("b", &["c"]), model("c", &[])];
    let resources: Vec<&[u8]> = models.iter().map(String::as_bytes).collect();
    let read: Vec<Model> =
        read_all(&resources, &Options::default()).into_iter().filter_map(|(model, _)| model).collect();
    assert_eq!(read.iter().map(Model::import_depth).collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!(read[0].imports().collect::<Vec<_>>(), ["urn:b", "urn:c"]);
}

#[test]
fn a_model_that_is_refused_takes_those_along_that_import_it() {
    let broken = model("b", &[]).replace("<text>1", "<text>1 +");
    let found = told(&[model("a", &["b"]), broken, model("c", &[])]);
    assert_eq!(found[0], "DMN-0016: the imported model with namespace `urn:b` has errors");
    assert!(found[1].starts_with("DMN-0020"), "{found:?}");
    assert_eq!(found[2], "1");
}

#[test]
fn a_circle_is_named() {
    let found = told(&[model("a", &["b"]), model("b", &["a"]), model("c", &["c"])]);
    assert_eq!(found[0], "DMN-0016: the import of namespace `urn:b` goes round in a circle");
    assert_eq!(found[1], "DMN-0016: the imported model with namespace `urn:a` has errors");
    assert!(found[2].starts_with("DMN-0016: no model with namespace `urn:c` was given"), "{found:?}");
}

#[test]
fn two_models_of_one_namespace_cannot_be_imported() {
    let found = told(&[model("b", &[]), model("a", &["b"]), model("b", &[])]);
    assert_eq!(found, ["1", "DMN-0016: several models have the namespace `urn:b` of this import", "1"]);
}

#[test]
fn a_row_of_imports_is_as_long_as_the_limit() {
    let limits = Limits { import_depth_max: 2, ..Limits::default() };
    let row = ["a", "b", "c", "d"].map(|name| {
        let next = char::from(name.as_bytes()[0] + 1).to_string();
        model(name, if name == "d" { vec![] } else { vec![next.as_str()] }.as_slice())
    });
    let found = read(&row, &Options { limits, ..Options::default() });
    assert_eq!(found, ["DMN-0004: imports are 3 models deep, at most 2 are possible", "3", "2", "1"]);
}

#[test]
fn a_model_has_as_many_imports_as_the_limit() {
    let limits = Limits { imports_max: 1, ..Limits::default() };
    let models = [model("a", &["b", "c"]), model("b", &[]), model("c", &[])];
    let found = read(&models, &Options { limits, ..Options::default() });
    assert!(
        found[0].starts_with("DMN-0004: there are more imports than the 1 that are possible"),
        "{found:?}"
    );
}

#[test]
fn a_thousand_models_in_a_row_are_refused_in_little_time() {
    let names: Vec<String> = (0..1_000).map(|at| format!("m{at}")).collect();
    let row: Vec<String> = (0..1_000)
        .map(|at| model(&names[at], &names.get(at + 1).map(String::as_str).into_iter().collect::<Vec<_>>()))
        .collect();
    let found = told(&row);
    assert_eq!(found[999], "1");
    assert_eq!(found[967], "33");
    assert!(
        found[966].starts_with("DMN-0004") && found[965].starts_with("DMN-0016"),
        "{:?}",
        &found[960..970]
    );
}
