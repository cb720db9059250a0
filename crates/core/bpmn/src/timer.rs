//! Timers: what they say, and when they are due. Times are milliseconds since 1970 in UTC.
//!
//! Source: "Timers" of the engine's semantics; ISO 8601 dates, durations and repeating intervals; Spring's cron.

mod cron;
mod cycle;
mod interval;

use std::fmt;

use coreto_feel::Value;
use coreto_feel::value::DateTime;
use coreto_feel::value::temporal::Zone;

use crate::text::Text;
use cron::Cron;
use cycle::Cycle;
use interval::Interval;

/// The repetitions of a cycle without an end.
pub const FOR_EVER: i32 = -1;

/// What the model says of a timer.
#[derive(Clone, Debug)]
pub struct Timer {
    /// How the text is to be read.
    pub kind: TimerKind,
    /// When it is due.
    pub text: Text,
}

/// How the text of a timer is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// A moment.
    Date,
    /// A span of time from now on.
    Duration,
    /// Spans one after the other, or a cron text.
    Cycle,
}

impl TimerKind {
    /// What is expected of the text, and of the value of an expression.
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::Date => "a date and time with an offset or zone",
            Self::Duration => "a duration",
            Self::Cycle => "a repeating interval such as `R3/PT10S`, or a cron text",
        }
    }

    /// The same of a text that is not what is expected, which may be a repeating interval that leads nowhere.
    pub fn wanted_of(self, text: &str) -> &'static str {
        if self == Self::Cycle && Cycle::leads_nowhere(text.trim()) {
            "an interval that leads on; one of no time needs an end, such as `R3/PT0S`, and none leads back"
        } else {
            self.wanted()
        }
    }
}

/// When a timer is due, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Plan);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Plan {
    At(i64),
    After(Interval),
    Repeated(Cycle),
    Cron(Box<Cron>),
}

/// One time that a timer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// When.
    pub at_ms: i64,
    /// How often it is due from then on, this time included; [`FOR_EVER`] without an end.
    pub repetitions: i32,
}

impl Tick {
    /// Whether it is due again after it was.
    pub const fn repeats(self) -> bool {
        self.repetitions == FOR_EVER || self.repetitions > 1
    }
}

impl Schedule {
    /// Reads a text; `None` when it is not what its kind needs.
    pub fn parse(kind: TimerKind, text: &str) -> Option<Self> {
        let text = text.trim();
        Some(Self(match kind {
            TimerKind::Date => Plan::At(DateTime::parse(text)?.to_epoch_ms()?),
            TimerKind::Duration => Plan::After(Interval::parse(text)?),
            // Only repeating intervals begin so; months and days of the week stand behind other fields.
            TimerKind::Cycle if text.starts_with('R') => Plan::Repeated(Cycle::parse(text)?),
            TimerKind::Cycle => Plan::Cron(Box::new(Cron::parse(text)?)),
        }))
    }

    /// Understands the value of an expression; `None` when it is not what its kind needs.
    pub fn of(kind: TimerKind, value: &Value) -> Option<Self> {
        match (kind, value) {
            (_, Value::String(text)) => Self::parse(kind, text),
            (TimerKind::Date, Value::DateTime(moment)) => Some(Self(Plan::At(moment.to_epoch_ms()?))),
            (TimerKind::Duration, Value::DaysTimeDuration(span)) => {
                Some(Self(Plan::After(Interval::exact(i64::try_from(span.to_ms()).ok()?))))
            }
            (TimerKind::Duration, Value::YearsMonthsDuration(span)) => {
                Some(Self(Plan::After(Interval::months(span.to_months()))))
            }
            _ => None,
        }
    }

    /// When it is due first. `None` when that is beyond the end of the calendar.
    pub fn first(&self, now_ms: i64, zone: &str) -> Option<Tick> {
        let once = |at_ms| Tick { at_ms, repetitions: 1 };
        match &self.0 {
            Plan::At(at_ms) => Some(once(*at_ms)),
            Plan::After(interval) => interval.after(now_ms, zone).map(once),
            Plan::Repeated(cycle) => cycle.first(now_ms, zone),
            Plan::Cron(cron) => Some(cron.tick(now_ms, zone)),
        }
    }

    /// When it is due after it was due `last`. Times that have passed meanwhile are skipped.
    pub fn next(&self, last: Tick, now_ms: i64, zone: &str) -> Option<Tick> {
        match &self.0 {
            Plan::At(_) | Plan::After(_) => None,
            Plan::Repeated(cycle) => cycle.next(last, now_ms, zone),
            Plan::Cron(cron) => Some(cron.tick(now_ms, zone)),
        }
    }
}

impl fmt::Display for TimerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Date => "date",
            Self::Duration => "duration",
            Self::Cycle => "cycle",
        })
    }
}

/// A moment on the clock of a zone by its name; UTC when there is no such zone.
fn on_clock(at_ms: i64, zone: &str) -> Option<DateTime> {
    let zone = Zone::from_name(zone).unwrap_or(Zone::UTC);
    DateTime::from_instant(i128::from(at_ms) * 1_000_000, zone)
}
