//! What the catalog remembers.

use std::sync::Arc;

use coreto_machine::{Cell, Index, Table, Tables, Tenant, Timestamp, message};

use crate::model::{Check, Instance, Node, Session, Stamp};

/// Something with a name, and its owner.
pub type Name = (Tenant, Arc<str>);

/// Something with an identifier on a node: the owner, the node, the identifier.
pub type Place = (Tenant, Arc<str>, Arc<str>);

/// A name as it is compared where case means nothing, in small letters.
pub fn folded(name: &Arc<str>) -> Arc<str> {
    let is_small = name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_small { Arc::clone(name) } else { name.to_lowercase().into() }
}

/// The labels of a name from the right, in small letters: all names below another one begin as it does.
pub(crate) fn labels_of(name: &str) -> Arc<str> {
    let labels: Vec<&str> = name.rsplit('.').collect();
    folded(&labels.join(".").into())
}

message! {
    /// A node.
    pub struct NodeEntry {
        /// What it is.
        1 => pub node: Node,
        /// When it came and changed itself.
        2 => pub stamp: Stamp,
        /// When anything on it changed last.
        3 => pub index: u64,
        /// When one of its own checks changed last, which every instance on it feels.
        4 => pub checks: u64,
    }
}

message! {
    /// An instance.
    pub struct InstanceEntry {
        /// What it is.
        1 => pub instance: Instance,
        /// When it came and changed.
        2 => pub stamp: Stamp,
    }
}

message! {
    /// A check.
    pub struct CheckEntry {
        /// What it is.
        1 => pub check: Check,
        /// The service of its instance; empty when it is of the node.
        2 => pub service: Arc<str>,
        /// When it came and changed.
        3 => pub stamp: Stamp,
        /// The number at which it got its status.
        4 => pub turned: u64,
        /// The time at which it got its status.
        5 => pub since: Timestamp,
    }
}

message! {
    /// A service that has instances.
    pub struct Service {
        /// How many.
        1 => pub instances: u64,
        /// When one of them, or one of their checks, changed last.
        2 => pub index: u64,
    }
}

message! {
    /// A key.
    pub struct Entry {
        /// Its value.
        1 => pub value: Arc<[u8]>,
        /// A number that clients give a meaning.
        2 => pub flags: u64,
        /// Who holds it; empty for nobody.
        3 => pub session: Arc<str>,
        /// How often it was taken.
        4 => pub lock_index: u64,
        /// When it came and changed.
        5 => pub stamp: Stamp,
    }
}

message! {
    /// A session.
    pub struct SessionEntry {
        /// What it is.
        1 => pub session: Session,
        /// When it came.
        2 => pub stamp: Stamp,
    }
}

message! {
    /// Until when a key may not be taken.
    pub struct LockDelay {
        /// The time.
        1 => pub until: Timestamp,
    }
}

message! {
    /// When things changed last of which there are many, so that who waits for any of them knows.
    pub struct Marks {
        /// The list of nodes.
        1 => pub nodes: u64,
        /// The list of services, with their tags.
        2 => pub services: u64,
        /// A service lost its last instance.
        3 => pub service_gone: u64,
        /// A node went.
        4 => pub node_gone: u64,
        /// Any check.
        5 => pub checks: u64,
        /// A key went.
        6 => pub entry_gone: u64,
        /// Any session.
        7 => pub sessions: u64,
    }
}

coreto_machine::tables! {
    /// All that the catalog remembers.
    pub struct State {
        /// Nodes by name.
        1 => pub nodes: Table<Name, NodeEntry>,
        /// Instances by node and identifier.
        2 => pub instances: Table<Place, InstanceEntry>,
        /// Checks by node and identifier.
        3 => pub checks: Table<Place, CheckEntry>,
        /// Services that have instances, by name in small letters.
        4 => pub services: Table<Name, Service>,
        /// Keys.
        5 => pub entries: Table<Name, Entry>,
        /// Sessions by identifier.
        6 => pub sessions: Table<Name, SessionEntry>,
        /// Keys that may not be taken for a while.
        7 => pub lock_delays: Table<Name, LockDelay>,
        /// When anything of a kind changed last.
        8 => pub marks: Cell<Marks>,
        /// Instances by service: its name in small letters, then node and identifier.
        9 => pub by_service: Index<(Name, (Arc<str>, Arc<str>))>,
        /// Checks by instance, whose identifier is empty for those of a node.
        10 => pub by_instance: Index<(Place, Arc<str>)>,
        /// Keys by the session that holds them.
        11 => pub held: Index<(Name, Arc<str>)>,
        /// Sessions by a check that ends them.
        12 => pub depending: Index<(Place, Arc<str>)>,
        /// Keys by the time at which they may be taken again.
        13 => pub due: Index<(Timestamp, Name)>,
        /// Nodes by the labels of their names from the right, in small letters.
        14 => pub by_labels: Index<(Name, Arc<str>)>,
    }
}

