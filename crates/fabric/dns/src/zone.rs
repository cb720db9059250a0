//! What a name means, and its records.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use coreto_catalog::{CheckEntry, InstanceEntry, Name, NodeEntry, Place, State, Status};
use coreto_machine::Tenant;

/// Types of records.
pub(crate) mod kind {
    pub(crate) const A: u16 = 1;
    pub(crate) const CNAME: u16 = 5;
    pub(crate) const SOA: u16 = 6;
    pub(crate) const TXT: u16 = 16;
    pub(crate) const AAAA: u16 = 28;
    pub(crate) const SRV: u16 = 33;
    pub(crate) const ANY: u16 = 255;

    /// Whether there are no such records: what has this number speaks about a packet, or asks for a whole zone (RFC 6895,
    /// section 3.1).
    pub(crate) const fn is_of_no_record(kind: u16) -> bool {
        matches!(kind, 0 | crate::question::OPT | 249..=254)
    }
}

/// Of whom everything is, as long as there is only one.
const TENANT: Tenant = Tenant::DEFAULT;

/// Instances of which a name is answered: more do not fit into a packet.
const INSTANCES_MAX: usize = 1000;

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    /// Another name for the same.
    Cname(String),
    Srv {
        weight: u16,
        port: u16,
        target: String,
    },
    Txt(String),
}

impl Data {
    pub(crate) const fn kind(&self) -> u16 {
        match self {
            Self::A(_) => kind::A,
            Self::Aaaa(_) => kind::AAAA,
            Self::Cname(_) => kind::CNAME,
            Self::Srv { .. } => kind::SRV,
            Self::Txt(_) => kind::TXT,
        }
    }
}

/// What there is for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It is none of our domain.
    Foreign,
    /// There is no such name, or nobody well behind it.
    Nobody,
    /// Records of the asked type, which may be none, and addresses of the names in them.
    Records { answers: Vec<Data>, additional: Vec<(String, Data)> },
}

/// The part of the names in the world that is ours.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    /// The last labels of our names, in small letters.
    pub(crate) domain: Vec<String>,
    pub(crate) datacenter: Arc<str>,
}

/// What a name asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    Domain,
    Service { name: String, tag: Option<String> },
    Node(String),
    Address(IpAddr),
}

impl Zone {
    /// Our domain as text.
    pub(crate) fn name(&self) -> String {
        self.domain.join(".")
    }

    /// Whether a name is one of our domain.
    pub(crate) fn has(&self, labels: &[String]) -> bool {
        let own = labels.len().checked_sub(self.domain.len()).and_then(|at| labels.get(at..));
        own.is_some_and(|own| own.iter().zip(&self.domain).all(|(label, own)| label.to_lowercase() == *own))
    }

    /// Looks a name up.
    pub(crate) fn find(&self, state: &State, labels: &[String], wanted: u16) -> Found {
        if !self.has(labels) {
            return Found::Foreign;
        }
        let own = &labels[..labels.len() - self.domain.len()];
        let small: Vec<String> = own.iter().map(|label| label.to_lowercase()).collect();
        match self.subject(&small) {
            None => Found::Nobody,
            Some(Subject::Domain) => Found::Records { answers: Vec::new(), additional: Vec::new() },
            Some(Subject::Address(address)) => records(wanted, &[address_data(&address.to_string())]),
            Some(Subject::Node(name)) => Self::node(state, &name, wanted),
            Some(Subject::Service { name, tag }) => self.service(state, &name, tag.as_deref(), wanted),
        }
    }

    /// What a name below our domain asks about; nothing when it is of no form that we know, or of elsewhere.
    fn subject(&self, labels: &[String]) -> Option<Subject> {
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let [rest @ .., datacenter, "dc"] = &labels[..] else { return self.local(&labels) };
        (**datacenter == *self.datacenter).then(|| Self::plain(rest)).flatten()
    }

