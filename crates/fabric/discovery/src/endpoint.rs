//! What each path answers.

pub(crate) mod agent;
pub(crate) mod agent_check;
pub(crate) mod agent_health;
pub(crate) mod catalog;
pub(crate) mod health;
pub(crate) mod kv;
pub(crate) mod session;
pub(crate) mod status;

use serde_json::Value;

use crate::answer::Fault;
use crate::asked::Asked;

type Answered = Result<crate::answer::Answer, Fault>;

/// The rows that the client wants to see.
fn filtered(asked: &Asked, rows: Vec<Value>) -> Result<Value, Fault> {
    let filter = asked.filter()?;
    let wanted = |row: &Value| filter.as_ref().is_none_or(|filter| filter.takes(row));
    Ok(rows.into_iter().filter(wanted).collect())
}
