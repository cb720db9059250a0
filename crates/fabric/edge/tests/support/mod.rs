//! Claims about a configuration: `METHOD URL [| name: value …] → what becomes of the request`.

use coreto_edge::Config;
use coreto_edge::explain::{Question, explain};

/// Holds a claim against a configuration, and gives what was found instead of what it says.
pub(crate) fn broken(config: &Config, claim: &str) -> Option<String> {
    let (asked, expected) = claim.split_once(" → ").expect("a claim has an arrow");
    let mut parts = asked.split(" | ");
    let (method, url) =
        parts.next().and_then(|part| part.split_once(' ')).expect("a claim has a method and a URL");
    let headers: Vec<String> = parts.map(str::to_owned).collect();
    let question = Question::read(method, url, &headers).expect("a claim asks for what can be asked");
    let told = explain(config, &question);
    let found = told.lines().last().expect("an answer has lines").trim();
    (found != expected).then(|| format!("{asked}\n  expected {expected}\n  found    {found}"))
}
