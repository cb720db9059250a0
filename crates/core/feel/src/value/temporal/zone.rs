//! Offsets and time zones.

use std::fmt;

use super::zone_database as database;

/// How a time relates to UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Not known: a local time.
    Local,
    /// So many seconds ahead of UTC.
    Offset(i32),
    /// A zone of the IANA database, with the offset that it has at the time in question.
    Named {
        /// Which zone.
        zone: ZoneId,
        /// Seconds ahead of UTC.
        offset: i32,
    },
}

/// A zone of the bundled IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneId(u16);

/// Largest offset, in seconds.
const OFFSET_MAX: i32 = 18 * 3600;

impl Zone {
    /// UTC.
    pub const UTC: Self = Self::Offset(0);

    /// An offset, if it is at most 18 hours.
    pub fn from_offset(seconds: i32) -> Option<Self> {
        (seconds.abs() <= OFFSET_MAX).then_some(Self::Offset(seconds))
    }

    /// A zone by its name (`Europe/Paris`) or an offset by its text (`Z`, `+02:00`, `UTC+2`).
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(index) = database::find(name) {
            return Some(Self::Named { zone: ZoneId(index), offset: database::standard_offset(index) });
        }
        let rest = ["UTC", "GMT", "UT"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
        match rest.strip_prefix(['+', '-']) {
            // Java takes a single digit of hours, too.
            Some(digits) if digits.len() == 1 => Self::parse(&format!("{}0{digits}:00", &rest[..1])),
            Some(digits) if digits.len() == 2 => Self::parse(&format!("{rest}:00")),
            _ if rest == "Z" => Some(Self::UTC),
            Some(_) => Self::parse(rest),
            None => None,
        }
    }

    /// Seconds ahead of UTC; nothing for a local time.
    pub const fn offset(self) -> Option<i32> {
        match self {
            Self::Local => None,
            Self::Offset(offset) | Self::Named { offset, .. } => Some(offset),
        }
    }

    /// Seconds ahead of UTC outside of daylight saving time, since a time of day alone has no date.
    pub(crate) fn standard_offset(self) -> Option<i32> {
        match self {
            Self::Named { zone, .. } => Some(database::standard_offset(zone.0)),
            Self::Local | Self::Offset(_) => self.offset(),
        }
    }

    /// The name of a zone; nothing for offsets and local times.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Named { zone, .. } => Some(database::name(zone.0)),
            Self::Local | Self::Offset(_) => None,
        }
    }

    /// The zone with the offset that it has at a local time, in seconds since 1970-01-01T00:00. A time that comes
    /// twice is the first one, a time that is left out counts as after the gap.
    pub(crate) fn at_local(self, seconds: i64) -> Self {
        match self {
            Self::Named { zone, .. } => {
                Self::Named { zone, offset: database::offset_at_local(zone.0, seconds) }
            }
            Self::Local | Self::Offset(_) => self,
        }
    }

    /// The zone with the offset that it has at an instant, in seconds since 1970-01-01T00:00Z.
    pub(crate) fn at_instant(self, seconds: i64) -> Self {
        match self {
            Self::Named { zone, .. } => Self::Named { zone, offset: database::offset_at(zone.0, seconds) },
            Self::Local | Self::Offset(_) => self,
        }
    }

    /// Reads what may follow a time: nothing, `Z`, `+02:00`, `@Europe/Paris`, `+02:00[Europe/Paris]`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [] => Some(Self::Local),
            [b'@', ..] => Self::from_name(&text[1..]),
            [b'Z' | b'z'] => Some(Self::UTC),
            [b'Z' | b'z' | b'+' | b'-', ..] if text.ends_with(']') => {
                let (offset, name) = text[..text.len() - 1].split_once('[')?;
                let offset = Self::parse(offset)?.offset()?;
                match Self::from_name(name)? {
                    // The offset tells which of two equal local times is meant.
                    Self::Named { zone, .. } => Some(Self::Named { zone, offset }),
                    other => Some(other),
                }
            }
            [b'+', ..] => offset_of(&text[1..]).and_then(Self::from_offset),
            [b'-', ..] => offset_of(&text[1..]).and_then(|offset| Self::from_offset(-offset)),
            _ => None,
        }
    }

    pub(super) fn write_suffix(self, f: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::Local => Ok(()),
            Self::Offset(seconds) => write_offset(seconds, f),
            Self::Named { zone, .. } => write!(f, "@{}", database::name(zone.0)),
        }
    }

    pub(super) fn write_bracketed(self, f: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::Named { zone, offset } => {
                write_offset(offset, f)?;
                write!(f, "[{}]", database::name(zone.0))
            }
            Self::Local | Self::Offset(_) => self.write_suffix(f),
        }
    }
}

/// The seconds of `02:00` or `02:00:30`.
fn offset_of(text: &str) -> Option<i32> {
    let mut seconds = 0;
    let mut unit = 3600;
    let mut parts = 0;
    for part in text.split(':') {
        if part.len() != 2 || parts == 3 {
            return None;
        }
        let count = i32::try_from(super::digits(part)?).ok()?;
        if parts > 0 && count > 59 {
            return None;
        }
        seconds += count * unit;
        unit /= 60;
        parts += 1;
    }
    (parts > 1).then_some(seconds)
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
