//! What a gateway must not pass, and what it must, over real sockets: each case of `tests/cases/proxy` against a
//! proxy and an upstream of its own.
//!
//! `CASE=text` runs those whose claim has the text.

#[path = "attack/case.rs"]
mod case;
#[path = "run/frames.rs"]
mod frames;
#[path = "attack/one.rs"]
mod one;
#[path = "attack/origin.rs"]
mod origin;
#[path = "run/proxy.rs"]
mod proxy;
#[path = "attack/stage.rs"]
mod stage;
#[path = "attack/two.rs"]
mod two;

use case::Case;
use stage::Stage;

fn all(file: &str, cases_min: usize, play: impl Fn(&Case, &Stage) -> Result<(), String>) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/cases/proxy/");
    let text = std::fs::read_to_string(format!("{folder}{file}")).expect("the cases are there");
    let cases = case::read(&text);
    assert!(cases.len() >= cases_min, "{} cases of at least {cases_min} in {file}", cases.len());
    let wanted = std::env::var("CASE").unwrap_or_default();
    let mut faults = Vec::new();
    for case in cases.iter().filter(|case| case.claim.contains(&wanted)) {
        let stage = Stage::new(case);
        if let Err(fault) = play(case, &stage) {
            faults.push(format!("== {}\n   {fault}", case.claim));
        }
    }
    assert!(faults.is_empty(), "{} of {} in {file}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

#[test]
fn requests_of_http_1() {
    all("requests.txt", 100, one::play);
}

#[test]
fn responses_of_upstreams() {
    all("upstreams.txt", 30, one::play);
}

#[test]
fn calls_of_pages() {
    all("grpc-web.txt", 25, one::play);
}

#[test]
fn what_takes_too_long_and_what_is_sent_again() {
    all("times.txt", 18, one::play);
}

#[test]
fn requests_of_http_2() {
    all("streams.txt", 45, two::play);
}
