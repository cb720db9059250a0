//! What a name means, and its records.

mod instances;
mod subject;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use coreto_catalog::{Name, State};
use coreto_machine::Tenant;

pub(crate) use subject::Subject;

/// Types of records.
pub(crate) mod kind {
    pub(crate) const A: u16 = 1;
    pub(crate) const NS: u16 = 2;
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

/// A name of that owner.
fn named(name: &str) -> Name {
    (TENANT, name.into())
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    /// Another name for the same.
    Cname(String),
    /// Who knows the names below.
    Ns(String),
    /// Whose they are: this domain's.
    Soa(String),
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
            Self::Ns(_) => kind::NS,
            Self::Soa(_) => kind::SOA,
            Self::Srv { .. } => kind::SRV,
            Self::Txt(_) => kind::TXT,
        }
    }

    fn of_ip(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::A(address),
            IpAddr::V6(address) => Self::Aaaa(address),
        }
    }

    /// The record of an address, or of a host name in its place; nothing, when it is neither.
    fn of_address(address: &str) -> Option<Self> {
        match address.parse() {
            Ok(address) => Some(Self::of_ip(address)),
            Err(_) => is_name(address).then(|| Self::Cname(address.trim_end_matches('.').to_owned())),
        }
    }
}

/// A record, and the address of the name that it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) data: Data,
    pub(crate) beside: Option<Data>,
}

impl From<Data> for Answer {
    fn from(data: Data) -> Self {
        Self { data, beside: None }
    }
}

/// What there is for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// There is no such name, or nobody well behind it.
    Nobody,
    /// Records of the asked type, which may be none.
    Records(Vec<Answer>),
}

/// The part of the names in the world that is ours.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    /// The last labels of our names, in small letters.
    pub(crate) domain: Vec<String>,
    pub(crate) datacenter: Arc<str>,
    /// Where these names are served, when that is one address.
    pub(crate) address: Option<IpAddr>,
}

impl Zone {
    /// Our domain as text.
    pub(crate) fn name(&self) -> String {
        self.domain.join(".")
    }

    /// What a name asks about. None, when it is one of another domain.
    pub(crate) fn subject(&self, labels: &[String]) -> Option<Subject> {
        let small: Vec<String> = labels.iter().map(|label| label.to_lowercase()).collect();
        let own = small.strip_suffix(&self.domain[..])?;
        Some(Subject::of(own, &self.datacenter))
    }

    /// When what is told of a subject changed last.
    pub(crate) fn index(state: &State, subject: &Subject) -> u64 {
        match subject {
            Subject::Service { name, .. } => state.service_index(&named(name)),
            Subject::Node(name) => {
                state.node_like(&named(name)).map_or(state.marks.get().nodes, |(_, entry)| entry.stamp.modify)
            }
            Subject::Nothing | Subject::Domain | Subject::Above | Subject::Server | Subject::Address(_) => 0,
        }
    }

    /// The records of a subject.
    pub(crate) fn find(&self, state: &State, subject: &Subject, wanted: u16) -> Found {
        match subject {
            Subject::Nothing => Found::Nobody,
            Subject::Above => Found::Records(Vec::new()),
            Subject::Domain => {
                let domain = self.name();
                records(wanted, [Data::Soa(domain.clone()), Data::Ns(format!("ns.{domain}"))])
            }
            Subject::Server => records(wanted, self.address.map(Data::of_ip)),
            Subject::Address(address) => records(wanted, [Data::of_ip(*address)]),
            Subject::Node(name) => Self::node(state, name, wanted),
            Subject::Service { name, tag } => self.service(state, name, tag.as_deref(), wanted),
        }
    }

    fn node(state: &State, name: &str, wanted: u16) -> Found {
        let Some((_, entry)) = state.node_like(&named(name)) else {
            return if state.has_nodes_below(&named(name)) {
                Found::Records(Vec::new())
            } else {
                Found::Nobody
            };
        };
        let meta = entry.node.meta.iter().map(|pair| {
            // What is meant for this record alone (RFC 1464 would have it with its name).
            let is_whole = pair.name.starts_with("rfc1035-");
            Data::Txt(if is_whole { pair.value.to_string() } else { format!("{}={}", pair.name, pair.value) })
        });
        records(wanted, Data::of_address(&entry.node.address).into_iter().chain(meta))
    }
}

