//! A try that failed, and whether there may be another.

use std::time::{Duration, Instant, SystemTime};

use h2::Reason;
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};

use super::Failure;
use super::run::GRPC_STATUS;
use crate::chance::Dice;
use crate::gate::Response;
use crate::model::RetryOn;
use crate::wire::Broken;

/// A try that failed.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that is known of a try")]
pub(super) struct Failed {
    pub(super) failure: Failure,
    /// Whether anything of it was sent.
    pub(super) sent: bool,
    /// Whether anything of a response came.
    pub(super) heard: bool,
    /// Whether its connection had carried another request before.
    pub(super) reused: bool,
    /// Whether it was the client that was waited for when the time was over, or that took what came too slowly.
    pub(super) late: bool,
    /// Whether another try has been granted.
    pub(super) granted: bool,
    /// How long the endpoint asks to wait.
    pub(super) after: Option<Duration>,
}

/// The longest wait that an endpoint may ask for.
const AFTER_MAX: Duration = Duration::from_mins(5);
/// The first pause, the next ones and the longest: up to `(2^n - 1)` of these.
const PAUSE: Duration = Duration::from_millis(25);
const PAUSE_MAX: Duration = Duration::from_millis(250);

impl Failed {
    pub(super) fn unsent(failure: Failure) -> Self {
        Self { sent: false, ..Self::sent(failure) }
    }

    pub(super) fn sent(failure: Failure) -> Self {
        Self { failure, sent: true, heard: false, reused: false, late: false, granted: false, after: None }
    }

    /// Of a response that says that the endpoint cannot, unless it asks to wait longer than there is time.
    pub(super) fn status(response: &Response, total: Instant) -> Option<Self> {
        let status = verdict(response);
        retried_by(status)?;
        let after = match asked_to_wait(&response.fields) {
            Wait::Unsaid => None,
            Wait::Never => return None,
            Wait::For(time) => Some(time),
        };
        let left = total.saturating_duration_since(Instant::now()).min(AFTER_MAX);
        if after.is_some_and(|after| after > left) {
            return None;
        }
        Some(Self { heard: true, after, ..Self::sent(Failure::Status(status)) })
    }

    /// Whether the request may be sent again; `twice`: whether it may also happen twice.
    pub(super) fn may_repeat(&self, twice: bool, on: &[RetryOn]) -> bool {
        let listed = |cause| twice && on.contains(&cause);
        match &self.failure {
            Failure::Connect(error) => error.may_be_better_elsewhere(),
            Failure::Closed(broken) if was_not_processed(broken) => true,
            Failure::Closed(_) if self.closed_when_kept() => listed(RetryOn::ConnectionClosed),
            Failure::Closed(_) => listed(RetryOn::Reset),
            Failure::TryTime => listed(RetryOn::PerTry),
            Failure::Status(status) => retried_by(*status).is_some_and(listed),
            _ => false,
        }
    }

    /// Whether it was the endpoint's fault. What its status says is noted with the head of its response.
    pub(super) fn speaks_against_the_endpoint(&self) -> bool {
        if self.late {
            return false;
        }
        match &self.failure {
            Failure::Connect(error) => error.speaks_against_the_endpoint(),
            Failure::Closed(broken) => !was_not_processed(broken) && !self.closed_when_kept(),
            Failure::TotalTime => self.sent,
            Failure::Response(_) | Failure::Incomplete(_) | Failure::TryTime | Failure::IdleTime => true,
            _ => false,
        }
    }

    /// How long to wait before another try, if at all: what reached nobody is tried elsewhere at once.
    pub(super) fn pause(&self, attempts: u32, dice: &mut Dice) -> Option<Duration> {
        if self.after.is_some() {
            return self.after;
        }
        let at_once = match &self.failure {
            Failure::Connect(_) => true,
            Failure::Closed(broken) => was_not_processed(broken) || self.closed_when_kept(),
            _ => false,
        };
        let longest = PAUSE.saturating_mul((1 << attempts.min(8)) - 1).min(PAUSE_MAX);
        (!at_once).then(|| longest.mul_f64(dice.unit()))
    }

    /// A kept connection that closed without a byte: the server had let it go before the request came.
    fn closed_when_kept(&self) -> bool {
        let Failure::Closed(broken) = &self.failure else { return false };
        self.sent && self.reused && !self.heard && broken.reason().is_none()
    }
}

/// Whether the endpoint says that it has not begun with the stream (RFC 9113 §8.7).
fn was_not_processed(broken: &Broken) -> bool {
    // Only streams above the last one of a GOAWAY are told of it, whatever its reason is.
    let left_behind = |error: &h2::Error| error.is_go_away() && error.is_remote();
    broken.reason() == Some(Reason::REFUSED_STREAM)
        || matches!(broken, Broken::Stream(error) if left_behind(error))
}

fn retried_by(status: StatusCode) -> Option<RetryOn> {
    match status {
        StatusCode::BAD_GATEWAY => Some(RetryOn::BadGateway),
        StatusCode::SERVICE_UNAVAILABLE => Some(RetryOn::Unavailable),
        StatusCode::GATEWAY_TIMEOUT => Some(RetryOn::GatewayTimeout),
        _ => None,
    }
}

/// The status that a response stands for: of calls whose end is in the head, what HTTP would say.
pub(super) fn verdict(response: &Response) -> StatusCode {
    of_call(response.fields.get(GRPC_STATUS)).unwrap_or(response.status)
}

/// What HTTP would say of a call that has ended badly.
pub(super) fn of_call(status: Option<&HeaderValue>) -> Option<StatusCode> {
    let status = match status?.as_bytes() {
        b"1" => 499,
        b"3" | b"9" | b"11" => 400,
        b"4" => 504,
        b"5" | b"12" => 404,
        b"6" | b"10" => 409,
        b"7" => 403,
        b"8" => 429,
        b"2" | b"13" | b"15" => 500,
        b"14" => 503,
        b"16" => 401,
        _ => return None,
    };
    StatusCode::from_u16(status).ok()
}

/// What an endpoint says of the next try.
enum Wait {
    Unsaid,
    Never,
    For(Duration),
}

fn asked_to_wait(fields: &HeaderMap) -> Wait {
    if let Some(pushback) = fields.get("grpc-retry-pushback-ms") {
        let time = pushback.to_str().ok().and_then(|text| text.parse().ok());
        return time.map_or(Wait::Never, |time| Wait::For(Duration::from_millis(time)));
    }
    let Some(after) = fields.get(header::RETRY_AFTER).and_then(|after| after.to_str().ok()) else {
        return Wait::Unsaid;
    };
    let date = || httpdate::parse_http_date(after).ok();
    let until = |date: SystemTime| date.duration_since(SystemTime::now()).unwrap_or_default();
    match after.trim().parse() {
        Ok(seconds) => Wait::For(Duration::from_secs(seconds)),
        // What cannot be read is no word.
        Err(_) => date().map_or(Wait::Unsaid, |date| Wait::For(until(date))),
    }
}
