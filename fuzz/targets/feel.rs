#![no_main]

use coreto_feel::{Dialect, Env, Expression, Scope, Variable};
use libfuzzer_sys::fuzz_target;

struct Everything;

impl Scope for Everything {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        Some(Variable::Json(match name.len() % 6 {
            0 => b"[1,2,3,{\"a\":1}]",
            1 => b"7",
            2 => br#"{"a":{"b":[1,2]},"id":"x"}"#,
            3 => b"\"2024-02-29\"",
            4 => b"null",
            _ => return None,
        }))
    }
}

fuzz_target!(|source: &str| {
    for dialect in [Dialect::Camunda, Dialect::Standard] {
        if let Ok(expression) = Expression::parse_in(dialect, &[], source) {
            let _ = expression.evaluate(&Everything, &Env::default());
        }
    }
});