    /// Without `dc` at its end, but perhaps with the name of the data centre.
    fn local(&self, labels: &[&str]) -> Option<Subject> {
        if labels.is_empty() {
            return Some(Subject::Domain);
        }
        if let Some(subject) = Self::plain(labels) {
            return Some(subject);
        }
        let (datacenter, rest) = labels.split_last()?;
        (**datacenter == *self.datacenter).then(|| Self::plain(rest)).flatten()
    }

    fn plain(labels: &[&str]) -> Option<Subject> {
        let service = |name: &str, tag: Option<&str>| {
            Some(Subject::Service { name: name.to_owned(), tag: tag.map(str::to_owned) })
        };
        match labels {
            [name, protocol, "service"] | [name, protocol]
                if name.starts_with('_') && protocol.starts_with('_') =>
            {
                service(&name[1..], Some(&protocol[1..]).filter(|protocol| *protocol != "tcp"))
            }
            [name, "service"] => service(name, None),
            [tag, name, "service"] => service(name, Some(tag)),
            [name, "node"] => Some(Subject::Node((*name).to_owned())),
            [hex, "addr"] => spelt(hex).map(Subject::Address),
            _ => None,
        }
    }

    fn node(state: &State, name: &str, wanted: u16) -> Found {
        let Some((_, node)) = node_of(state, name) else { return Found::Nobody };
        let mut all = vec![address_data(&node.node.address)];
        all.extend(node.node.meta.iter().map(|pair| Data::Txt(format!("{}={}", pair.name, pair.value))));
        records(wanted, &all)
    }

    fn service(&self, state: &State, name: &str, tag: Option<&str>, wanted: u16) -> Found {
        let rows = rows(state, &(TENANT, name.into()), tag);
        if rows.is_empty() {
            return Found::Nobody;
        }
        if wanted != kind::SRV && wanted != kind::ANY {
            let mut all = Vec::new();
            for row in &rows {
                let data = address_data(row.address());
                if !all.contains(&data) {
                    all.push(data);
                }
            }
            return records(wanted, &all);
        }
        let (mut answers, mut additional) = (Vec::new(), Vec::new());
        for row in &rows {
            let target = self.target(row);
            let (weight, port) = (row.weight(), row.entry.instance.port);
            answers.push(Data::Srv { weight, port, target: target.clone() });
            let address = (target, address_data(row.address()));
            if address.1.kind() != kind::CNAME && !additional.contains(&address) {
                additional.push(address);
            }
        }
        Found::Records { answers, additional }
    }

    /// The name under which the address of an instance is found.
    fn target(&self, row: &Row) -> String {
        let below = |label: &str, what: &str| format!("{label}.{what}.{}.{}", self.datacenter, self.name());
        let own = &row.entry.instance.address;
        match own.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => below(&format!("{:08x}", u32::from(address)), "addr"),
            Ok(IpAddr::V6(address)) => below(&format!("{:032x}", u128::from(address)), "addr"),
            Err(_) if own.is_empty() => below(&row.place.1, "node"),
            Err(_) => own.to_string(),
        }
    }
}

/// An instance that can be used.
struct Row {
    place: Place,
    entry: Arc<InstanceEntry>,
    node: Arc<NodeEntry>,
    status: Status,
}

impl Row {
    fn address(&self) -> &str {
        let own = &self.entry.instance.address;
        if own.is_empty() { &self.node.node.address } else { own }
    }

    fn weight(&self) -> u16 {
        let weights = &self.entry.instance.weights;
        let weight = if self.status == Status::Passing { weights.passing } else { weights.warning };
        u16::try_from(weight).unwrap_or(u16::MAX)
    }
}

