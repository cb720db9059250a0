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
use crate::filter::Filter;
use crate::filter::shape::Shape;

type Answered = Result<crate::answer::Answer, Fault>;

/// Which rows the client wants to see.
struct Wanted(Option<Filter>);

impl Wanted {
    /// As a request says; what it cannot mean is told before anything is waited for.
    fn of(asked: &Asked, row: &'static Shape) -> Result<Self, Fault> {
        let Some(text) = asked.parameter("filter").filter(|text| !text.trim().is_empty()) else {
            return Ok(Self(None));
        };
        let filter = Filter::parse(text, row);
        filter.map(|filter| Self(Some(filter))).map_err(|fault| Fault::Wrong(format!("`filter`: {fault}")))
    }

    fn takes(&self, row: impl FnOnce() -> Value) -> bool {
        self.0.as_ref().is_none_or(|filter| filter.takes(&row()))
    }

    fn among(&self, rows: impl IntoIterator<Item = Value>) -> Value {
        let is_wanted = |row: &Value| self.0.as_ref().is_none_or(|filter| filter.takes(row));
        rows.into_iter().filter(is_wanted).collect()
    }
}
