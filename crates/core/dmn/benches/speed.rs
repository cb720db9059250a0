//! How long decisions take, compiled once and evaluated many times: `cargo bench -p coreto-dmn`.
//!
//! Variables are JSON text behind a [`Scope`], as the engine keeps them. Each line is the best of several rounds,
//! so that other work on the machine counts little.

#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::print_stdout, reason = "and tells it")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use coreto_dmn::Model;
use coreto_feel::{Dialect, Env, Scope, Variable};

struct Variables(Vec<(&'static str, &'static str)>);

impl Scope for Variables {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        let (_, text) = self.0.iter().find(|(known, _)| *known == name)?;
        Some(Variable::Json(text.as_bytes()))
    }
}

fn main() {
    let variables = Variables(vec![("season", "\"s7\""), ("guests", "78"), ("children", "true")]);
    let env = Env::default();
    println!("{:>12} {:>12}  model", "eval ns", "read µs");
    for (what, xml) in [
        ("10 rules, 3 inputs, unique", table("UNIQUE", 10)),
        ("10 rules, 3 inputs, first", table("FIRST", 10)),
        ("1,000 rules, 3 inputs, unique", table("UNIQUE", 1000)),
        ("literal expression", literal(0, "guests + 1", "")),
        ("10 decisions in a chain", chain(10)),
    ] {
        let xml = format!(
            "<definitions xmlns=\"https://www.omg.org/spec/DMN/20191111/MODEL/\">{xml}</definitions>"
        );
        let read = || Model::parse(xml.as_bytes(), Dialect::Camunda).expect("the model is sound");
        let model = read();
        let decision = model.decisions().last().expect("there is one");
        let eval = best(|| decision.evaluate(black_box(&variables), &env).expect("nothing fails"));
        println!("{eval:>12.1} {:>12.1}  {what}", best(read) / 1000.0);
    }
}

fn table(policy: &str, rules: usize) -> String {
    let mut xml = format!("<decision id=\"dish\"><decisionTable hitPolicy=\"{policy}\">");
    for input in ["season", "guests", "children"] {
        write!(xml, "<input><inputExpression><text>{input}</text></inputExpression></input>")
            .expect("a string");
    }
    xml.push_str("<output name=\"dish\"/>");
    for rule in 0..rules {
        let (low, high) = (rule * 10, rule * 10 + 9);
        let season = rule % 10;
        let cells = [format!("\"s{season}\""), format!("[{low}..{high}]"), "true".to_owned()];
        let cells = cells.map(|cell| format!("<inputEntry><text>{cell}</text></inputEntry>")).concat();
        write!(xml, "<rule>{cells}<outputEntry><text>\"d{rule}\"</text></outputEntry></rule>")
            .expect("a string");
    }
    xml + "</decisionTable></decision>"
}

fn literal(id: usize, text: &str, requires: &str) -> String {
    let literal = format!("<literalExpression><text>{text}</text></literalExpression>");
    format!("<decision id=\"d{id}\">{requires}{literal}</decision>")
}

fn chain(length: usize) -> String {
    let decision = |id: usize| match id.checked_sub(1) {
        None => literal(id, "guests", ""),
        Some(before) => {
            let required = format!("<requiredDecision href=\"#d{before}\"/>");
            let required = format!("<informationRequirement>{required}</informationRequirement>");
            literal(id, &format!("d{before} + 1"), &required)
        }
    };
    (0..length).map(decision).collect()
}

/// Nanoseconds per call in the best of some rounds of about 10 ms.
fn best<T>(mut call: impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    black_box(call());
    let once = start.elapsed().max(Duration::from_nanos(20));
    let calls = u32::try_from(Duration::from_millis(10).as_nanos() / once.as_nanos()).unwrap_or(1).max(1);
    let mut best = f64::INFINITY;
    for _ in 0..12 {
        let start = Instant::now();
        for _ in 0..calls {
            black_box(call());
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(calls));
    }
    best
}