/// Those of the asked type; another name for the same stands for any address.
fn records(wanted: u16, all: impl IntoIterator<Item = Data>) -> Found {
    let is_wanted = |data: &Data| match data {
        _ if wanted == kind::ANY => true,
        Data::Cname(_) => matches!(wanted, kind::A | kind::AAAA | kind::CNAME),
        data => data.kind() == wanted,
    };
    Found::Records(all.into_iter().filter(is_wanted).map(Answer::from).collect())
}

/// Bytes of a label, and of a name with its dots.
const LABEL_BYTES_MAX: usize = 63;
const NAME_BYTES_MAX: usize = 253;

/// Whether a text can be told as a name, whole.
fn is_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    text.len() <= NAME_BYTES_MAX && text.split('.').all(|label| (1..=LABEL_BYTES_MAX).contains(&label.len()))
}

#[cfg(test)]
pub(crate) mod tests {
    use coreto_catalog::command::{RegisterInstance, RegisterNode};
    use coreto_catalog::event::{Event, InstanceRegistered};
    use coreto_catalog::{Catalog, Check, Command, Env, Instance, Node, Pair, Status, Weights};
    use coreto_machine::{Caller, Head, Machine, Output, Tables, Timestamp, Txn};

    use super::*;

    pub(crate) fn zone() -> Zone {
        let address = Some(Ipv4Addr::LOCALHOST.into());
        Zone { domain: vec!["consul".to_owned()], datacenter: "dc1".into(), address }
    }