impl State {
    fn rebuild(&mut self) {
        for ((tenant, node, id), entry) in self.instances.range(..) {
            let service = (*tenant, folded(&entry.instance.service));
            self.by_service.insert((service, (Arc::clone(node), Arc::clone(id))));
        }
        for ((tenant, name), _) in self.nodes.range(..) {
            self.by_labels.insert(((*tenant, labels_of(name)), Arc::clone(name)));
        }
        for ((tenant, node, id), entry) in self.checks.range(..) {
            let of = (*tenant, Arc::clone(node), Arc::clone(&entry.check.instance));
            self.by_instance.insert((of, Arc::clone(id)));
        }
        for ((tenant, key), entry) in self.entries.range(..) {
            if !entry.session.is_empty() {
                self.held.insert(((*tenant, Arc::clone(&entry.session)), Arc::clone(key)));
            }
        }
        for ((tenant, id), entry) in self.sessions.range(..) {
            for check in &entry.session.checks {
                let check = (*tenant, Arc::clone(&entry.session.node), Arc::clone(check));
                self.depending.insert((check, Arc::clone(id)));
            }
        }
        for (name, delay) in self.lock_delays.range(..) {
            self.due.insert((delay.until, name.clone()));
        }
    }

    /// Places of the instances of a service, whose name is compared without regard to case, in order of node and
    /// identifier.
    pub fn instances_of<'a>(&'a self, service: &Name) -> impl Iterator<Item = Place> + use<'a> {
        let tenant = service.0;
        let of = (tenant, folded(&service.1));
        let start = (of.clone(), (Arc::from(""), Arc::from("")));
        self.by_service
            .scan(&start, move |(service, _)| *service == of)
            .map(move |(_, (node, id))| (tenant, Arc::clone(node), Arc::clone(id)))
    }

    /// Checks of an instance; of a node, when the identifier is empty.
    pub fn checks_of<'a>(
        &'a self,
        instance: &Place,
    ) -> impl Iterator<Item = (Place, &'a Arc<CheckEntry>)> + use<'a> {
        let of = instance.clone();
        let (tenant, node) = (instance.0, Arc::clone(&instance.1));
        let start = (instance.clone(), Arc::from(""));
        self.by_instance.scan(&start, move |(instance, _)| *instance == of).filter_map(move |(_, id)| {
            let place = (tenant, Arc::clone(&node), Arc::clone(id));
            self.checks.peek(&place).map(|check| (place, check))
        })
    }

    /// Instances on a node.
    pub fn instances_on<'a>(
        &'a self,
        node: &Name,
    ) -> impl Iterator<Item = (&'a Place, &'a Arc<InstanceEntry>)> + use<'a> {
        on(&self.instances, node)
    }

    /// Checks on a node, of itself and of its instances.
    pub fn checks_on<'a>(
        &'a self,
        node: &Name,
    ) -> impl Iterator<Item = (&'a Place, &'a Arc<CheckEntry>)> + use<'a> {
        on(&self.checks, node)
    }

    /// A node by its name without regard to case: the one that is written like this, or the first of the others.
    pub fn node_like(&self, name: &Name) -> Option<(Name, Arc<NodeEntry>)> {
        let of = (name.0, labels_of(&name.1));
        let mut alike = self.by_labels.scan(&(of.clone(), Arc::from("")), |(found, _)| *found == of);
        let exact = self.nodes.contains(name).then(|| name.clone());
        let name = exact.or_else(|| alike.next().map(|(_, found)| (name.0, Arc::clone(found))))?;
        self.nodes.get(&name).map(|entry| (name, entry))
    }

    /// Whether there is a node whose name ends with a dot and this one, without regard to case.
    pub fn has_nodes_below(&self, name: &Name) -> bool {
        let below: Arc<str> = format!("{}.", labels_of(&name.1)).into();
        let start = ((name.0, Arc::clone(&below)), Arc::from(""));
        self.by_labels
            .scan(&start, |((tenant, found), _)| *tenant == name.0 && found.starts_with(&*below))
            .next()
            .is_some()
    }

    /// Keys that begin with a text, in order.
    pub fn entries_below<'a>(
        &'a self,
        prefix: &Name,
    ) -> impl Iterator<Item = (&'a Name, &'a Arc<Entry>)> + use<'a> {
        let (tenant, text) = prefix.clone();
        self.entries.scan(prefix, move |(owner, key)| *owner == tenant && key.starts_with(&*text))
    }

    /// The number at which a service changed last, for somebody who waits for the next change. It only grows, also
    /// over a time in which there is no such service.
    pub fn service_index(&self, service: &Name) -> u64 {
        let Some(found) = self.services.peek(&(service.0, folded(&service.1))) else {
            return self.marks.get().service_gone;
        };
        let nodes = self.instances_of(service).filter_map(|(tenant, node, _)| {
            self.nodes.peek(&(tenant, node)).map(|node| node.checks.max(node.stamp.modify))
        });
        nodes.fold(found.index, u64::max)
    }

    /// The number at which anything on a node changed last.
    pub fn node_index(&self, node: &Name) -> u64 {
        self.nodes.peek(node).map_or(self.marks.get().node_gone, |node| node.index)
    }

    /// The number at which a key changed last.
    pub fn entry_index(&self, key: &Name) -> u64 {
        self.entries.peek(key).map_or(self.marks.get().entry_gone, |entry| entry.stamp.modify)
    }

    /// The last number that was counted.
    pub fn index(&self) -> u64 {
        self.counter()
    }
}

/// Entries of a table that are on a node.
fn on<'a, V: coreto_machine::Codec + Send + Sync + 'static>(
    table: &'a Table<Place, V>,
    node: &Name,
) -> impl Iterator<Item = (&'a Place, &'a Arc<V>)> + use<'a, V> {
    let (tenant, name) = node.clone();
    let start = (tenant, Arc::clone(&name), Arc::from(""));
    table.scan(&start, move |(owner, node, _)| *owner == tenant && *node == name)
}
