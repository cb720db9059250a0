//! Codes of diagnostics are stable and explained.

use std::path::Path;

use coreto_bpmn::Code;

#[test]
fn every_code_has_its_page() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/errors");
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let name = code.name();
        let page = std::fs::read_to_string(pages.join(format!("{name}.md"))).unwrap_or_default();
        if !page.starts_with(&format!("# {name}: ")) || !page.contains("```") {
            wrong.push(name);
        }
    }
    assert_eq!(wrong, [""; 0], "these codes have no page, or one without title and example");
}

#[test]
fn codes_rise_and_none_is_used_twice() {
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

#[test]
fn every_error_but_the_cap_is_shown_by_a_case() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut seen = String::new();
    for topic in std::fs::read_dir(cases).expect("the folder of cases is there") {
        for case in std::fs::read_dir(topic.expect("it can be listed").path()).expect("a topic is a folder") {
            let path = case.expect("it can be listed").path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                seen += &std::fs::read_to_string(path).expect("an expectation is text");
            }
        }
    }
    let elsewhere = [Code::LimitExceeded, Code::TooMany];
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| !elsewhere.contains(code) && !seen.contains(code.name()))
        .map(|code| code.name())
        .collect();
    assert_eq!(missing, [""; 0], "no case shows these");
}
