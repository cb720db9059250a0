//! The controllable clock.

use std::sync::Arc;

use bytes::Bytes;
use coreto_machine::Timestamp;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::problem::Problem;
use super::route::json_response;

/// A clock that can be held and moved. Its calls may block.
pub trait Clock: Send + Sync + 'static {
    /// The time in milliseconds since 1970.
    fn now(&self) -> i64;

    /// Holds the clock at a time in milliseconds since 1970.
    ///
    /// # Errors
    /// When the program cannot take it over.
    fn pin(&self, epoch_milli: i64) -> Result<(), ClockError>;

    /// Moves the clock by milliseconds, pinned or not.
    ///
    /// # Errors
    /// When the program cannot take it over.
    fn add(&self, offset_milli: i64) -> Result<(), ClockError>;

    /// Lets the clock run with the machine's again.
    ///
    /// # Errors
    /// When the program cannot take it over.
    fn reset(&self) -> Result<(), ClockError>;
}

/// The clock could not be moved.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot move the clock: {reason}")]
pub struct ClockError {
    /// Why.
    pub reason: String,
}

/// What is asked of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Read,
    Pin,
    Add,
    Reset,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    #[serde(rename = "epochMilli")]
    epoch_milli: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    #[serde(rename = "offsetMilli")]
    offset_milli: i64,
}

pub(crate) async fn answer(
    clock: Arc<dyn Clock>,
    wish: Wish,
    body: &[u8],
) -> Result<Response<Full<Bytes>>, Problem> {
    match wish {
        Wish::Read => (),
        Wish::Pin => {
            let Pin { epoch_milli } = parse(body)?;
            within_time(epoch_milli, "epochMilli")?;
            change(&clock, move |clock| clock.pin(epoch_milli)).await?;
        }
        Wish::Add => {
            let Add { offset_milli } = parse(body)?;
            within_time(clock.now().saturating_add(offset_milli), "offsetMilli")?;
            change(&clock, move |clock| clock.add(offset_milli)).await?;
        }
        Wish::Reset => change(&clock, Clock::reset).await?,
    }
    let now = clock.now();
    Ok(json_response(
        StatusCode::OK,
        &json!({ "epochMilli": now, "instant": Timestamp::from_millis(now).to_string() }),
    ))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::Invalid { detail: format!("the body is wrong: {error}") })
}

/// The last millisecond of the year 9999, beyond which dates have no common text.
const TIME_MAX: i64 = 253_402_300_799_999;

fn within_time(epoch_milli: i64, field: &str) -> Result<(), Problem> {
    if (0..=TIME_MAX).contains(&epoch_milli) {
        return Ok(());
    }
    let detail = format!("`{field}` leads to {epoch_milli}; the clock goes from 0 to {TIME_MAX}");
    Err(Problem::Invalid { detail })
}

async fn change(
    clock: &Arc<dyn Clock>,
    change: impl FnOnce(&dyn Clock) -> Result<(), ClockError> + Send + 'static,
) -> Result<(), Problem> {
    let clock = Arc::clone(clock);
    let changed = tokio::task::spawn_blocking(move || change(&*clock)).await;
    match changed {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Problem::Clock { detail: error.to_string() }),
        Err(error) => Err(Problem::Clock { detail: format!("cannot move the clock: {error}") }),
    }
}
