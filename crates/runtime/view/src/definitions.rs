//! Where the definitions come from that records speak of.

use std::sync::Arc;

use coreto_engine::{Answer, Definition, Engine, Query};
use coreto_machine::Caller;
use coreto_partition::{Handle, Refused};
use coreto_record::ProcessDefinitionKey;

/// Knows process definitions. They never change, so whoever asks may remember the answer.
pub trait Definitions: Send {
    /// The definition with this key; `None` when there is none.
    ///
    /// # Errors
    /// When nobody can tell for now. A record must not be rendered then: it would come out otherwise later.
    fn definition(&mut self, key: ProcessDefinitionKey) -> Result<Option<Arc<Definition>>, Unanswered>;
}

/// Nobody can tell what a definition is, for now.
#[derive(Debug, thiserror::Error)]
#[error("cannot ask the partition for process definition {key}")]
pub struct Unanswered {
    /// The definition.
    pub key: ProcessDefinitionKey,
    /// Why the partition does not answer.
    pub source: Refused,
}

impl Definitions for Handle<Engine> {
    fn definition(&mut self, key: ProcessDefinitionKey) -> Result<Option<Arc<Definition>>, Unanswered> {
        match self.ask(Caller::internal(), Query::Definition(key)) {
            Ok(Answer::Definition(definition)) => Ok(definition),
            Ok(other) => {
                let reason = format!("it answered another question: {other:?}").into();
                Err(Unanswered { key, source: Refused::Closed { reason } })
            }
            Err(source) => Err(Unanswered { key, source }),
        }
    }
}
