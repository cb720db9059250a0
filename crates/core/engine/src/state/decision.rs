//! Decision requirements graphs, compiled at first use.

use std::sync::OnceLock;

use coreto_dmn::{Model, Options};
use coreto_machine::{Codec, DecodeError};
use coreto_record::event::RequirementsCreated;

/// One version of a decision requirements graph: what was deployed, and what it compiles to.
#[derive(Clone, Debug)]
pub struct Requirements {
    /// As it was created.
    pub record: RequirementsCreated,
    compiled: OnceLock<Option<Model>>,
}

impl Requirements {
    pub(crate) const fn new(record: RequirementsCreated) -> Self {
        Self { record, compiled: OnceLock::new() }
    }

    /// The decisions, ready to be evaluated: nothing before [`Self::compile`].
    ///
    /// A model that was accepted once always loads, so this is nothing later only when stored bytes are not what was
    /// deployed.
    pub(crate) fn model(&self) -> Option<&Model> {
        self.compiled.get()?.as_ref()
    }

    pub(crate) fn is_compiled(&self) -> bool {
        self.compiled.get().is_some()
    }

    /// Makes what was deployed ready to be evaluated, with the graphs that it imports.
    pub(crate) fn compile(&self, imports: &[Model]) {
        let options = Options { lenient: true, imports, ..Options::default() };
        self.compiled.get_or_init(|| Model::read(&self.record.resource, &options).0);
    }
}

impl Codec for Requirements {
    fn encode(&self, out: &mut Vec<u8>) {
        self.record.encode(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        RequirementsCreated::decode(bytes).map(Self::new)
    }
}
