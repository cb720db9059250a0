//! The host that a request is for.

use std::net::Ipv6Addr;

use bytes::Bytes;

use super::Fault;

/// A host with an optional port, as it came: `a.example:8080`, `[::1]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    text: Bytes,
    host_bytes: usize,
    port: Option<u16>,
}

/// The longest authority in bytes: a name of the DNS, and a port.
const BYTES_MAX: usize = 261;

impl Authority {
    /// Reads `host` or `host:port`. A host is letters, digits, `-`, `.`, `_` and `~`, or an IPv6 address in
    /// brackets: other characters of RFC 3986 name no host and are read differently by different programs.
    ///
    /// # Errors
    /// [`Fault::HostInvalid`] for all else, an empty host or port included.
    pub fn read(text: Bytes) -> Result<Self, Fault> {
        if text.len() > BYTES_MAX {
            return Err(Fault::HostInvalid);
        }
        let host_bytes = match text.first() {
            Some(b'[') => bracketed(&text)?,
            _ => text.iter().position(|byte| *byte == b':').unwrap_or(text.len()),
        };
        let (host, rest) = text.split_at(host_bytes);
        let named = host.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte));
        if host.is_empty() || !(named || host[0] == b'[') {
            return Err(Fault::HostInvalid);
        }
        let port = match rest {
            [] => None,
            [b':', digits @ ..] => Some(read_port(digits)?),
            _ => return Err(Fault::HostInvalid),
        };
        Ok(Self { text, host_bytes, port })
    }

    /// All of it, as it came.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).expect("it was read as ASCII")
    }

    /// All of it, as it came, shared.
    pub fn bytes(&self) -> &Bytes {
        &self.text
    }

    /// The host without the port, as it came.
    pub fn host(&self) -> &str {
        &self.as_str()[..self.host_bytes]
    }

    /// The port, when one is given.
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

/// How many bytes the IPv6 address at the beginning takes, its brackets included.
fn bracketed(text: &[u8]) -> Result<usize, Fault> {
    let end = text.iter().position(|byte| *byte == b']').ok_or(Fault::HostInvalid)?;
    let address = std::str::from_utf8(&text[1..end]).map_err(|_| Fault::HostInvalid)?;
    address.parse::<Ipv6Addr>().map_err(|_| Fault::HostInvalid)?;
    Ok(end + 1)
}

fn read_port(digits: &[u8]) -> Result<u16, Fault> {
    if digits.is_empty() || digits.len() > 5 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Fault::HostInvalid);
    }
    let port = digits.iter().fold(0_u32, |port, digit| port * 10 + u32::from(digit - b'0'));
    u16::try_from(port).map_err(|_| Fault::HostInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_addresses_and_ports() {
        for (text, host, port) in [
            ("a", "a", None),
            ("A.example.", "A.example.", None),
            ("a_b:80", "a_b", Some(80)),
            ("127.0.0.1:65535", "127.0.0.1", Some(65535)),
            ("[::1]", "[::1]", None),
            ("[2001:db8::1]:8443", "[2001:db8::1]", Some(8443)),
        ] {
            let authority = Authority::read(Bytes::from(text)).expect(text);
            assert_eq!((authority.host(), authority.port()), (host, port), "{text}");
        }
    }

    #[test]
    fn refuses_what_can_be_read_in_two_ways() {
        for text in [
            "",
            ":80",
            "a:",
            "a:99999",
            "a:8 0",
            "a:+80",
            "a:80:80",
            "a,b",
            "u@b",
            "u:p@b",
            "a/b",
            "a b",
            " a",
            "a\t",
            "a%00b",
            "a%2eb",
            "[::1",
            "[::1]x",
            "[::1%eth0]",
            "[]",
            "[1.2.3.4]",
            "::1",
            "a\\b",
            "a#",
            "a?",
            "ä",
            "a;b",
            "a'b",
        ] {
            assert_eq!(Authority::read(Bytes::from(text)), Err(Fault::HostInvalid), "{text}");
        }
        assert_eq!(Authority::read(Bytes::from("a".repeat(262))), Err(Fault::HostInvalid));
    }
}
