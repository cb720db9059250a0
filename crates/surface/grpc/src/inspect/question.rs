//! What is asked, in the engine's words.

use coreto_engine::{DefinitionFilter, IncidentFilter, InstanceFilter, JobFilter, JobStateView, Page, Query};
use coreto_protocol::inspect as pb;
use coreto_protocol::inspect::query_request::Query as Question;
use coreto_record::{Key, ProcessInstanceKey};

use crate::status::Failure;

/// A question for a list, and the key that its page begins behind.
pub(super) fn list(question: Question) -> Result<(Query, u64), Failure> {
    match question {
        Question::Instances(pb::InstancesQuery { process_id, state, page: asked }) => {
            let page = page(asked)?;
            let (terminating, incidents) = instance_state(state)?;
            let filter = InstanceFilter { process: given(process_id), terminating, incidents, page };
            Ok((Query::Instances(filter), page.after))
        }
        Question::Jobs(pb::JobsQuery { r#type, state, process_instance_key, page: asked }) => {
            let page = page(asked)?;
            let instance = optional_instance(process_instance_key)?;
            let filter = JobFilter { job_type: given(r#type), state: job_state(state)?, instance, page };
            Ok((Query::Jobs(filter), page.after))
        }
        Question::Incidents(pb::IncidentsQuery { process_id, process_instance_key, page: asked }) => {
            let page = page(asked)?;
            let instance = optional_instance(process_instance_key)?;
            Ok((Query::Incidents(IncidentFilter { process: given(process_id), instance, page }), page.after))
        }
        Question::Definitions(pb::DefinitionsQuery { process_id, latest, page: asked }) => {
            let page = page(asked)?;
            let filter = DefinitionFilter { process: given(process_id), latest, page };
            Ok((Query::Definitions(filter), page.after))
        }
        Question::Instance(_) | Question::Status(_) => {
            Err(Failure::Mismatch { call: "a question for a list" })
        }
    }
}

/// The same question, for a partition that lies wholly behind the page's beginning.
pub(super) fn from_the_first(mut query: Query) -> Query {
    match &mut query {
        Query::Instances(filter) => filter.page.after = 0,
        Query::Jobs(filter) => filter.page.after = 0,
        Query::Incidents(filter) => filter.page.after = 0,
        Query::Definitions(filter) => filter.page.after = 0,
        Query::Status | Query::Definition(_) | Query::Requirements(_) | Query::Instance(_) => (),
    }
    query
}

pub(super) fn instance(key: i64) -> Result<ProcessInstanceKey, Failure> {
    optional_instance(key)?.ok_or_else(|| Failure::invalid("key", "it must be set"))
}

fn optional_instance(key: i64) -> Result<Option<ProcessInstanceKey>, Failure> {
    match u64::try_from(key) {
        Ok(0) => Ok(None),
        Ok(raw) => Ok(Some(ProcessInstanceKey::from_raw(raw))),
        Err(_) => {
            Err(Failure::invalid("process_instance_key", format!("{key} is no key; keys are positive")))
        }
    }
}

fn page(page: Option<pb::Page>) -> Result<Page, Failure> {
    let pb::Page { limit, after } = page.unwrap_or_default();
    let after = u64::try_from(after)
        .map_err(|_| Failure::invalid("page.after", format!("{after} is no key; keys are positive")))?;
    Ok(Page { limit, after })
}

fn given(text: String) -> Option<std::sync::Arc<str>> {
    (!text.is_empty()).then(|| text.into())
}

/// Whether instances that terminate are meant, and whether those with incidents.
fn instance_state(state: i32) -> Result<(Option<bool>, Option<bool>), Failure> {
    match pb::InstanceState::try_from(state) {
        Ok(pb::InstanceState::Unspecified) => Ok((None, None)),
        Ok(pb::InstanceState::Active) => Ok((Some(false), Some(false))),
        Ok(pb::InstanceState::Incident) => Ok((Some(false), Some(true))),
        Ok(pb::InstanceState::Terminating) => Ok((Some(true), None)),
        Err(_) => Err(Failure::invalid("state", format!("{state} is no state of an instance"))),
    }
}

fn job_state(state: i32) -> Result<Option<JobStateView>, Failure> {
    match pb::JobState::try_from(state) {
        Ok(pb::JobState::Unspecified) => Ok(None),
        Ok(pb::JobState::Activatable) => Ok(Some(JobStateView::Activatable)),
        Ok(pb::JobState::Activated) => Ok(Some(JobStateView::Activated)),
        Ok(pb::JobState::BackingOff) => Ok(Some(JobStateView::BackingOff)),
        Ok(pb::JobState::Failed) => Ok(Some(JobStateView::Failed)),
        Ok(pb::JobState::ErrorThrown) => Ok(Some(JobStateView::ErrorThrown)),
        Err(_) => Err(Failure::invalid("state", format!("{state} is no state of a job"))),
    }
}