    /// Some nodes; `web` on two, one with an address of its own, one of them critical; `far` behind host names, `mixed`
    /// behind one and an address; names that are too long or have capitals and dots; `many` that do not fit.
    pub(crate) fn state() -> State {
        let long = "x".repeat(100);
        let mut state = State::create(coreto_machine::Place { number: 1, count: 1 });
        let node = |name: &str, address: &str| {
            let pair = |name: &str, value: &str| Pair { name: name.into(), value: value.into() };
            let meta = vec![pair("rack", "7"), pair("rfc1035-x", "raw")];
            let node = Node { address: address.into(), meta, ..Node::default() };
            Command::RegisterNode(RegisterNode { name: name.into(), node, ..RegisterNode::default() })
        };
        let instance = |node: &str, service: &str, id: &str, address: &str, status: Status| {
            let instance = Instance {
                id: id.into(),
                service: service.into(),
                address: address.into(),
                port: 80,
                tags: vec!["Blue".into(), "v1.2".into()],
                weights: Weights { passing: 10, warning: 1 },
                ..Instance::default()
            };
            let checks = vec![Check { id: format!("c-{id}").into(), status, ..Check::default() }];
            let register =
                RegisterInstance { node: node.into(), instance, checks, ..RegisterInstance::default() };
            Command::RegisterInstance(register)
        };
        let many = (0..40).map(|number| {
            instance("n1", "many", &format!("many-{number}"), &format!("10.1.0.{number}"), Status::Passing)
        });
        for command in [
            node("n1", "10.0.0.1"),
            node("n2", "fd00::2"),
            node("Host.Example", "10.0.0.3"),
            node(&long, "10.0.0.4"),
            instance("n1", "web", "web-1", "", Status::Passing),
            instance("n2", "web", "web-2", "10.0.0.7", Status::Warning),
            instance("n2", "web", "web-3", "", Status::Critical),
            instance("n2", "six", "six-1", "", Status::Passing),
            instance("n1", "far", "far-1", "db.example.org", Status::Passing),
            instance("n1", "far", "far-2", "db.example.net", Status::Passing),
            instance("n1", "mixed", "mixed-1", "db.example.org", Status::Passing),
            instance("n2", "mixed", "mixed-2", "10.0.0.7", Status::Passing),
            instance("Host.Example", "Orders", "o-1", "", Status::Passing),
            instance(&long, "orders", "o-2", "", Status::Passing),
            instance("n1", "ill", "ill-1", "", Status::Critical),
        ]
        .into_iter()
        .chain(many)
        {
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
        let odd = odd(state.index(), &format!("{long}.org"));
        Catalog::apply(&mut state, &odd);
        state
    }

    /// An instance whose address the catalog does not take; what was written before may have such ones.
    fn odd(index: u64, address: &str) -> Event {
        let (id, service) = ("odd-1".into(), "odd".into());
        let instance = Instance { id, service, address: address.into(), port: 80, ..Instance::default() };
        let registered =
            InstanceRegistered { index, node: "n1".into(), instance, ..InstanceRegistered::default() };
        Event::InstanceRegistered(registered)
    }

    fn find(name: &str, wanted: u16) -> Found {
        let labels: Vec<String> = name.split('.').map(str::to_owned).collect();
        zone().find(&state(), &zone().subject(&labels).unwrap(), wanted)
    }

    fn of(answers: &[Data]) -> Found {
        Found::Records(answers.iter().cloned().map(Answer::from).collect())
    }

    #[test]
    fn names_have_records() {
        let four = |last: u8| Data::A([10, 0, 0, last].into());
        let six = || Data::Aaaa("fd00::2".parse().unwrap());
        let text = |text: &str| Data::Txt(text.to_owned());
        for (name, wanted, told) in [
            ("WEB.Service.Consul", kind::A, &[four(1), four(7)][..]),
            ("blue.web.service.dc1.consul", kind::A, &[four(1), four(7)]),
            ("V1.2.web.service.consul", kind::A, &[four(1), four(7)]),
            ("2.web.service.consul", kind::A, &[]),
            ("web.service.consul", kind::AAAA, &[]),
            ("web.service.consul", kind::ANY, &[four(1), four(7)]),
            ("six.service.consul", kind::AAAA, &[six()]),
            ("far.service.consul", kind::A, &[Data::Cname("db.example.org".to_owned())]),
            ("mixed.service.consul", kind::A, &[four(7)]),
            ("odd.service.consul", kind::A, &[]),
            ("odd.service.consul", kind::SRV, &[]),
            ("ORDERS.service.consul", kind::A, &[four(3), four(4)]),
            ("consul", kind::SOA, &[Data::Soa("consul".to_owned())]),
            ("consul", kind::NS, &[Data::Ns("ns.consul".to_owned())]),
            ("ns.consul", kind::A, &[Data::A(Ipv4Addr::LOCALHOST)]),
            ("service.consul", kind::A, &[]),
            ("example.node.consul", kind::A, &[]),
            ("host.example.node.consul", kind::A, &[four(3)]),
            ("n1.node.consul", kind::A, &[four(1)]),
            ("N1.node.dc1.consul", kind::TXT, &[text("rack=7"), text("raw")]),
            ("0a000007.addr.dc1.consul", kind::A, &[four(7)]),
        ] {
            assert_eq!(find(name, wanted), of(told), "{name} {wanted}");
        }
        for name in [
            "ill.service.consul",
            "no.service.consul",
            "red.web.service.consul",
            "n3.node.consul",
            "xample.node.consul",
            "web.service.dc2.consul",
        ] {
            assert_eq!(find(name, kind::A), Found::Nobody, "{name}");
        }
        assert_eq!(zone().subject(&["web".to_owned(), "example".to_owned()]), None);
    }

    #[test]
    fn services_lead_to_names_that_have_addresses() {
        let srv = |weight, target: &str| Data::Srv { weight, port: 80, target: target.to_owned() };
        let four = |last: u8| Some(Data::A([10, 0, 0, last].into()));
        for (name, told) in [
            (
                "_web._tcp.service.consul",
                [(srv(10, "n1.node.dc1.consul"), four(1)), (srv(1, "0a000007.addr.dc1.consul"), four(7))],
            ),
            ("far.service.consul", [(srv(10, "db.example.org"), None), (srv(10, "db.example.net"), None)]),
            (
                "orders.service.consul",
                [
                    (srv(10, "Host.Example.node.dc1.consul"), four(3)),
                    (srv(10, "0a000004.addr.dc1.consul"), four(4)),
                ],
            ),
        ] {
            let told = told.into_iter().map(|(data, beside)| Answer { data, beside }).collect();
            assert_eq!(find(name, kind::SRV), Found::Records(told), "{name}");
        }
        let target = find("orders.service.consul", kind::SRV);
        let Found::Records(answers) = target else { unreachable!("it has records") };
        let Data::Srv { target, .. } = &answers[0].data else { unreachable!("it is a service") };
        assert_eq!(find(target, kind::A), of(&[Data::A([10, 0, 0, 3].into())]), "and it is found");
    }
}
