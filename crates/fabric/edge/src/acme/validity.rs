//! From when to when a certificate is good, read from its bytes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time between two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: SystemTime,
    pub(super) until: SystemTime,
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

impl Validity {
    /// Of a certificate in DER (RFC 5280 §4.1); none when it is no certificate.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (certificate, _) = value(certificate, SEQUENCE)?;
        let (mut rest, _) = value(certificate, SEQUENCE)?;
        if rest.first() == Some(&VERSION) {
            (_, rest) = value(rest, VERSION)?;
        }
        // The serial number, the signature's algorithm and the issuer.
        for tag in [INTEGER, SEQUENCE, SEQUENCE] {
            (_, rest) = value(rest, tag)?;
        }
        let (times, _) = value(rest, SEQUENCE)?;
        let (from, rest) = time(times)?;
        let (until, _) = time(rest)?;
        Some(Self { from, until })
    }

    /// How long it is from the one to the other.
    pub(super) fn length(self) -> Duration {
        self.until.duration_since(self.from).unwrap_or_default()
    }
}

/// What a value that begins here contains, and what is behind it.
fn value(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    (*found == tag).then(|| rest.split_at_checked(length))?
}

/// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`.
fn time(bytes: &[u8]) -> Option<(SystemTime, &[u8])> {
    let tag = *bytes.first()?;
    let (text, rest) = value(bytes, tag)?;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, at) = match tag {
        UTC_TIME => (number(0, 2).map(|year| if year < 50 { 2000 + year } else { 1900 + year })?, 2),
        GENERALIZED_TIME => (number(0, 4)?, 4),
        _ => return None,
    };
    let [month, day, hour, minute, second] =
        [0, 2, 4, 6, 8].map(|behind| number(at + behind, at + behind + 2));
    let days = days(year, month?, day?)?;
    let seconds = ((days * 24 + hour?) * 60 + minute?) * 60 + second?;
    Some((UNIX_EPOCH + Duration::from_secs(seconds), rest))
}

/// Days from the first of 1970 to a day of the calendar; what is before is that first day.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    Some(before.saturating_sub(719_468))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn reads_what_was_written() {
        for (from, until, seconds, length) in [
            ((1970, 1, 1), (1970, 1, 2), 0, 1),
            ((2000, 2, 29), (2001, 3, 1), 951_782_400, 366),
            ((2026, 12, 31), (2049, 12, 31), 1_798_675_200, 8_401),
            // The later half of the century is written in another way.
            ((2050, 1, 1), (2100, 3, 1), 2_524_608_000, 18_321),
        ] {
            let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
            params.not_before = date_time_ymd(from.0, from.1, from.2);
            params.not_after = date_time_ymd(until.0, until.1, until.2);
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let validity = Validity::of(certificate.der()).unwrap();
            assert_eq!(validity.from, UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(validity.length(), Duration::from_hours(24 * length));
            for end in 0..100 {
                assert_eq!(Validity::of(&certificate.der()[..end]), None, "of {end} bytes");
            }
        }
    }
}
