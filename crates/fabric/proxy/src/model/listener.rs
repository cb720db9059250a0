//! Where clients connect, and what they may cost.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// One address that connections are accepted on.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// Its name, by which routes and metrics speak of it.
    pub name: String,
    /// Where it listens. Port 0 takes any free one.
    pub address: SocketAddr,
    /// TLS, when connections are encrypted.
    pub tls: Option<Tls>,
    /// Peers whose forwarding headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// How many proxies stand in front: the client is that many entries from the right. 0 counts none.
    pub trusted_hops: u32,
    /// Of how many percent of the traces that begin here it is said that they are sampled.
    pub trace_percent: u8,
    /// What a client may take of memory.
    pub bounds: Bounds,
    /// What a client may take of time.
    pub clocks: Clocks,
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            name: String::new(),
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000),
            tls: None,
            trusted_proxies: Vec::new(),
            trusted_hops: 0,
            trace_percent: 100,
            bounds: Bounds::default(),
            clocks: Clocks::default(),
        }
    }
}

/// Bounds on what the clients of a listener send and open.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    /// Open connections.
    pub connections: u32,
    /// Open connections of one address.
    pub connections_per_address: u32,
    /// Bytes of a request's target; longer ones are answered 414.
    pub target_bytes: u64,
    /// Bytes of a header section; longer ones are answered 431.
    pub header_bytes: u64,
    /// Fields of a header section; more are answered 431.
    pub header_count: u32,
    /// HTTP/2 streams of one connection at a time.
    pub streams: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: 1_000,
            target_bytes: 16 << 10,
            header_bytes: 32 << 10,
            header_count: 100,
            streams: 100,
        }
    }
}

/// How long the clients of a listener may take.
#[derive(Clone, Debug, PartialEq)]
pub struct Clocks {
    /// A TLS handshake.
    pub handshake: Duration,
    /// A header section, from its first byte.
    pub header: Duration,
    /// Silence within a request's body, or of a client that does not read an answer of ours.
    pub body: Duration,
    /// Silence between requests.
    pub idle: Duration,
    /// What requests in flight get when the listener goes away.
    pub drain: Duration,
}

impl Default for Clocks {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            drain: Duration::from_secs(30),
        }
    }
}

/// How a listener encrypts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tls {
    /// Chains with their keys; the name that a client asks for chooses, the first is for all others.
    pub certificates: Vec<Certificate>,
    /// A certificate that is ordered from an authority.
    pub acme: Option<Acme>,
    /// The authorities whose client certificates are believed, a PEM file.
    pub client_ca: Option<PathBuf>,
    /// Whether a client must show a certificate.
    pub client_certificate: ClientCertificate,
}

/// A certificate chain with its key, both PEM files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Certificate {
    /// The chain, the server's own certificate first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// A certificate that is ordered from an authority, and renewed (RFC 8555).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Acme {
    /// The hosts that it is for.
    pub names: Vec<String>,
    /// Where it is kept with its key, a PEM file.
    pub file: PathBuf,
}

/// Whether clients show certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificate {
    /// None is asked for.
    #[default]
    Off,
    /// One is asked for, and checked if it is shown.
    Optional,
    /// Without one there is no connection.
    Required,
}

/// A range of addresses: `10.0.0.0/8`, `::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// What stands before an IPv4 address that is written as IPv6 (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u8 = 96;

impl Network {
    /// Reads an address, or an address with the number of its leading bits.
    ///
    /// # Errors
    /// When it is none, or when bits behind that number are set, which is a mistake more often than meant.
    pub fn read(text: &str) -> Result<Self, String> {
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(bits)),
        };
        let bad = || format!("`{text}` is no address and no range of addresses such as `10.0.0.0/8`");
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => width,
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= width).ok_or_else(bad)?,
        };
        let network = Self { address, bits };
        if leading(address, bits) != number(address) {
            return Err(format!(
                "`{text}` has bits behind the first {bits}; a range begins with its lowest address"
            ));
        }
        Ok(network.canonical())
    }

    /// IPv4 addresses that are written as IPv6 are the IPv4 addresses.
    fn canonical(self) -> Self {
        match (self.address.to_canonical(), self.bits.checked_sub(MAPPED_BITS)) {
            (address @ IpAddr::V4(_), Some(bits)) if self.address.is_ipv6() => Self { address, bits },
            _ => self,
        }
    }

    /// Whether an address is in the range. An IPv4 address written as IPv6 is the IPv4 address.
    pub fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && leading(address, self.bits) == number(self.address)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// Whether two sockets cannot listen at these addresses at once. `[::]` is every address of IPv4, too.
pub fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (first, second) = (one.ip().to_canonical(), other.ip().to_canonical());
    let all = |ip: IpAddr| ip == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let meet = first == second
        || all(first)
        || all(second)
        || (first.is_ipv4() && second.is_ipv4() && (first.is_unspecified() || second.is_unspecified()));
    one.port() != 0 && one.port() == other.port() && meet
}

/// The address with only its first bits left.
fn leading(address: IpAddr, bits: u8) -> u128 {
    let width = if address.is_ipv4() { 32 } else { 128 };
    let behind = u32::from(width - bits);
    number(address).checked_shr(behind).and_then(|kept| kept.checked_shl(behind)).unwrap_or(0)
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_in_a_range() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("0.0.0.0/0", "255.1.2.3", "::1"),
            ("127.0.0.1", "::ffff:127.0.0.1", "127.0.0.2"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("::/0", "1::", "1.2.3.4"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0"),
        ] {
            let network = Network::read(range).expect(range);
            assert!(network.has(inside.parse().unwrap()), "{range} has {inside}");
            assert!(!network.has(outside.parse().unwrap()), "{range} has not {outside}");
            assert_eq!(Network::read(&network.to_string()), Ok(network));
        }
        for range in ["10.0.0.1/8", "10.0.0.0/33", "10/8", "", "::1/129", "1.2.3.4/", "1.2.3.4/-1"] {
            assert!(Network::read(range).is_err(), "{range}");
        }
    }
}
