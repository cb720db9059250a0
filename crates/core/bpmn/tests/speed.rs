//! A start compiles every stored model, so reading one must stay cheap.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a test reads files, measures and may fail"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use coreto_bpmn::{Limits, Purpose};

#[test]
fn a_thousand_small_models_load_well_within_a_start() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut total = Duration::ZERO;
    for case in
        ["graph/linear", "graph/documentation-is-passed-by", "mapping/nested", "service-task/expressions"]
    {
        let model = std::fs::read(cases.join(case).with_extension("bpmn")).unwrap();
        let start = Instant::now();
        for _ in 0..250 {
            assert!(coreto_bpmn::read(&model, Purpose::Load, &Limits::default()).0.is_some());
        }
        let took = start.elapsed();
        println!("{case}: {:?} for {} bytes", took / 250, model.len());
        total += took;
    }
    assert!(total < Duration::from_millis(300), "1,000 models took {total:?}");
}
