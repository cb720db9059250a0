//! Definitions that records speak of, asked once.

use std::collections::HashMap;
use std::sync::Arc;

use coreto_engine::{Answer, Definition, Engine, Query};
use coreto_machine::Caller;
use coreto_partition::Handle;
use coreto_record::ProcessDefinitionKey;

/// Looks definitions up through a partition's handle, and remembers them.
pub struct Definitions {
    handle: Handle<Engine>,
    known: HashMap<ProcessDefinitionKey, Arc<Definition>>,
}

impl Definitions {
    /// Definitions of the partition behind the handle.
    pub fn new(handle: Handle<Engine>) -> Self {
        Self { handle, known: HashMap::new() }
    }

    /// The definition with this key; `None` when it is not there, or the partition does not answer.
    pub fn get(&mut self, key: ProcessDefinitionKey) -> Option<&Arc<Definition>> {
        if !self.known.contains_key(&key) {
            let answer = self.handle.ask(Caller::internal(), Query::Definition(key)).ok()?;
            let Answer::Definition(Some(definition)) = answer else { return None };
            self.known.insert(key, definition);
        }
        self.known.get(&key)
    }
}
