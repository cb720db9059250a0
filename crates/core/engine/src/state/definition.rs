//! Process definitions, compiled at first use.

use std::sync::{Arc, OnceLock};

use coreto_bpmn::{Element, Limits, Process, Purpose};
use coreto_machine::{Codec, DecodeError, Tenant};
use coreto_record::event::ProcessCreated;
use coreto_record::{ElementNumber, ProcessDefinitionKey};

/// One version of a process: what was deployed, and what it compiles to.
#[derive(Clone, Debug)]
pub struct Definition {
    /// As it was created.
    pub record: ProcessCreated,
    compiled: OnceLock<Option<Arc<Process>>>,
}

coreto_machine::message! {
    /// The latest version of a process.
    pub(crate) struct Latest {
        /// The definition.
        1 => pub(crate) key: ProcessDefinitionKey,
        /// Its version; numbers are never used again.
        2 => pub(crate) version: u32,
    }
}

/// A version that has a version tag: by tenant and process id, then tag, then age.
pub(crate) type Tagged = ((Tenant, Arc<str>), (Arc<str>, ProcessDefinitionKey));

impl Definition {
    pub(crate) const fn new(record: ProcessCreated) -> Self {
        Self { record, compiled: OnceLock::new() }
    }

    /// The executable process.
    ///
    /// A model that was accepted once always loads, so this is `None` only when stored bytes are not what was deployed.
    pub fn process(&self) -> Option<&Arc<Process>> {
        let compile = || {
            let (resource, _) = coreto_bpmn::read(&self.record.resource, Purpose::Load, &Limits::default());
            resource?.processes.into_iter().find(|process| process.id == self.record.id).map(Arc::new)
        };
        self.compiled.get_or_init(compile).as_ref()
    }

    /// Its place among the versions that have version tags, if it has one.
    pub(crate) fn tagged(&self, key: ProcessDefinitionKey) -> Option<Tagged> {
        let ProcessCreated { tenant, id, version_tag, .. } = &self.record;
        (!version_tag.is_empty()).then(|| ((*tenant, Arc::clone(id)), (Arc::clone(version_tag), key)))
    }

    /// An element of the executable process.
    pub fn element(&self, number: ElementNumber) -> Option<&Element> {
        self.process()?.element(coreto_bpmn::ElementNumber(number.0))
    }
}

impl Codec for Definition {
    fn encode(&self, out: &mut Vec<u8>) {
        self.record.encode(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        ProcessCreated::decode(bytes).map(Self::new)
    }
}
