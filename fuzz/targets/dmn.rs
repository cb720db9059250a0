#![no_main]

use coreto_dmn::{Model, Options};
use coreto_feel::{Budget, Dialect, Env, Nothing};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|xml: &[u8]| {
    let budget = Budget { steps: 100_000, ..Budget::default() };
    let env = Env { budget, ..Env::default() };
    for (dialect, lenient) in [(Dialect::Camunda, false), (Dialect::Standard, true)] {
        let (model, diagnostics) = Model::read(xml, &Options { dialect, lenient, ..Options::default() });
        assert!(model.is_some() || !diagnostics.is_empty(), "what is refused has a reason");
        for decision in model.iter().flat_map(Model::decisions) {
            let _ = decision.evaluate(&Nothing, &env);
        }
    }
});
