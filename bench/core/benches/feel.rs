//! How long expressions take, parsed once and evaluated many times: `cargo bench -p coreto-bench --bench feel`.
//!
//! What stands behind `--` in the command chooses, e.g. `-- evaluate/x`.

use std::hint::black_box;
use std::time::Duration;

use coreto_bench::{env, expressions};
use coreto_feel::Expression;
use criterion::{BenchmarkId, Criterion};

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(40)
        .nresamples(10_000)
        .configure_from_args();
    evaluate(&mut criterion);
    parse(&mut criterion);
    criterion.final_summary();
}

fn evaluate(criterion: &mut Criterion) {
    let (variables, env) = (expressions::variables(), env());
    let mut group = criterion.benchmark_group("evaluate");
    for source in expressions::SOURCES {
        let expression = Expression::parse(source).expect("well-formed");
        group.bench_function(BenchmarkId::from_parameter(source), |bencher| {
            bencher.iter(|| expression.evaluate(black_box(&variables), &env).expect("asserts nothing"));
        });
    }
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for source in expressions::SOURCES {
        group.bench_function(BenchmarkId::from_parameter(source), |bencher| {
            bencher.iter(|| Expression::parse(black_box(source)).expect("well-formed"));
        });
    }
}
