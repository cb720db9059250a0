//! Codes of diagnostics are stable, explained and shown.

use std::path::Path;

use coreto_dmn::Code;

#[test]
fn every_code_has_its_page() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/errors");
    let has_page = |code: &Code| {
        let name = code.name();
        let page = std::fs::read_to_string(pages.join(format!("{name}.md"))).unwrap_or_default();
        page.starts_with(&format!("# {name}: ")) && page.contains("```")
    };
    let wrong: Vec<&str> = Code::ALL.iter().filter(|code| !has_page(code)).map(|code| code.name()).collect();
    assert_eq!(wrong, [""; 0], "these codes have no page, or one without title and example");
}

#[test]
fn codes_rise_and_none_is_used_twice() {
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

#[test]
fn every_code_is_shown_by_a_case() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut seen = String::new();
    for case in std::fs::read_dir(cases).expect("the folder of cases is there") {
        let path = case.expect("it can be listed").path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            seen += &std::fs::read_to_string(path).expect("a case is text");
        }
    }
    // Limits and bytes that are no text have tests of their own.
    let elsewhere = [Code::NotText, Code::LimitExceeded, Code::TooMany];
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !elsewhere.contains(code) && !seen.contains(code.name()))
        .map(|code| code.name())
        .collect();
    assert_eq!(missing, [""; 0], "no case shows these");
}
