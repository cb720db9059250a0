//! What the shell lends to handlers.

use crate::limits::Limits;

/// What handlers may use beside the state.
#[derive(Debug, Default)]
pub struct Env {
    /// Bounds.
    pub limits: Limits,
}

impl coreto_machine::Env for Env {
    fn commit(&mut self) {}
    fn undo(&mut self) {}
}
