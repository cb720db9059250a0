//! Things of the catalog as JSON.

use coreto_catalog::{
    Behavior, CheckEntry, CheckKind, Definition, Entry, Instance, InstanceEntry, NodeEntry, Pair, Place,
    SessionEntry, State, Status, TaggedAddress, Weights,
};
use serde_json::{Map, Value, json};

use crate::base64;
use crate::go;
use crate::read::without_user;

/// An instance with what belongs to it.
pub(crate) struct Row {
    pub(crate) place: Place,
    pub(crate) node: std::sync::Arc<NodeEntry>,
    pub(crate) entry: std::sync::Arc<InstanceEntry>,
    /// Checks of the node, then its own.
    pub(crate) checks: Vec<(Place, std::sync::Arc<CheckEntry>)>,
}

impl Row {
    /// The instance at a place, if it is there.
    pub(crate) fn of(state: &State, place: Place) -> Option<Self> {
        let node = state.nodes.get(&(place.0, place.1.clone()))?;
        let entry = state.instances.get(&place)?;
        let of_node: Place = (place.0, place.1.clone(), "".into());
        let checks = state.checks_of(&of_node).chain(state.checks_of(&place));
        let checks = checks.map(|(place, check)| (place, std::sync::Arc::clone(check))).collect();
        Some(Self { place, node, entry, checks })
    }

    /// Its worst check; what has none passes.
    pub(crate) fn status(&self) -> Status {
        self.checks.iter().map(|(_, entry)| entry.check.status).min().unwrap_or(Status::Passing)
    }

    /// Whether it has all of these tags, in any case of letters, as over DNS.
    pub(crate) fn is_tagged<'a>(&self, mut tags: impl Iterator<Item = &'a str>) -> bool {
        tags.all(|tag| self.entry.instance.tags.iter().any(|found| found.eq_ignore_ascii_case(tag)))
    }

    pub(crate) fn health(&self, datacenter: &str) -> Value {
        let checks: Vec<Value> = self.checks.iter().map(|(place, entry)| check(self, place, entry)).collect();
        json!({
            "Node": node(&self.place.1, &self.node, datacenter),
            "Service": service(&self.entry),
            "Checks": checks,
        })
    }

    pub(crate) fn flat(&self, datacenter: &str) -> Value {
        let (node, Instance { id, service, address, port, tags, meta, weights, tagged, .. }) =
            (&self.node.node, &self.entry.instance);
        json!({
            "ID": &*node.id,
            "Node": &*self.place.1,
            "Address": &*node.address,
            "Datacenter": datacenter,
            "TaggedAddresses": node_addresses(&node.tagged),
            "NodeMeta": pairs(&node.meta),
            "ServiceKind": "",
            "ServiceID": &**id,
            "ServiceName": &**service,
            "ServiceTags": texts(tags),
            "ServiceAddress": &**address,
            "ServicePort": port,
            "ServiceWeights": shares(weights),
            "ServiceMeta": service_meta(&self.entry.instance, meta),
            "ServiceTaggedAddresses": addresses(tagged),
            "ServiceEnableTagOverride": self.entry.instance.enable_tag_override,
            "ServiceProxy": {},
            "ServiceConnect": {},
            "CreateIndex": self.entry.stamp.create,
            "ModifyIndex": self.entry.stamp.modify,
        })
    }
}

pub(crate) fn node(name: &str, entry: &NodeEntry, datacenter: &str) -> Value {
    json!({
        "ID": &*entry.node.id,
        "Node": name,
        "Address": &*entry.node.address,
        "Datacenter": datacenter,
        "TaggedAddresses": node_addresses(&entry.node.tagged),
        "Meta": pairs(&entry.node.meta),
        "CreateIndex": entry.stamp.create,
        "ModifyIndex": entry.stamp.modify,
    })
}

/// An instance as the catalog shows it.
pub(crate) fn service(entry: &InstanceEntry) -> Value {
    let mut value = agent_service(&entry.instance);
    value["CreateIndex"] = entry.stamp.create.into();
    value["ModifyIndex"] = entry.stamp.modify.into();
    value
}

