#![no_main]

use coreto_dmn::{Options, read_all};
use coreto_feel::{Budget, Dialect, Env, Nothing};
use libfuzzer_sys::fuzz_target;

// Models that may import each other; no XML has the byte that stands between them.
fuzz_target!(|bytes: &[u8]| {
    let budget = Budget { steps: 100_000, ..Budget::default() };
    let env = Env { budget, ..Env::default() };
    let resources: Vec<&[u8]> = bytes.split(|byte| *byte == 1).collect();
    for (dialect, lenient) in [(Dialect::Camunda, false), (Dialect::Standard, true)] {
        for (model, diagnostics) in read_all(&resources, &Options { dialect, lenient, ..Options::default() }) {
            assert!(model.is_some() || !diagnostics.is_empty(), "what is refused has a reason");
            for decision in model.iter().flat_map(|model| model.decisions()) {
                let _ = decision.evaluate(&Nothing, &env);
            }
        }
    }
});