/// Instances of a service that are not critical, and have a tag.
fn rows(state: &State, service: &Name, tag: Option<&str>) -> Vec<Row> {
    let row = |place: Place| {
        let node = state.nodes.get(&(place.0, Arc::clone(&place.1)))?;
        let entry = state.instances.get(&place)?;
        let of_node: Place = (place.0, Arc::clone(&place.1), "".into());
        let worst = |of: &Place| {
            let checks = state.checks_of(of).map(|(_, entry): (_, &Arc<CheckEntry>)| entry.check.status);
            checks.min().unwrap_or(Status::Passing)
        };
        let status = worst(&of_node).min(worst(&place));
        let tags = &entry.instance.tags;
        let is_tagged = tag.is_none_or(|tag| tags.iter().any(|found| found.eq_ignore_ascii_case(tag)));
        (status != Status::Critical && is_tagged).then_some(Row { place, entry, node, status })
    };
    state.instances_of(service).filter_map(row).take(INSTANCES_MAX).collect()
}

fn node_of(state: &State, name: &str) -> Option<(Name, Arc<NodeEntry>)> {
    let exact = (TENANT, Arc::from(name));
    if let Some(node) = state.nodes.get(&exact) {
        return Some((exact, node));
    }
    let mut all = state.nodes.range(..);
    let found = all.find(|((_, found), _)| found.eq_ignore_ascii_case(name))?;
    Some((found.0.clone(), Arc::clone(found.1)))
}

/// The record of an address, or of a host name in its place.
fn address_data(address: &str) -> Data {
    match address.parse() {
        Ok(IpAddr::V4(address)) => Data::A(address),
        Ok(IpAddr::V6(address)) => Data::Aaaa(address),
        Err(_) => Data::Cname(address.trim_end_matches('.').to_owned()),
    }
}

