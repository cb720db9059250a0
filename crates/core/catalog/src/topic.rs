//! What watchers wait for.

use coreto_machine::{Tenant, Topic};

use crate::event::Event;
use crate::state::{Name, folded};

/// Something that a watcher waits for. Names are hashed: two that collide wake each other's watchers for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Instances of a service and their checks, whatever the case of its name.
    Service(Name),
    /// What is on a node.
    Node(Name),
    /// Which services there are, and their tags.
    Services(Tenant),
    /// Which nodes there are, and what they are.
    Nodes(Tenant),
    /// Any check.
    Checks(Tenant),
    /// A key.
    Entry(Name),
    /// Keys that begin with a text.
    Below(Name),
    /// Any session.
    Sessions(Tenant),
    /// What every instance on some node feels: its own checks, its address.
    NodeParts(Tenant),
}

impl Subject {
    /// The topic of it.
    pub fn topic(&self) -> Topic {
        let all = |kind, tenant: &Tenant| Topic { kind, key: u64::from(tenant.raw()) };
        match self {
            Self::Service((tenant, name)) => Topic { kind: 1, key: hash(&(*tenant, folded(name))) },
            Self::Node(name) => Topic { kind: 2, key: hash(name) },
            Self::Services(tenant) => all(3, tenant),
            Self::Nodes(tenant) => all(4, tenant),
            Self::Checks(tenant) => all(5, tenant),
            Self::Entry(name) => Topic { kind: 6, key: hash(name) },
            Self::Below((tenant, text)) => {
                let folder = folders(text).last().unwrap_or_default();
                Topic { kind: 7, key: hash(&(*tenant, folder.into())) }
            }
            Self::Sessions(tenant) => all(8, tenant),
            Self::NodeParts(tenant) => all(9, tenant),
        }
    }
}

/// Slashes of a key by which those are told apart who wait for keys below.
const FOLDERS_MAX: usize = 16;

/// What stands before each of the first slashes of a key, with them, beginning with nothing.
fn folders(key: &str) -> impl Iterator<Item = &str> {
    let slashes = key.match_indices('/').take(FOLDERS_MAX);
    std::iter::once("").chain(slashes.map(|(at, _)| &key[..=at]))
}

/// FNV-1a over owner and name.
fn hash((tenant, name): &Name) -> u64 {
    let bytes = tenant.raw().to_le_bytes().into_iter().chain(name.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

pub(crate) fn touched(event: &Event, wake: &mut dyn FnMut(Topic)) {
    let mut on = |subject: Subject| wake(subject.topic());
    match event {
        Event::NodeRegistered(event) => {
            on(Subject::Nodes(event.tenant));
            on(Subject::Node((event.tenant, event.name.clone())));
            on(Subject::NodeParts(event.tenant));
        }
        Event::NodeDeregistered(event) => {
            on(Subject::Nodes(event.tenant));
            on(Subject::Node((event.tenant, event.name.clone())));
        }
        Event::InstanceRegistered(event) => {
            on(Subject::Service((event.tenant, event.instance.service.clone())));
            on(Subject::Services(event.tenant));
            on(Subject::Node((event.tenant, event.node.clone())));
        }
        Event::InstanceDeregistered(event) => {
            on(Subject::Service((event.tenant, event.service.clone())));
            on(Subject::Services(event.tenant));
            on(Subject::Node((event.tenant, event.node.clone())));
        }
        Event::CheckRegistered(event) => check(event.tenant, &event.node, &event.service, &mut on),
        Event::CheckDeregistered(event) => check(event.tenant, &event.node, &event.service, &mut on),
        Event::CheckUpdated(event) => check(event.tenant, &event.node, &event.service, &mut on),
        Event::EntryPut(event) => entry(event.tenant, &event.key, &mut on),
        Event::EntryDeleted(event) => entry(event.tenant, &event.key, &mut on),
        Event::EntryReleased(event) => entry(event.tenant, &event.key, &mut on),
        Event::SessionCreated(event) => on(Subject::Sessions(event.tenant)),
        Event::SessionDestroyed(event) => on(Subject::Sessions(event.tenant)),
        Event::LockDelayed(_) | Event::LockDelayEnded(_) => (),
    }
}

fn check(
    tenant: Tenant,
    node: &std::sync::Arc<str>,
    service: &std::sync::Arc<str>,
    on: &mut impl FnMut(Subject),
) {
    on(Subject::Checks(tenant));
    on(Subject::Node((tenant, node.clone())));
    if service.is_empty() {
        on(Subject::NodeParts(tenant));
    } else {
        on(Subject::Service((tenant, service.clone())));
    }
}

fn entry(tenant: Tenant, key: &std::sync::Arc<str>, on: &mut impl FnMut(Subject)) {
    on(Subject::Entry((tenant, key.clone())));
    for folder in folders(key) {
        on(Subject::Below((tenant, folder.into())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EntryDeleted;

    #[test]
    fn a_key_wakes_those_who_wait_for_what_it_begins_with() {
        let deep = "x/".repeat(40);
        for (key, prefix, is_woken) in [
            ("config/web/limit", "", true),
            ("config/web/limit", "con", true),
            ("config/web/limit", "config/", true),
            ("config/web/limit", "config/we", true),
            ("config/web/limit", "config/web/", true),
            ("config/web/limit", "other/", false),
            ("config/web/limit", "config/db/", false),
            ("config", "config/", false),
            ("config/", "config/", true),
            (&deep, &deep[..70], true),
        ] {
            let event = EntryDeleted { key: key.into(), ..EntryDeleted::default() };
            let (waited, mut is_touched) = (Subject::Below((Tenant::DEFAULT, prefix.into())).topic(), false);
            touched(&Event::EntryDeleted(event), &mut |topic| is_touched |= topic == waited);
            assert_eq!(is_touched, is_woken, "{key} {prefix}");
        }
    }
}
