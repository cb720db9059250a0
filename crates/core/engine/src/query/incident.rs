//! Unresolved incidents.

use std::ops::Bound;
use std::sync::Arc;

use coreto_machine::{Caller, Tenant, Timestamp};
use coreto_record::{ElementInstanceKey, IncidentKey, IncidentKind, JobKey, Key, ProcessInstanceKey};

use super::{Answer, Page, element_id, page, process_of};
use crate::state::State;

/// Which incidents.
#[derive(Clone, Debug, Default)]
pub struct IncidentFilter {
    /// Only those of this process id.
    pub process: Option<Arc<str>>,
    /// Only those of this instance.
    pub instance: Option<ProcessInstanceKey>,
    /// Which part of the list.
    pub page: Page,
}

/// An unresolved incident.
#[derive(Clone, Debug)]
pub struct IncidentView {
    /// Its key.
    pub key: IncidentKey,
    /// Why, for programs.
    pub kind: IncidentKind,
    /// Why, for people.
    pub message: Arc<str>,
    /// The process instance.
    pub instance: ProcessInstanceKey,
    /// The element instance.
    pub element_instance: ElementInstanceKey,
    /// The process id.
    pub process: Arc<str>,
    /// The element's id.
    pub element: Arc<str>,
    /// The job, if one failed.
    pub job: Option<JobKey>,
    /// The owner.
    pub tenant: Tenant,
    /// When it was raised.
    pub at: Timestamp,
}

pub(super) fn list(state: &State, caller: &Caller, filter: &IncidentFilter) -> Answer {
    let after = IncidentKey::from_raw(filter.page.after);
    let entries = state.incidents.range((Bound::Excluded(after), Bound::Unbounded)).map(|(key, _)| {
        let view = view(state, *key).filter(|view| {
            caller.sees(view.tenant)
                && filter.process.as_ref().is_none_or(|process| *process == view.process)
                && filter.instance.is_none_or(|instance| instance == view.instance)
        });
        (key.raw(), view)
    });
    let (found, next) = page(filter.page, entries);
    Answer::Incidents(found, next)
}

pub(super) fn view(state: &State, key: IncidentKey) -> Option<IncidentView> {
    let incident = state.incidents.peek(&key)?;
    Some(IncidentView {
        key,
        kind: incident.kind,
        message: Arc::clone(&incident.message),
        instance: incident.instance,
        element_instance: incident.element_instance,
        process: process_of(state, incident.definition).0,
        element: element_id(state, incident.definition, incident.element),
        job: incident.job,
        tenant: incident.tenant,
        at: incident.at,
    })
}