/// Those of the asked type; another name for the same stands for any address.
fn records(wanted: u16, all: &[Data]) -> Found {
    let is_wanted = |data: &&Data| match data {
        _ if wanted == kind::ANY => true,
        Data::Cname(_) => matches!(wanted, kind::A | kind::AAAA | kind::CNAME),
        data => data.kind() == wanted,
    };
    Found::Records { answers: all.iter().filter(is_wanted).cloned().collect(), additional: Vec::new() }
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
    use coreto_catalog::command::{RegisterInstance, RegisterNode};
    use coreto_catalog::{Catalog, Check, Command, Env, Instance, Node, Pair, Weights};
    use coreto_machine::{Caller, Head, Machine, Output, Tables, Timestamp, Txn};

    use super::*;

    fn zone() -> Zone {
        Zone { domain: vec!["consul".to_owned()], datacenter: "dc1".into() }
    }

    fn labels(name: &str) -> Vec<String> {
        name.split('.').map(str::to_owned).collect()
    }

    fn subject(name: &str) -> Option<Subject> {
        zone().subject(&labels(name))
    }

    /// Two nodes; `web` on both, one with an address of its own, one of them critical; `far` behind a host name.
    fn state() -> State {
        let mut state = State::create(coreto_machine::Place { number: 1, count: 1 });
        let node = |name: &str, address: &str| {
            let meta = vec![Pair { name: "rack".into(), value: "7".into() }];
            let node = Node { address: address.into(), meta, ..Node::default() };
            Command::RegisterNode(RegisterNode { name: name.into(), node, ..RegisterNode::default() })
        };
        let instance = |node: &str, service: &str, id: &str, address: &str, status: Status| {
            let instance = Instance {
                id: id.into(),
                service: service.into(),
                address: address.into(),
                port: 80,
                tags: vec!["Blue".into()],
                weights: Weights { passing: 10, warning: 1 },
                ..Instance::default()
            };
            let checks = vec![Check { id: format!("c-{id}").into(), status, ..Check::default() }];
            let register =
                RegisterInstance { node: node.into(), instance, checks, ..RegisterInstance::default() };
            Command::RegisterInstance(register)
        };
        for command in [
            node("n1", "10.0.0.1"),
            node("n2", "fd00::2"),
            instance("n1", "web", "web-1", "", Status::Passing),
            instance("n2", "web", "web-2", "10.0.0.7", Status::Warning),
            instance("n2", "web", "web-3", "", Status::Critical),
            instance("n2", "six", "six-1", "", Status::Passing),
            instance("n1", "far", "far-1", "db.example.org", Status::Passing),
            instance("n1", "ill", "ill-1", "", Status::Critical),
        ] {
            let head = Head {
                now: Timestamp::default(),
                seed: 0,
                caller: Caller::internal(),
                operation_reference: None,
                token: None,
            };
            let (mut env, mut out) = (Env::default(), Output::default());
            let mut txn = Txn::new(&mut state, &mut env, &mut out);
            Catalog::handle(&mut txn, &head, &command).unwrap();
        }
        state
    }

    #[test]
    fn names_have_records() {
        let state = state();
        let find = |name: &str, wanted| zone().find(&state, &labels(name), wanted);
        let of = |answers: &[Data]| Found::Records { answers: answers.to_vec(), additional: Vec::new() };
        let (one, seven) = (Data::A([10, 0, 0, 1].into()), Data::A([10, 0, 0, 7].into()));
        assert_eq!(find("WEB.Service.Consul", kind::A), of(&[one.clone(), seven.clone()]));
        assert_eq!(find("blue.web.service.dc1.consul", kind::A), of(&[one.clone(), seven.clone()]));
        assert_eq!(find("red.web.service.consul", kind::A), Found::Nobody);
        assert_eq!(
            find("web.service.consul", kind::AAAA),
            of(&[]),
            "there is such a name, and no such record"
        );
        assert_eq!(find("six.service.consul", kind::AAAA), of(&[Data::Aaaa("fd00::2".parse().unwrap())]));
        assert_eq!(find("far.service.consul", kind::A), of(&[Data::Cname("db.example.org".to_owned())]));
        let nobody = ["ill.service.consul", "no.service.consul", "n3.node.consul", "web.service.dc2.consul"];
        for name in nobody {
            assert_eq!(find(name, kind::A), Found::Nobody, "{name}");
        }
        assert_eq!(find("web.service.example", kind::A), Found::Foreign);
        assert_eq!(find("consul", kind::SOA), of(&[]));
        assert_eq!(find("n1.node.consul", kind::A), of(std::slice::from_ref(&one)));
        assert_eq!(find("N1.node.dc1.consul", kind::TXT), of(&[Data::Txt("rack=7".to_owned())]));
        assert_eq!(find("0a000007.addr.dc1.consul", kind::A), of(std::slice::from_ref(&seven)));

        let srv = |weight, target: &str| Data::Srv { weight, port: 80, target: target.to_owned() };
        assert_eq!(
            find("_web._tcp.service.consul", kind::SRV),
            Found::Records {
                answers: vec![srv(10, "n1.node.dc1.consul"), srv(1, "0a000007.addr.dc1.consul")],
                additional: vec![
                    ("n1.node.dc1.consul".to_owned(), one),
                    ("0a000007.addr.dc1.consul".to_owned(), seven),
                ],
            }
        );
        assert_eq!(find("far.service.consul", kind::SRV), of(&[srv(10, "db.example.org")]));
    }

    #[test]
    fn names_have_many_forms() {
        let service = |name: &str, tag: Option<&str>| {
            Some(Subject::Service { name: name.to_owned(), tag: tag.map(str::to_owned) })
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
        assert_eq!(subject("n1.node.dc1"), Some(Subject::Node("n1".to_owned())));
        assert_eq!(subject("7f000001.addr.dc1"), Some(Subject::Address(Ipv4Addr::LOCALHOST.into())));
        assert_eq!(subject(&format!("{:032x}.addr", 1)), Some(Subject::Address(Ipv6Addr::LOCALHOST.into())));
        for name in
            ["web", "web.service.dc2", "web.service.dc2.dc", "7f0001.addr", "zz000001.addr", "a.b.c.service"]
        {
            assert_eq!(subject(name), None, "{name}");
        }
    }
}
