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
    /// Any key.
    Entries(Tenant),
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
            Self::Entries(tenant) => all(7, tenant),
            Self::Sessions(tenant) => all(8, tenant),
            Self::NodeParts(tenant) => all(9, tenant),
        }
    }
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
        Event::EntryPut(event) => {
            on(Subject::Entry((event.tenant, event.key.clone())));
            on(Subject::Entries(event.tenant));
        }
        Event::EntryDeleted(event) => {
            on(Subject::Entry((event.tenant, event.key.clone())));
            on(Subject::Entries(event.tenant));
        }
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
