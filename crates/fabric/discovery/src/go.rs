//! Durations as Go writes them.

use std::fmt::Write;
use std::time::Duration;

/// Reads a duration such as `10s`, `1m30s` or `1.5h`. Nothing when it is none, negative or too long.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut nanos = 0f64;
    while !rest.is_empty() {
        let end = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest.find(|char: char| char.is_ascii_digit()).unwrap_or(rest.len());
        nanos += number
            * match &rest[..end] {
                "ns" => 1.0,
                "us" | "µs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 6e10,
                "h" => 3.6e12,
                _ => return None,
            };
        rest = &rest[end..];
    }
    let known = !text.is_empty() && nanos <= 9.2e18;
    known.then(|| Duration::try_from_secs_f64(nanos / 1e9).ok()).flatten()
}

/// Writes milliseconds as Go does: `1m30s`, `500ms`, `0s`.
pub(crate) fn written(millis: u64) -> String {
    if millis == 0 {
        return "0s".to_owned();
    }
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let (hours, minutes, rest) = (millis / 3_600_000, millis / 60_000 % 60, millis % 60_000);
    let mut text = String::new();
    if hours > 0 {
        write!(text, "{hours}h").expect("writing to a string does not fail");
    }
    if hours > 0 || minutes > 0 {
        write!(text, "{minutes}m").expect("writing to a string does not fail");
    }
    let fraction = format!("{:03}", rest % 1000);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    write!(text, "{}{dot}{fraction}s", rest / 1000).expect("writing to a string does not fail");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_durations() {
        for (text, millis, back) in [
            ("10s", 10_000, "10s"),
            ("1m30s", 90_000, "1m30s"),
            ("500ms", 500, "500ms"),
            ("1.5h", 5_400_000, "1h30m0s"),
            ("0", 0, "0s"),
            ("0s", 0, "0s"),
            ("90061500ms", 90_061_500, "25h1m1.5s"),
        ] {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
            assert_eq!(written(millis), back);
        }
        for text in ["", "10", "s", "-1s", "1x", "1s2", "1..5s", "1e9h", "99999999999999h"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
