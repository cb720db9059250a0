//! The time that a caller of gRPC gives its call.

use std::time::Duration;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

pub(super) const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// What a call may take, when it says so in a form that is one: up to eight digits and a unit.
pub(super) fn read(fields: &HeaderMap) -> Option<Duration> {
    let text = fields.get(GRPC_TIMEOUT)?.as_bytes();
    let (unit, digits) = text.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Some(Duration::from_hours(number)),
        b'M' => Some(Duration::from_mins(number)),
        b'S' => Some(Duration::from_secs(number)),
        b'm' => Some(Duration::from_millis(number)),
        b'u' => Some(Duration::from_micros(number)),
        b'n' => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

/// What is left, in the finest unit that it fits in, rounded down; what is left at all is not nothing.
pub(super) fn write(left: Duration) -> HeaderValue {
    const MAX: u128 = 99_999_999;
    let micros = left.as_micros().max(u128::from(!left.is_zero()));
    let (number, unit) = match (micros, left.as_millis()) {
        (micros @ ..=MAX, _) => (micros, 'u'),
        (_, millis @ ..=MAX) => (millis, 'm'),
        _ => (u128::from(left.as_secs()).min(MAX), 'S'),
    };
    HeaderValue::try_from(format!("{number}{unit}")).expect("digits are text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_what_is_none() {
        let of = |text: &'static str| {
            read(&HeaderMap::from_iter([(GRPC_TIMEOUT, HeaderValue::from_static(text))]))
        };
        for (text, time) in [
            ("1H", Duration::from_hours(1)),
            ("2M", Duration::from_mins(2)),
            ("3S", Duration::from_secs(3)),
            ("4m", Duration::from_millis(4)),
            ("5u", Duration::from_micros(5)),
            ("99999999n", Duration::from_nanos(99_999_999)),
        ] {
            assert_eq!(of(text), Some(time), "{text}");
        }
        for text in ["", "1", "H", "123456789S", "-1S", "1s", "1 S", "+1S"] {
            assert_eq!(of(text), None, "{text}");
        }
        for (left, text) in [
            (Duration::from_micros(1_500), "1500u"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_hours(100), "360000S"),
            (Duration::from_nanos(1), "1u"),
            (Duration::ZERO, "0u"),
        ] {
            assert_eq!(write(left), text);
        }
    }
}
