//! How long typical expressions take, parsed once and evaluated many times: `cargo bench -p coreto-feel`.
//!
//! Variables are JSON text behind a [`Scope`], as the engine keeps them. Each line is the best of several rounds,
//! so that other work on the machine counts little.

#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::print_stdout, reason = "and tells it")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use coreto_feel::{Budget, Env, Expression, Scope, Value, Variable};

/// What `bench/feel` compares with other implementations, too.
const VARIABLES: &[u8] = include_bytes!("../../../../bench/feel/variables.json");

struct Variables(Vec<(String, String)>);

impl Scope for Variables {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        let (_, text) = self.0.iter().find(|(known, _)| known == name)?;
        Some(Variable::Json(text.as_bytes()))
    }
}

fn main() {
    let numbers = |count: usize| {
        let items: Vec<String> = (1..=count).map(|item| item.to_string()).collect();
        format!("[{}]", items.join(","))
    };
    let shared = Value::from_json(VARIABLES).expect("JSON");
    let shared = shared.as_context().expect("an object").iter();
    let mut variables: Vec<(String, String)> =
        shared.map(|(name, value)| (name.to_owned(), value.to_json())).collect();
    for (name, count) in [("list", 1_000), ("long", 100_000), ("longest", 1_000_000)] {
        variables.push((name.to_owned(), numbers(count)));
    }
    let scope = Variables(variables);
    let budget = Budget { steps: 100_000_000, bytes: 1 << 30, ..Budget::default() };
    let env = Env { budget, ..Env::default() };
    println!("{:>12} {:>12}  expression", "eval ns", "parse ns");
    for source in [
        "x = 21",
        r#"x > 10 and y = "a""#,
        "x between 10 and 30",
        "{a: b + 1}",
        "(a + b) * c - a / c",
        "order.tracking.id",
        "orders[type = \"priority\"]",
        "[1,2,3][2]",
        "{x:1,y:2,z:3}.x",
        "{x:1,y:2,z:3}",
        "for order in orders return order.id",
        "contains(s, \"camunda\")",
        "matches(s, \"^Hello.*a$\")",
        "upper case(substring(s,1,5)) + \"-\" + string(n)",
        "date and time(\"2024-03-10T12:00:00\") + duration(\"P1D\")",
        "date and time(\"2024-03-10T12:00:00\") between date and time(\"2024-01-01T00:00:00\") and date and time(\"2024-12-31T00:00:00\")",
        "if x > 10 then \"large\" else \"small\"",
        "is defined(missing)",
        "list",
        "for i in list return i * 2",
        "list[item > 500]",
        "some i in list satisfies i > 999",
        "sum(list)",
        "sum(for i in long return i * 2)",
        "sum(for i in longest return i * 2)",
    ] {
        let expression = Expression::parse(source).expect("well-formed");
        let eval = best(|| expression.evaluate(black_box(&scope), &env).expect("asserts nothing"));
        let parse = best(|| Expression::parse(black_box(source)).expect("well-formed"));
        println!("{eval:>12.1} {parse:>12.1}  {source}");
    }
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
