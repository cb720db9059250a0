//! The controllable clock.

use std::sync::Arc;

use bytes::Bytes;
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
    Ok(json_response(StatusCode::OK, &json!({ "epochMilli": now, "instant": instant(now) })))
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

/// Milliseconds since 1970 as ISO 8601 in UTC (proleptic Gregorian calendar).
fn instant(epoch_milli: i64) -> String {
    let (days, milli) = (epoch_milli.div_euclid(86_400_000), epoch_milli.rem_euclid(86_400_000));
    // Years begin in March here, so that the leap day is a year's last, and eras of 400 years are equally long.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (milli / 3_600_000, milli / 60_000 % 60, milli / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", milli % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_instants() {
        assert_eq!(instant(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(instant(951_782_400_123), "2000-02-29T00:00:00.123Z");
        assert_eq!(instant(1_767_225_599_999), "2025-12-31T23:59:59.999Z");
        assert_eq!(instant(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
        assert_eq!(instant(TIME_MAX), "9999-12-31T23:59:59.999Z");
    }
}
