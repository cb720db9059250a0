//! Faults of listeners.

use std::collections::HashMap;

use super::{at_least_one, percent, some_time};
use crate::gate::FIELDS_MAX;
use crate::model::{Acme, ClientCertificate, Fault, Faults, Listener, Tls, overlap};

/// The most streams, so that a connection's memory stays bounded.
const STREAMS_MAX: u32 = 10_000;
/// The longest header section.
const HEADER_BYTES_MAX: u64 = 1 << 20;

pub(super) fn addresses(listeners: &[Listener], faults: &mut Vec<Fault>) {
    let mut seen: HashMap<u16, Vec<&Listener>> = HashMap::new();
    for (at, listener) in listeners.iter().enumerate() {
        let before = seen.entry(listener.address.port()).or_default();
        if let Some(other) = before.iter().find(|other| overlap(other.address, listener.address)) {
            let message = format!("listener `{}` listens at `{}` already", other.name, other.address);
            Faults::new(faults, format!("listener[{at}]")).push("address", message);
        }
        before.push(listener);
    }
}

pub(super) fn check(listener: &Listener, faults: &mut Faults<'_>) {
    percent(listener.trace_percent, "trace-percent", faults);
    let bounds = &listener.bounds;
    at_least_one(bounds.connections, "bounds.connections", faults);
    at_least_one(bounds.connections_per_address, "bounds.connections-per-address", faults);
    at_least_one(bounds.header_count, "bounds.header-count", faults);
    let fits = usize::try_from(bounds.header_count).is_ok_and(|count| count <= FIELDS_MAX);
    faults.demand(fits, "bounds.header-count", format!("{} is more than {FIELDS_MAX}", bounds.header_count));
    for (value, key) in
        [(bounds.target_bytes, "bounds.target-bytes"), (bounds.header_bytes, "bounds.header-bytes")]
    {
        let fits = (64..=HEADER_BYTES_MAX).contains(&value);
        faults.demand(fits, key, format!("{value} bytes are not between 64 B and 1 MiB"));
    }
    let fits = (1..=STREAMS_MAX).contains(&bounds.streams);
    faults.demand(fits, "bounds.streams", format!("{} is not between 1 and {STREAMS_MAX}", bounds.streams));
    let clocks = &listener.clocks;
    some_time(clocks.handshake, "clocks.handshake", faults);
    some_time(clocks.header, "clocks.header", faults);
    some_time(clocks.body, "clocks.body", faults);
    some_time(clocks.idle, "clocks.idle", faults);
    if listener.trusted_hops > 0 && !listener.trusted_proxies.is_empty() {
        faults
            .push("trusted-hops", "a client is found by `trusted-proxies` or by `trusted-hops`, not by both");
    }
    if let Some(tls) = &listener.tls {
        check_tls(tls, faults);
    }
}

fn check_tls(tls: &Tls, faults: &mut Faults<'_>) {
    let some = !tls.certificates.is_empty() || tls.acme.is_some();
    faults.demand(some, "tls.certificate", "TLS needs a certificate, or an order for one in `acme`");
    if let Some(acme) = &tls.acme {
        check_acme(acme, faults);
    }
    for certificate in &tls.certificates {
        let named = !certificate.cert.as_os_str().is_empty() && !certificate.key.as_os_str().is_empty();
        faults.demand(named, "tls.certificate", "a certificate has two files: `cert` and `key`");
    }
    if tls.client_certificate != ClientCertificate::Off && tls.client_ca.is_none() {
        faults.push(
            "tls.client-certificate",
            "client certificates are checked by the authorities in `client-ca`",
        );
    }
    if tls.client_certificate == ClientCertificate::Off && tls.client_ca.is_some() {
        faults.push("tls.client-ca", "nobody asks for client certificates; set `client-certificate`");
    }
}

/// Authorities put no more into one certificate.
const NAMES_MAX: usize = 100;

fn check_acme(acme: &Acme, faults: &mut Faults<'_>) {
    let names = &acme.names;
    let some = (1..=NAMES_MAX).contains(&names.len());
    faults.demand(some, "tls.acme.names", format!("a certificate has 1 to {NAMES_MAX} names"));
    for name in names.iter().filter(|name| !is_host(name)) {
        let message = format!("`{name}` is no name in small letters of a host, such as `shop.example`");
        faults.push("tls.acme.names", message);
    }
    let file = !acme.file.as_os_str().is_empty();
    faults.demand(file, "tls.acme.file", "a certificate that is ordered needs a file to be kept in");
}

/// A name that can be checked by asking the host: no `*`, no address.
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        let sound = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        (1..=63).contains(&label.len())
            && label.bytes().all(sound)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label) && name.parse::<std::net::IpAddr>().is_err()
}
