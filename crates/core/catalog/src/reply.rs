//! Answers to commands that were carried out.

use std::sync::Arc;

use coreto_machine::{message, union};

union! {
    /// The answer to a command that was carried out.
    pub enum Reply {
        /// It is done.
        1 => Done(Done),
        /// A session has begun.
        2 => SessionCreated(SessionCreated),
    }
}

message! {
    /// It is done.
    pub struct Done {
        /// The last number that the catalog counted.
        1 => pub index: u64,
    }
}

message! {
    /// A session has begun.
    pub struct SessionCreated {
        /// Its identifier, a UUID.
        1 => pub id: Arc<str>,
    }
}
