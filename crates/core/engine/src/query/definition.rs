//! Process definitions.

use std::ops::Bound;
use std::sync::Arc;

use coreto_machine::{Caller, Tenant};
use coreto_record::{DeploymentKey, Key, ProcessDefinitionKey};

use super::{Answer, Page, page};
use crate::state::State;

/// Which definitions.
#[derive(Clone, Debug, Default)]
pub struct DefinitionFilter {
    /// Only versions of this process id.
    pub process: Option<Arc<str>>,
    /// Only the latest version of each process.
    pub latest: bool,
    /// Which part of the list.
    pub page: Page,
}

/// A process definition.
#[derive(Clone, Debug)]
pub struct DefinitionView {
    /// Its key.
    pub key: ProcessDefinitionKey,
    /// The process id.
    pub process: Arc<str>,
    /// The version.
    pub version: u32,
    /// The version tag, or empty.
    pub version_tag: Arc<str>,
    /// The file that it came from.
    pub resource_name: Arc<str>,
    /// The deployment that made it.
    pub deployment: DeploymentKey,
    /// The owner.
    pub tenant: Tenant,
}

pub(super) fn list(state: &State, caller: &Caller, filter: &DefinitionFilter) -> Answer {
    let after = ProcessDefinitionKey::from_raw(filter.page.after);
    let entries =
        state.definitions.range((Bound::Excluded(after), Bound::Unbounded)).map(|(key, definition)| {
            let record = &definition.record;
            let latest = || state.latest.get(&(record.tenant, Arc::clone(&record.id)));
            let matches = caller.sees(record.tenant)
                && !state.is_deleted(*key)
                && filter.process.as_ref().is_none_or(|process| *process == record.id)
                && (!filter.latest || latest().is_some_and(|latest| latest.key == *key));
            let view = matches.then(|| DefinitionView {
                key: *key,
                process: Arc::clone(&record.id),
                version: record.version,
                version_tag: Arc::clone(&record.version_tag),
                resource_name: Arc::clone(&record.resource_name),
                deployment: record.deployment,
                tenant: record.tenant,
            });
            (key.raw(), view)
        });
    let (found, next) = page(filter.page, entries);
    Answer::Definitions(found, next)
}
