//! Evaluating decisions.

use std::sync::Arc;

use coreto_machine::{Tenant, message};

use crate::document::Document;
use crate::key::DecisionKey;

message! {
    /// Evaluates a decision, by key or by id.
    pub struct EvaluateDecision {
        /// The owner of the decision.
        1 => pub tenant: Tenant,
        /// The decision.
        2 => pub decision: Option<DecisionKey>,
        /// Its id, of which the latest version counts; empty when there is a key.
        3 => pub id: Arc<str>,
        /// What it may see.
        4 => pub variables: Document,
    }
}
