//! How values are written.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use coreto_proxy::model::{
    ClientCertificate, Coding, EncodedSlash, HashKey, LimitKey, Network, PathMode, Protocol, RetryOn, Scheme,
    SplitBy,
};
use http::Method;

use crate::acme::Check;

/// A value as it stands in the file.
pub(crate) enum Written<'a> {
    /// In quotes.
    Text(&'a str),
    /// Plain.
    Number(i64),
    /// `true` or `false`.
    Flag(bool),
}

/// A value of a key.
pub(crate) trait Value: Sized {
    /// Reads it, or says what it should be.
    fn read(written: &Written<'_>) -> Result<Self, String>;
    /// Writes it.
    fn write(&self) -> String;
}

impl Value for String {
    fn read(written: &Written<'_>) -> Result<Self, String> {
        text(written, "a text in quotes").map(str::to_owned)
    }

    fn write(&self) -> String {
        quoted(self)
    }
}

impl Value for bool {
    fn read(written: &Written<'_>) -> Result<Self, String> {
        if let Written::Flag(flag) = written { Ok(*flag) } else { Err("write `true` or `false`".to_owned()) }
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

macro_rules! numbers {
    ($($number:ty),*) => { $(
        impl Value for $number {
            fn read(written: &Written<'_>) -> Result<Self, String> {
                let number = if let Written::Number(number) = written { Self::try_from(*number).ok() } else { None };
                number.ok_or_else(|| format!("write a number from {} to {}", Self::MIN, Self::MAX))
            }

            fn write(&self) -> String {
                self.to_string()
            }
        }
    )* };
}

numbers!(u8, u16, u32, i32);

/// A number of bytes: `64KiB`, `1MiB`, `512B`, or a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

const SIZES: &[(&str, u64)] = &[("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Value for Size {
    fn read(written: &Written<'_>) -> Result<Self, String> {
        let bad = || "write a number of bytes, such as `64KiB` or 65536".to_owned();
        match written {
            Written::Number(number) => u64::try_from(*number).map(Self).map_err(|_| bad()),
            Written::Text(text) => scaled(text, SIZES).map(Self).ok_or_else(bad),
            Written::Flag(_) => Err(bad()),
        }
    }

    fn write(&self) -> String {
        quoted(&scaled_down(self.0, SIZES))
    }
}

const TIMES: &[(&str, u64)] = &[("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A time: `250ms`, `5s`, `10m`, `1h`.
impl Value for Duration {
    fn read(written: &Written<'_>) -> Result<Self, String> {
        let bad = "write a time, such as `250ms`, `5s`, `10m` or `1h`";
        let ms = scaled(text(written, bad)?, TIMES).ok_or(bad)?;
        Ok(Self::from_millis(ms))
    }

    fn write(&self) -> String {
        quoted(&scaled_down(u64::try_from(self.as_millis()).unwrap_or(u64::MAX), TIMES))
    }
}

/// A whole number with a unit behind it.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|char: char| !char.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*scale).filter(|value| *value <= u64::MAX / 2_000_000)
}

/// In the largest unit that leaves it whole.
fn scaled_down(value: u64, units: &[(&str, u64)]) -> String {
    let smallest = units.last().expect("there are units");
    let whole = units.iter().find(|(_, scale)| value > 0 && value.is_multiple_of(*scale));
    let (name, scale) = whole.unwrap_or(smallest);
    format!("{}{name}", value / scale)
}

macro_rules! parsed {
    ($($kind:ty, $wanted:literal, $read:expr;)*) => { $(
        impl Value for $kind {
            fn read(written: &Written<'_>) -> Result<Self, String> {
                let text = text(written, $wanted)?;
                let read: fn(&str) -> Option<Self> = $read;
                read(text).ok_or_else(|| format!("`{text}` does not fit: write {}", $wanted))
            }

            fn write(&self) -> String {
                quoted(&self.to_string())
            }
        }
    )* };
}

parsed! {
    SocketAddr, "an IP address and a port, such as `127.0.0.1:8000` or `[::1]:8000`", |text| text.parse().ok();
    Method, "a method in capitals, such as `GET`", |text| {
        let method = Method::from_bytes(text.as_bytes()).ok()?;
        text.bytes().all(|byte| byte.is_ascii_uppercase() || b"-_".contains(&byte)).then_some(method)
    };
}

impl Value for Network {
    fn read(written: &Written<'_>) -> Result<Self, String> {
        Self::read(text(written, "an address or a range of addresses, such as `10.0.0.0/8`")?)
    }

    fn write(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for PathBuf {
    fn read(written: &Written<'_>) -> Result<Self, String> {
        text(written, "the path of a file").map(Self::from)
    }

    fn write(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

macro_rules! words {
    ($($kind:ty { $($variant:ident = $word:literal),* })*) => { $(
        impl Value for $kind {
            fn read(written: &Written<'_>) -> Result<Self, String> {
                let words = [$($word),*];
                let wanted = || format!("write one of `{}`", words.join("`, `"));
                match text(written, "a word").map_err(|_| wanted())? {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(wanted()),
                }
            }

            fn write(&self) -> String {
                quoted(match self { $(Self::$variant => $word),* })
            }
        }
    )* };
}

words! {
    ClientCertificate { Off = "off", Optional = "optional", Required = "required" }
    Check { Http01 = "http-01", TlsAlpn01 = "tls-alpn-01" }
    Protocol { Auto = "auto", Http1 = "http1", Http2 = "http2" }
    PathMode { Raw = "raw", Normalized = "normalized", Reject = "reject" }
    EncodedSlash { Reject = "reject", Keep = "keep", Redirect = "redirect" }
    Scheme { Http = "http", Https = "https" }
    Coding { Gzip = "gzip", Brotli = "br", Zstd = "zstd" }
    RetryOn {
        ConnectionClosed = "connection-closed",
        Reset = "reset",
        PerTry = "per-try",
        BadGateway = "502",
        Unavailable = "503",
        GatewayTimeout = "504"
    }
}

macro_rules! sources {
    ($($kind:ty { $($plain:ident = $word:literal),*; $($named:ident = $prefix:literal),* })*) => { $(
        impl Value for $kind {
            fn read(written: &Written<'_>) -> Result<Self, String> {
                let wanted = || concat!("write one of", $(" `", $word, "`",)* $(" `", $prefix, "NAME`",)*).to_owned();
                let text = text(written, "a word").map_err(|_| wanted())?;
                $(if text == $word { return Ok(Self::$plain); })*
                $(if let Some(name) = text.strip_prefix($prefix) { return Ok(Self::$named(name.to_owned())); })*
                Err(wanted())
            }

            fn write(&self) -> String {
                match self {
                    $(Self::$plain => quoted($word),)*
                    $(Self::$named(name) => quoted(&format!("{}{name}", $prefix)),)*
                }
            }
        }
    )* };
}

sources! {
    HashKey { Client = "client", Path = "path"; Header = "header:", Cookie = "cookie:" }
    SplitBy { Request = "request", Client = "client"; Header = "header:", Cookie = "cookie:" }
    LimitKey { Route = "route", Client = "client", Host = "host"; Header = "header:" }
}

fn text<'a>(written: &Written<'a>, wanted: &str) -> Result<&'a str, String> {
    if let Written::Text(text) = written {
        Ok(text)
    } else {
        Err(format!("write {}", wanted.trim_start_matches("write ")))
    }
}

/// A text as TOML has it, on one line.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            char if char.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_and_sizes_and_writes_them_in_their_largest_unit() {
        let time = |text| Duration::read(&Written::Text(text)).map(|time| time.write());
        for (text, written) in
            [("250ms", "250ms"), ("5000ms", "5s"), ("90s", "90s"), ("60m", "1h"), ("0s", "0ms")]
        {
            assert_eq!(time(text), Ok(quoted(written)));
        }
        for text in
            ["", "5", "s", "5 s", "-1s", "1.5s", "5d", "99999999999999999999s", "18446744073709551615h"]
        {
            assert!(time(text).is_err(), "{text}");
        }
        let size = |text| Size::read(&Written::Text(text)).map(|size| size.write());
        for (text, written) in [("64KiB", "64KiB"), ("1024KiB", "1MiB"), ("1000B", "1000B"), ("0B", "0B")] {
            assert_eq!(size(text), Ok(quoted(written)));
        }
        assert_eq!(Size::read(&Written::Number(4_096)), Ok(Size(4_096)));
        assert!(size("1MB").is_err() && Size::read(&Written::Number(-1)).is_err());
    }

    #[test]
    fn says_what_a_value_should_be() {
        let said = u16::read(&Written::Number(70_000)).unwrap_err();
        assert_eq!(said, "write a number from 0 to 65535");
        let said = LimitKey::read(&Written::Text("ip")).unwrap_err();
        assert_eq!(said, "write one of `route` `client` `host` `header:NAME`");
        let said = PathMode::read(&Written::Flag(true)).unwrap_err();
        assert_eq!(said, "write one of `raw`, `normalized`, `reject`");
    }
}
