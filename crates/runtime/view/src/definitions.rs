//! Where the definitions come from that records speak of.

use std::sync::Arc;

use coreto_engine::{Answer, Definition, Engine, Query, Requirements};
use coreto_machine::Caller;
use coreto_partition::{Handle, Refused};
use coreto_record::{DecisionRequirementsKey, Key, ProcessDefinitionKey};

/// Knows process definitions. They never change, so whoever asks may remember the answer.
pub trait Definitions: Send {
    /// The definition with this key; `None` when there is none.
    ///
    /// # Errors
    /// When nobody can tell for now. A record must not be rendered then: it would come out otherwise later.
    fn definition(&mut self, key: ProcessDefinitionKey) -> Result<Option<Arc<Definition>>, Unanswered>;

    /// The decision requirements graph with this key; `None` when there is none.
    ///
    /// # Errors
    /// As for [`Definitions::definition`].
    fn requirements(&mut self, key: DecisionRequirementsKey)
    -> Result<Option<Arc<Requirements>>, Unanswered>;
}

/// Nobody can tell what a definition is, for now.
#[derive(Debug, thiserror::Error)]
#[error("cannot ask the partition for definition {key}")]
pub struct Unanswered {
    /// The key of the process definition or of the decision requirements graph.
    pub key: u64,
    /// Why the partition does not answer.
    pub source: Refused,
}

impl Definitions for Handle<Engine> {
    fn definition(&mut self, key: ProcessDefinitionKey) -> Result<Option<Arc<Definition>>, Unanswered> {
        match ask(self, key, Query::Definition(key))? {
            Answer::Definition(definition) => Ok(definition),
            other => Err(mismatch(key, &other)),
        }
    }

    fn requirements(
        &mut self,
        key: DecisionRequirementsKey,
    ) -> Result<Option<Arc<Requirements>>, Unanswered> {
        match ask(self, key, Query::Requirements(key))? {
            Answer::Requirements(requirements) => Ok(requirements),
            other => Err(mismatch(key, &other)),
        }
    }
}

fn ask(handle: &Handle<Engine>, key: impl Key, query: Query) -> Result<Answer, Unanswered> {
    handle.ask(Caller::internal(), query).map_err(|source| Unanswered { key: key.raw(), source })
}

fn mismatch(key: impl Key, answer: &Answer) -> Unanswered {
    let reason = format!("it answered another question: {answer:?}").into();
    Unanswered { key: key.raw(), source: Refused::Closed { reason } }
}
