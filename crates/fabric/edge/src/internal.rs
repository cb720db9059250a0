//! Addresses of ours that are never upstreams: through them the world would reach what is meant for us alone.

use std::cell::LazyCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use coreto_proxy::model::{Model, Source, overlap};

/// Ports that are ours on this machine, with what answers there.
const PORTS: &[(u16, &str)] = &[
    (8500, "the catalog"),
    (8600, "the catalog's DNS"),
    (9600, "the management of the engine"),
    (9901, "the management of the gateway"),
];

/// An address at which the process of a gateway serves something else, and what that is.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    /// Where it is bound.
    pub address: SocketAddr,
    /// "the catalog".
    pub what: &'static str,
}

/// What this process serves beside listeners.
#[derive(Clone, Copy, Debug)]
pub struct Ours<'a> {
    /// The gateway's management.
    pub admin: SocketAddr,
    /// What the process serves beside the gateway.
    pub beside: &'a [Served],
}

/// What of ours an upstream would reach, if it is internal: one of the ports of this machine, what else this process
/// serves, the gateway's own management, or one of its listeners, which would be a loop.
pub fn name(address: SocketAddr, of: &Ours<'_>, model: &Model) -> Option<String> {
    // An IPv4 address that is written as IPv6 is the IPv4 address.
    let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let (address, admin) = (canonical(address), canonical(of.admin));
    let ours = LazyCell::new(|| is_ours(address.ip()));
    let near = address.ip().is_loopback() || address.ip().is_unspecified();
    // A management on loopback is not what other addresses of this machine reach at its port.
    let managed = near || (admin.ip().is_unspecified() && *ours);
    if address == admin || (address.port() == admin.port() && managed) {
        return Some("the management of the gateway".to_owned());
    }
    let meets = |bound: SocketAddr| {
        let bound = canonical(bound);
        bound.port() == address.port()
            && (bound.ip() == address.ip()
                || (bound.ip().is_unspecified() && *ours)
                || (address.ip().is_unspecified() && bound.ip().is_loopback()))
    };
    if let Some(served) = of.beside.iter().find(|served| meets(served.address)) {
        return Some(served.what.to_owned());
    }
    let listener = model.listeners.iter().find(|listener| meets(listener.address));
    if let Some(listener) = listener {
        return Some(format!("listener `{}` of this file", listener.name));
    }
    let known = PORTS.iter().find(|(port, _)| *port == address.port() && *ours);
    known.map(|(_, what)| (*what).to_owned())
}

/// Whether an address is one of this machine: only then can something be bound to it.
fn is_ours(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified() || UdpSocket::bind((address, 0)).is_ok()
}

/// Upstreams of a model that are internal: place and message.
pub(crate) fn faults(of: &Ours<'_>, model: &Model) -> Vec<(String, String)> {
    let admin = of.admin;
    let mut faults = Vec::new();
    for (at, listener) in model.listeners.iter().enumerate() {
        if overlap(listener.address, admin) {
            let message = format!("the management of the gateway is served at `{admin}`");
            faults.push((format!("listener[{at}].address"), message));
        }
    }
    for (at, cluster) in model.clusters.iter().enumerate() {
        let addresses: Vec<(String, SocketAddr)> = match &cluster.source {
            Source::Static(endpoints) => endpoints
                .iter()
                .enumerate()
                .map(|(number, endpoint)| (format!("endpoint[{number}].address"), endpoint.address))
                .collect(),
            // Where its instances are is known later, and looked at then.
            Source::Service(_) => Vec::new(),
            Source::Dns { host, port, .. } => {
                let known = known_address(host).map(|ip| SocketAddr::new(ip, *port));
                known.map(|address| ("dns.host".to_owned(), address)).into_iter().collect()
            }
        };
        for (key, address) in addresses {
            if let Some(what) = name(address, of, model) {
                let message = format!("`{address}` is {what}, which is not reached through the gateway");
                faults.push((format!("cluster[{at}].{key}"), message));
            }
        }
    }
    faults
}

/// The address of a host that no DNS has to be asked for: one in numbers, or this machine by its name.
fn known_address(host: &str) -> Option<IpAddr> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.eq_ignore_ascii_case("localhost") {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(host).parse().ok()
}

#[cfg(test)]
mod tests {
    use coreto_proxy::model::Listener;

    use super::*;

    #[test]
    fn knows_what_is_ours() {
        let listener = |address: &str| Listener {
            name: "l".to_owned(),
            address: address.parse().unwrap(),
            ..Listener::default()
        };
        let model = Model {
            listeners: vec![listener("0.0.0.0:8000"), listener("10.0.0.1:8443")],
            ..Model::default()
        };
        let admin: SocketAddr = "127.0.0.1:9902".parse().unwrap();
        let served = |address: &str| Served { address: address.parse().unwrap(), what: "it" };
        let beside = [served("127.0.0.1:7000"), served("0.0.0.0:7001")];
        for (address, internal) in [
            ("127.0.0.1:8500", true),
            ("127.9.9.9:8600", true),
            ("[::1]:9600", true),
            ("[::ffff:127.0.0.1]:9901", true),
            ("127.0.0.1:9902", true),
            ("127.0.0.1:8000", true),
            ("10.0.0.1:8443", true),
            ("[::ffff:10.0.0.1]:8443", true),
            ("[::ffff:127.0.0.1]:8000", true),
            ("10.0.0.2:8443", false),
            ("127.0.0.1:8443", false),
            ("198.51.100.1:8000", false),
            ("198.51.100.1:8500", false),
            ("127.0.0.1:9001", false),
            ("127.0.0.1:7000", true),
            ("0.0.0.0:7000", true),
            ("127.0.0.2:7000", false),
            ("127.0.0.2:7001", true),
            ("198.51.100.1:7001", false),
        ] {
            let ours = Ours { admin, beside: &beside };
            assert_eq!(name(address.parse().unwrap(), &ours, &model).is_some(), internal, "{address}");
        }
    }

    #[test]
    fn knows_all_addresses_of_this_machine() {
        // The address by which it would speak to others; nothing is sent. Without a network there is none.
        let own = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
            socket.connect("198.51.100.1:9")?;
            socket.local_addr()
        });
        let Ok(own) = own else { return };
        let everywhere = Listener { address: "0.0.0.0:8000".parse().unwrap(), ..Listener::default() };
        let model = Model { listeners: vec![everywhere], ..Model::default() };
        let (open, closed) = ("0.0.0.0:9902".parse().unwrap(), "127.0.0.1:9902".parse().unwrap());
        for (port, admin, internal) in [
            (8000, closed, true),
            (8500, closed, true),
            (9902, open, true),
            (9902, closed, false),
            (9001, open, false),
        ] {
            let address = SocketAddr::new(own.ip(), port);
            let ours = Ours { admin, beside: &[] };
            assert_eq!(name(address, &ours, &model).is_some(), internal, "{address} {admin}");
        }
    }
}
