//! The records of services.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use coreto_catalog::{CheckEntry, InstanceEntry, Name, NodeEntry, Place, State, Status};

use super::{Answer, Data, Found, Zone, is_name, kind, named, records};
use crate::shuffle::shuffled;

/// Instances of which a name is answered. A packet has room for less; of more than these some are taken at random.
const INSTANCES_MAX: usize = 10_000;

impl Zone {
    pub(super) fn service(&self, state: &State, name: &str, tag: Option<&str>, wanted: u16) -> Found {
        let (rows, is_above) = rows(state, &named(name), tag);
        if rows.is_empty() {
            return if is_above { Found::Records(Vec::new()) } else { Found::Nobody };
        }
        if wanted != kind::SRV {
            return addresses(&rows, wanted);
        }
        let answer = |row: &Row| {
            let beside = Data::of_address(row.address())?;
            let target = self.target(row)?;
            let beside = (beside.kind() != kind::CNAME).then_some(beside);
            let (weight, port) = (row.weight(), row.entry.instance.port);
            Some(Answer { data: Data::Srv { weight, port, target }, beside })
        };
        Found::Records(rows.iter().filter_map(answer).collect())
    }

    /// The name under which the address of an instance is found; none, when no name of it can be told.
    fn target(&self, row: &Row) -> Option<String> {
        let below = |label: &str, what: &str| format!("{label}.{what}.{}.{}", self.datacenter, self.name());
        let own = &row.entry.instance.address;
        let of_node = below(&row.place.1, "node");
        if own.is_empty() && is_name(&of_node) {
            return Some(of_node);
        }
        match row.address().parse() {
            Ok(IpAddr::V4(address)) => Some(below(&format!("{:08x}", u32::from(address)), "addr")),
            Ok(IpAddr::V6(address)) => Some(below(&format!("{:032x}", u128::from(address)), "addr")),
            Err(_) => is_name(row.address()).then(|| row.address().to_owned()),
        }
    }
}

/// Each address once; another name only where there is no address, and then one, since nothing may stand beside it
/// (RFC 1034, section 3.6.2).
fn addresses(rows: &[Row], wanted: u16) -> Found {
    let mut seen = HashSet::new();
    let all = rows.iter().filter_map(|row| Data::of_address(row.address()));
    let (names, mut all): (Vec<Data>, Vec<Data>) =
        all.filter(|data| seen.insert(data.clone())).partition(|data| data.kind() == kind::CNAME);
    if all.is_empty() {
        all.extend(names.into_iter().next());
    }
    records(wanted, all)
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

/// Instances of a service that are not critical and have a tag; and whether there are any whose tag ends with a dot and
/// this one, so that there are names below it.
fn rows(state: &State, service: &Name, tag: Option<&str>) -> (Vec<Row>, bool) {
    let mut places: Vec<Place> = state.instances_of(service).collect();
    if places.len() > INSTANCES_MAX {
        let some = shuffled(places.len()).into_iter().take(INSTANCES_MAX);
        places = some.map(|number| places[number].clone()).collect();
    }
    let (mut rows, mut is_above) = (Vec::new(), false);
    for row in places.into_iter().filter_map(|place| row(state, place)) {
        let Some(tag) = tag else {
            rows.push(row);
            continue;
        };
        let tags = &row.entry.instance.tags;
        is_above |= tags.iter().any(|found| is_below(found, tag));
        if tags.iter().any(|found| found.eq_ignore_ascii_case(tag)) {
            rows.push(row);
        }
    }
    (rows, is_above)
}

fn row(state: &State, place: Place) -> Option<Row> {
    let node = state.nodes.get(&(place.0, Arc::clone(&place.1)))?;
    let entry = state.instances.get(&place)?;
    let of_node: Place = (place.0, Arc::clone(&place.1), "".into());
    let worst = |of: &Place| {
        let checks = state.checks_of(of).map(|(_, entry): (_, &Arc<CheckEntry>)| entry.check.status);
        checks.min().unwrap_or(Status::Passing)
    };
    let status = worst(&of_node).min(worst(&place));
    (status != Status::Critical).then_some(Row { place, entry, node, status })
}

/// Whether a name ends with a dot and another one.
fn is_below(name: &str, above: &str) -> bool {
    let rest = name.len().checked_sub(above.len()).filter(|rest| *rest > 1);
    rest.is_some_and(|rest| {
        name.as_bytes()[rest - 1] == b'.' && name.as_bytes()[rest..].eq_ignore_ascii_case(above.as_bytes())
    })
}
