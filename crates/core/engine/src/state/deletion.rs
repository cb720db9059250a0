//! What was deleted. Definitions stay readable: for their instances, for the records of these, and graphs for those
//! that import them.

use std::sync::Arc;

use coreto_machine::Tenant;
use coreto_record::{DecisionKey, DecisionRequirementsKey, Key, ProcessDefinitionKey, ProcessInstanceKey};

use super::State;

coreto_machine::message! {
    /// Something that was deleted.
    pub(crate) struct Deletion {
        /// Whether instances of it may still run here.
        1 => pub(crate) drains: bool,
        /// Instances before this one are counted.
        2 => pub(crate) next: ProcessInstanceKey,
        /// How many of those run that are counted.
        3 => pub(crate) running: u64,
    }
}

impl Deletion {
    /// Behind all instances.
    pub(crate) fn end() -> ProcessInstanceKey {
        ProcessInstanceKey::from_raw(u64::MAX)
    }

    /// Whether its instances may run, and none is left.
    pub(crate) fn is_drained(&self) -> bool {
        self.drains && self.running == 0 && self.next == Self::end()
    }
}

/// What has versions that are never used again.
#[derive(Clone, Copy)]
pub(crate) enum Versioned {
    Process = 0,
    Requirements = 1,
    Decision = 2,
}

impl State {
    /// Whether a process definition or decision requirements graph was deleted.
    pub(crate) fn is_deleted(&self, key: impl Key) -> bool {
        !self.deletions.is_empty() && self.deletions.contains(&key.raw())
    }

    /// The version that comes behind the latest one and behind all that were ever used.
    pub(crate) fn next_version(&self, kind: Versioned, id: &(Tenant, Arc<str>), latest: Option<u32>) -> u32 {
        let used = self.versions_used.get(&(id.clone(), kind as u32)).map_or(0, |version| *version);
        latest.unwrap_or(0).max(u32::try_from(used).unwrap_or(u32::MAX)) + 1
    }

    /// The highest version of a process that was not deleted.
    pub(crate) fn highest_process(&self, id: &(Tenant, Arc<str>)) -> Option<(ProcessDefinitionKey, u32)> {
        let mut all = self.versions.range((id.clone(), 0)..=(id.clone(), u32::MAX));
        all.next_back().map(|((_, version), key)| (ProcessDefinitionKey::from_raw(**key), *version))
    }

    /// The highest version of a graph that was not deleted.
    pub(crate) fn highest_requirements(&self, id: &(Tenant, Arc<str>)) -> Option<DecisionRequirementsKey> {
        let all = self.requirements.range(..).rev().filter(|(key, graph)| {
            (graph.record.tenant, &graph.record.id) == (id.0, &id.1) && !self.is_deleted(**key)
        });
        all.max_by_key(|(_, graph)| graph.record.version).map(|(key, _)| *key)
    }

    /// The highest version of a decision that was not deleted: of all, or of those with a version tag.
    pub(crate) fn highest_decision(&self, id: &(Tenant, Arc<str>), tag: Option<&str>) -> Option<DecisionKey> {
        let all = self.decisions.range(..).filter(|(_, decision)| {
            (decision.tenant, &decision.id) == (id.0, &id.1)
                && tag.is_none_or(|tag| *decision.version_tag == *tag)
                && !self.is_deleted(decision.requirements)
        });
        all.max_by_key(|(_, decision)| decision.version).map(|(key, _)| *key)
    }
}
