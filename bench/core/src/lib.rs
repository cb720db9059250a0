//! What the benches of the core measure.
//!
//! **In:** nothing.
//! **Out:** [`Variables`] as the engine keeps them, sources of expressions, decisions and processes.
//!
//! `benches/feel.rs`, `benches/dmn.rs` and `benches/deploy.rs` tell times, `benches/allocations.rs` counts allocations.
//! `bench/feel/compare.mjs` sets npm's feelin beside them.

pub mod decisions;
pub mod expressions;
pub mod processes;

use coreto_feel::{Budget, Env, Scope, Variable};

/// Variables as JSON text behind the trait that the engine reads them through.
pub struct Variables(Vec<(String, String)>);

impl Scope for Variables {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        let (_, text) = self.0.iter().find(|(known, _)| known == name)?;
        Some(Variable::Json(text.as_bytes()))
    }
}

/// A budget that suffices for lists of a million items; the rest as by default.
pub fn env() -> Env<'static> {
    let budget = Budget { steps: 100_000_000, bytes: 1 << 30, ..Budget::default() };
    Env { budget, ..Env::default() }
}
