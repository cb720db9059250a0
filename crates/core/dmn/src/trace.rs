//! Decisions that are evaluated inside of what expressions call.

use std::sync::{Mutex, PoisonError};

use crate::evaluation::EvaluatedDecision;

/// Most of them that are kept: a call may stand in a loop.
const KEPT_MAX: usize = 1_000;

/// What the functions of one evaluation tell of theirs.
#[derive(Debug, Default)]
pub(crate) struct Trace(Mutex<Vec<EvaluatedDecision>>);

impl Trace {
    /// Adds decisions in the order of their evaluation.
    pub(crate) fn add(&self, decisions: Vec<EvaluatedDecision>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT_MAX.saturating_sub(kept.len());
        kept.extend(decisions.into_iter().take(room));
    }

    /// The decisions since the last time.
    pub(crate) fn take(&self) -> Vec<EvaluatedDecision> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
