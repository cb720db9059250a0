//! The forms of names below our domain.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a name asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// It is of no form that we know, or of elsewhere.
    Nothing,
    Domain,
    /// Other names are below it, and nothing is at it.
    Above,
    /// Who serves these names.
    Server,
    Service {
        name: String,
        tag: Option<String>,
    },
    Node(String),
    Address(IpAddr),
}

impl Subject {
    /// By the labels before our domain, in small letters.
    pub(super) fn of(labels: &[String], datacenter: &str) -> Self {
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        match &labels[..] {
            [] => Self::Domain,
            ["dc"] => Self::Above,
            ["ns"] => Self::Server,
            [rest @ .., place, "dc"] if *place == datacenter => Self::plain(rest),
            [.., "dc"] => Self::Nothing,
            [rest @ .., place] if *place == datacenter => match Self::plain(&labels) {
                Self::Nothing => Self::plain(rest),
                found => found,
            },
            labels => Self::plain(labels),
        }
    }

    /// Without the data centre at its end.
    fn plain(labels: &[&str]) -> Self {
        let service = |name: &str, tag: Option<String>| Self::Service { name: name.to_owned(), tag };
        match labels {
            [] | ["service" | "node" | "addr"] => Self::Above,
            [word] | [word, "service"] if word.starts_with('_') => Self::Above,
            // The form of RFC 2782.
            [name, protocol, "service"] | [name, protocol]
                if name.starts_with('_') && protocol.starts_with('_') =>
            {
                service(&name[1..], Some(protocol[1..].to_owned()).filter(|protocol| protocol != "tcp"))
            }
            // All before the name of the service is one tag, which may have dots.
            [tag @ .., name, "service"] => service(name, Some(tag.join(".")).filter(|tag| !tag.is_empty())),
            [name @ .., "node"] => Self::Node(name.join(".")),
            [hex, "addr"] => spelt(hex).map_or(Self::Nothing, Self::Address),
            _ => Self::Nothing,
        }
    }
}

/// The address that hexadecimal digits spell.
fn spelt(hex: &str) -> Option<IpAddr> {
    if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match hex.len() {
        8 => u32::from_str_radix(hex, 16).ok().map(|bits| Ipv4Addr::from(bits).into()),
        32 => u128::from_str_radix(hex, 16).ok().map(|bits| Ipv6Addr::from(bits).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &str) -> Subject {
        let labels: Vec<String> = name.split('.').map(str::to_owned).collect();
        Subject::of(&labels, "dc1")
    }

    #[test]
    fn names_have_many_forms() {
        let service = |name: &str, tag: Option<&str>| Subject::Service {
            name: name.to_owned(),
            tag: tag.map(str::to_owned),
        };
        for name in [
            "web.service",
            "web.service.dc1",
            "web.service.dc1.dc",
            "_web._tcp",
            "_web._tcp.service",
            "_web._tcp.dc1",
        ] {
            assert_eq!(subject(name), service("web", None), "{name}");
        }
        for name in ["blue.web.service", "blue.web.service.dc1", "_web._blue.service.dc1.dc"] {
            assert_eq!(subject(name), service("web", Some("blue")), "{name}");
        }
        assert_eq!(subject("v1.2.web.service.dc1"), service("web", Some("v1.2")));
        assert_eq!(subject("n1.node.dc1"), Subject::Node("n1".to_owned()));
        assert_eq!(subject("host.example.org.node"), Subject::Node("host.example.org".to_owned()));
        assert_eq!(subject("7f000001.addr.dc1"), Subject::Address(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(subject(&format!("{:032x}.addr", 1)), Subject::Address(Ipv6Addr::LOCALHOST.into()));
        assert_eq!(subject("ns"), Subject::Server);
        for name in [
            "service",
            "node",
            "addr",
            "_tcp",
            "_tcp.service",
            "dc",
            "dc1",
            "dc1.dc",
            "service.dc1",
            "node.dc1.dc",
        ] {
            assert_eq!(subject(name), Subject::Above, "{name}");
        }
        for name in ["web", "web.service.dc2", "web.service.dc2.dc", "7f0001.addr", "zz000001.addr", "dc2.dc"]
        {
            assert_eq!(subject(name), Subject::Nothing, "{name}");
        }
    }
}