/// An instance as the agent shows it.
pub(crate) fn agent_service(instance: &Instance) -> Value {
    json!({
        "ID": &*instance.id,
        "Service": &*instance.service,
        "Tags": texts(&instance.tags),
        "Address": &*instance.address,
        "TaggedAddresses": addresses(&instance.tagged),
        "Meta": service_meta(instance, &instance.meta),
        "Port": instance.port,
        "Weights": shares(&instance.weights),
        "EnableTagOverride": instance.enable_tag_override,
        "Proxy": {},
        "Connect": {},
    })
}

fn check(row: &Row, place: &Place, entry: &CheckEntry) -> Value {
    let of_node = entry.check.instance.is_empty();
    check_of(place, entry, if of_node { &[] } else { &row.entry.instance.tags })
}

/// A check, with the tags of its instance.
pub(crate) fn check_of(place: &Place, entry: &CheckEntry, tags: &[std::sync::Arc<str>]) -> Value {
    let check = &entry.check;
    json!({
        "Node": &*place.1,
        "CheckID": &*check.id,
        "Name": &*check.name,
        "Status": check.status.name(),
        "Notes": &*check.notes,
        "Output": &*check.output,
        "ServiceID": &*check.instance,
        "ServiceName": &*entry.service,
        "ServiceTags": texts(tags),
        "Type": kind(check.definition.kind),
        "Definition": definition(&check.definition),
        "CreateIndex": entry.stamp.create,
        "ModifyIndex": entry.stamp.modify,
    })
}

/// A check with its instance, if it is of one.
pub(crate) struct CheckRow {
    place: Place,
    entry: std::sync::Arc<CheckEntry>,
    instance: Option<std::sync::Arc<InstanceEntry>>,
}

impl CheckRow {
    pub(crate) fn of(state: &State, (place, entry): (&Place, &std::sync::Arc<CheckEntry>)) -> Self {
        let instance = (place.0, place.1.clone(), entry.check.instance.clone());
        Self { place: place.clone(), entry: entry.clone(), instance: state.instances.get(&instance) }
    }

    pub(crate) fn told(&self) -> Value {
        let tags = self.instance.as_ref().map_or(&[][..], |found| &found.instance.tags);
        check_of(&self.place, &self.entry, tags)
    }
}

const fn kind(kind: CheckKind) -> &'static str {
    match kind {
        CheckKind::Told | CheckKind::Node => "",
        CheckKind::Ttl => "ttl",
        CheckKind::Http => "http",
        CheckKind::Tcp => "tcp",
        CheckKind::Grpc => "grpc",
        CheckKind::Stream => "stream",
        CheckKind::Maintenance => "maintenance",
    }
}

fn definition(definition: &Definition) -> Value {
    let mut map = Map::new();
    let key = match definition.kind {
        CheckKind::Http => "HTTP",
        CheckKind::Tcp => "TCP",
        CheckKind::Grpc => "GRPC",
        CheckKind::Told | CheckKind::Node | CheckKind::Ttl | CheckKind::Stream | CheckKind::Maintenance => "",
    };
    if !key.is_empty() {
        map.insert(key.to_owned(), without_user(&definition.target).into());
    }
    for (key, millis) in [
        ("Interval", definition.interval_ms),
        ("Timeout", definition.timeout_ms),
        ("TTL", definition.ttl_ms),
        ("DeregisterCriticalServiceAfter", definition.deregister_after_ms),
    ] {
        if millis > 0 {
            map.insert(key.to_owned(), go::written(millis).into());
        }
    }
    Value::Object(map)
}

pub(crate) fn entry(key: &str, entry: &Entry) -> Value {
    let value = if entry.value.is_empty() { Value::Null } else { base64::encode(&entry.value).into() };
    let mut told = json!({
        "LockIndex": entry.lock_index,
        "Key": key,
        "Flags": entry.flags,
        "Value": value,
        "CreateIndex": entry.stamp.create,
        "ModifyIndex": entry.stamp.modify,
    });
    if !entry.session.is_empty() {
        told["Session"] = (&*entry.session).into();
    }
    told
}

