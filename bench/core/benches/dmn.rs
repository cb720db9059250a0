//! How long decisions take, compiled once and evaluated many times: `cargo bench -p coreto-bench --bench dmn`.

use std::hint::black_box;
use std::time::Duration;

use coreto_bench::decisions;
use coreto_feel::Env;
use criterion::Criterion;

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
    let (variables, env) = (decisions::variables(), Env::default());
    for subject in decisions::subjects() {
        let model = subject.model();
        let decision = model.decisions().last().expect("there is one");
        criterion.bench_function(&format!("decide/{}", subject.name), |bencher| {
            bencher.iter(|| decision.evaluate(black_box(&variables), &env).expect("nothing fails"));
        });
        criterion.bench_function(&format!("compile/{}", subject.name), |bencher| {
            bencher.iter(|| black_box(&subject).model());
        });
    }
    criterion.final_summary();
}
