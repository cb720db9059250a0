//! What an evaluation allocates: `cargo bench -p coreto-bench --bench allocations`.
//!
//! Apart from the benches that tell times, since counting takes its time. A line is the number of allocations, their
//! bytes (of a vector that grows, each of its sizes), and what was evaluated, with tabs between.

#![expect(clippy::print_stdout, reason = "tells what it found")]

use std::hint::black_box;

use coreto_bench::{decisions, env, expressions};
use coreto_feel::{Env, Expression};

fn main() {
    println!("count\tbytes\twhat");
    let (variables, env) = (expressions::variables(), env());
    for source in expressions::SOURCES {
        let expression = Expression::parse(source).expect("well-formed");
        tell(source, || {
            black_box(expression.evaluate(&variables, &env).expect("asserts nothing"));
        });
    }
    let (variables, env) = (decisions::variables(), Env::default());
    for subject in decisions::subjects() {
        let model = subject.model();
        let decision = model.decisions().last().expect("there is one");
        tell(subject.name, || {
            black_box(decision.evaluate(&variables, &env).expect("nothing fails"));
        });
    }
}

/// Counts the second run: what is made once, such as a compiled pattern, is made in the first.
fn tell(what: &str, run: impl Fn()) {
    run();
    let found = allocation_counter::measure(&run);
    println!("{}\t{}\t{what}", found.count_total, found.bytes_total);
}