pub(crate) fn session(id: &str, entry: &SessionEntry) -> Value {
    let session = &entry.session;
    let ttl = if session.ttl_ms == 0 { String::new() } else { go::written(session.ttl_ms) };
    json!({
        "ID": id,
        "Name": &*session.name,
        "Node": &*session.node,
        "Checks": texts(&session.checks),
        "NodeChecks": texts(&session.checks),
        "ServiceChecks": Value::Null,
        "LockDelay": session.lock_delay_ms.saturating_mul(1_000_000),
        "Behavior": match session.behavior {
            Behavior::Release => "release",
            Behavior::Delete => "delete",
        },
        "TTL": ttl,
        "CreateIndex": entry.stamp.create,
        "ModifyIndex": entry.stamp.modify,
    })
}

pub(crate) fn texts(texts: &[std::sync::Arc<str>]) -> Value {
    texts.iter().map(|text| Value::from(&**text)).collect()
}

fn pairs(pairs: &[Pair]) -> Value {
    let pairs = pairs.iter().map(|pair| (pair.name.to_string(), Value::from(&*pair.value)));
    Value::Object(pairs.collect())
}

/// Metadata, with the zone among it.
fn service_meta(instance: &Instance, meta: &[Pair]) -> Value {
    let mut told = pairs(meta);
    if !instance.zone.is_empty() {
        told["zone"] = (&*instance.zone).into();
    }
    told
}

fn shares(weights: &Weights) -> Value {
    json!({ "Passing": weights.passing, "Warning": weights.warning })
}

fn addresses(tagged: &[TaggedAddress]) -> Value {
    let told = tagged
        .iter()
        .map(|tagged| (tagged.name.to_string(), json!({ "Address": &*tagged.address, "Port": tagged.port })));
    Value::Object(told.collect())
}

/// Those of nodes have no ports.
fn node_addresses(tagged: &[TaggedAddress]) -> Value {
    let told = tagged.iter().map(|tagged| (tagged.name.to_string(), Value::from(&*tagged.address)));
    Value::Object(told.collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use coreto_catalog::{Check, Node};
    use coreto_machine::Tenant;

    use super::*;

    /// An instance that has something of everything.
    pub(crate) fn row() -> Row {
        let pair = || vec![Pair { name: "env".into(), value: "prod".into() }];
        let tagged = || vec![TaggedAddress { name: "lan".into(), address: "10.0.0.1".into(), port: 80 }];
        let place: Place = (Tenant::DEFAULT, "n1".into(), "web-1".into());
        let node = Node { address: "10.0.0.1".into(), meta: pair(), tagged: tagged(), ..Node::default() };
        let (tags, zone) = (vec!["blue".into()], "a".into());
        let instance = Instance {
            id: "web-1".into(),
            service: "web".into(),
            tags,
            zone,
            meta: pair(),
            tagged: tagged(),
            ..Instance::default()
        };
        let check = |kind| {
            let definition = Definition {
                kind,
                target: "x".into(),
                interval_ms: 1,
                timeout_ms: 1,
                ttl_ms: 1,
                ..Definition::default()
            };
            let definition = Definition { deregister_after_ms: 1, ..definition };
            let check = Check { id: "web".into(), instance: "web-1".into(), definition, ..Check::default() };
            (place.clone(), std::sync::Arc::new(CheckEntry { check, ..CheckEntry::default() }))
        };
        Row {
            node: std::sync::Arc::new(NodeEntry { node, ..NodeEntry::default() }),
            entry: std::sync::Arc::new(InstanceEntry { instance, ..InstanceEntry::default() }),
            checks: [CheckKind::Http, CheckKind::Tcp, CheckKind::Grpc].map(check).into(),
            place,
        }
    }
}
