//! Activities that are repeated.

use std::sync::Arc;

use coreto_machine::message;

use crate::key::ElementInstanceKey;

message! {
    /// The items of a collection were read, and are kept.
    pub struct LoopBegun {
        /// The element instance around the repetitions.
        1 => pub key: ElementInstanceKey,
        /// A JSON list without blanks.
        2 => pub items: Arc<str>,
        /// How many items there are.
        3 => pub total: u32,
    }
}

message! {
    /// Something happened to a loop as a whole.
    pub struct LoopStep {
        /// The element instance around the repetitions.
        1 => pub key: ElementInstanceKey,
    }
}

message! {
    /// One repetition has a result, which waits for the others.
    pub struct OutputCollected {
        /// The element instance around the repetitions.
        1 => pub key: ElementInstanceKey,
        /// Which repetition, from 1.
        2 => pub number: u32,
        /// The result as JSON text.
        3 => pub value: Arc<str>,
    }
}
