//! Lists come in pages, and a page ends with its partition, too.

use coreto_protocol::inspect::inspect_client::InspectClient;
use coreto_protocol::inspect::query_request::Query;
use coreto_protocol::inspect::query_response::Answer;
use coreto_protocol::inspect::{Page, QueryRequest};

use crate::connect::Authorized;
use crate::error::CliError;

/// The answer to a question; of a list as many entries as its page wants, from whatever partitions they come.
pub(super) async fn ask(
    inspect: &mut InspectClient<Authorized>,
    mut query: Query,
) -> Result<Option<Answer>, CliError> {
    let wanted = page(&mut query).map_or(0, |page| page.limit);
    let mut answer = one(inspect, &query).await?;
    while let Some(list) = &mut answer
        && let Some(page) = page(&mut query)
        && let (found, next) = extent(list)
        && found < wanted
        && next > page.after
    {
        *page = Page { limit: wanted - found, after: next };
        if let Some(more) = one(inspect, &query).await? {
            append(list, more);
        }
    }
    Ok(answer)
}

async fn one(inspect: &mut InspectClient<Authorized>, query: &Query) -> Result<Option<Answer>, CliError> {
    let request = QueryRequest { query: Some(query.clone()) };
    Ok(inspect.query(request).await?.into_inner().answer)
}

/// The page that a question for a list names.
const fn page(query: &mut Query) -> Option<&mut Page> {
    match query {
        Query::Instances(query) => query.page.as_mut(),
        Query::Jobs(query) => query.page.as_mut(),
        Query::Incidents(query) => query.page.as_mut(),
        Query::Definitions(query) => query.page.as_mut(),
        Query::Instance(_) | Query::Status(_) => None,
    }
}

/// How many entries a list has, and behind which key it goes on; 0 where it does not.
fn extent(answer: &Answer) -> (u32, i64) {
    let (found, next) = match answer {
        Answer::Instances(list) => (list.instances.len(), list.next),
        Answer::Jobs(list) => (list.jobs.len(), list.next),
        Answer::Incidents(list) => (list.incidents.len(), list.next),
        Answer::Definitions(list) => (list.definitions.len(), list.next),
        Answer::Instance(_) | Answer::Status(_) => (0, 0),
    };
    (u32::try_from(found).unwrap_or(u32::MAX), next)
}

/// Adds the next page to a list.
fn append(answer: &mut Answer, more: Answer) {
    match (answer, more) {
        (Answer::Instances(list), Answer::Instances(more)) => {
            list.instances.extend(more.instances);
            list.next = more.next;
        }
        (Answer::Jobs(list), Answer::Jobs(more)) => {
            list.jobs.extend(more.jobs);
            list.next = more.next;
        }
        (Answer::Incidents(list), Answer::Incidents(more)) => {
            list.incidents.extend(more.incidents);
            list.next = more.next;
        }
        (Answer::Definitions(list), Answer::Definitions(more)) => {
            list.definitions.extend(more.definitions);
            list.next = more.next;
        }
        _ => (),
    }
}
