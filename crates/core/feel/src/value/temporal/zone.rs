//! Offsets and time zones.

use std::fmt;

/// How a time relates to UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Not known: a local time.
    Local,
    /// So many seconds ahead of UTC.
    Offset(i32),
}

/// Largest offset, in seconds.
const OFFSET_MAX: i32 = 18 * 3600;

impl Zone {
    /// UTC.
    pub const UTC: Self = Self::Offset(0);

    /// An offset, if it is at most 18 hours.
    pub fn from_offset(seconds: i32) -> Option<Self> {
        (seconds.abs() <= OFFSET_MAX).then_some(Self::Offset(seconds))
    }

    /// Seconds ahead of UTC; nothing for a local time.
    pub const fn offset(self) -> Option<i32> {
        match self {
            Self::Local => None,
            Self::Offset(seconds) => Some(seconds),
        }
    }

    /// Seconds ahead of UTC outside of daylight saving time.
    pub(crate) const fn standard_offset(self) -> Option<i32> {
        self.offset()
    }

    /// The name of a zone; nothing for offsets and local times.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Local | Self::Offset(_) => None,
        }
    }

    pub(crate) const fn at_local(self, _seconds: i64) -> Self {
        self
    }

    pub(crate) const fn at_instant(self, _seconds: i64) -> Self {
        self
    }

    /// Reads what may follow a time.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [] => Some(Self::Local),
            [b'Z' | b'z'] => Some(Self::UTC),
            [sign @ (b'+' | b'-'), ..] => {
                let sign = if *sign == b'-' { -1 } else { 1 };
                let mut seconds = 0;
                let mut unit = 3600;
                for part in text[1..].split(':') {
                    if part.len() != 2 || unit == 0 {
                        return None;
                    }
                    let count = i32::try_from(super::digits(part)?).ok()?;
                    if unit < 3600 && count > 59 {
                        return None;
                    }
                    seconds += count * unit;
                    unit /= 60;
                }
                Self::from_offset(sign * seconds)
            }
            _ => None,
        }
    }

    pub(super) fn write_suffix(self, f: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::Local => Ok(()),
            Self::Offset(seconds) => write_offset(seconds, f),
        }
    }

    pub(super) fn write_bracketed(self, f: &mut impl fmt::Write) -> fmt::Result {
        self.write_suffix(f)
    }
}

fn write_offset(seconds: i32, f: &mut impl fmt::Write) -> fmt::Result {
    if seconds == 0 {
        return f.write_str("Z");
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    write!(f, "{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60)?;
    if seconds % 60 != 0 {
        write!(f, ":{:02}", seconds % 60)?;
    }
    Ok(())
}
