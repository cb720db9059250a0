//! Wishes.

use std::sync::Arc;

use coreto_machine::{Tenant, message, union};

use crate::model::{Check, Definition, Instance, Node, Pair, Session, Status, TaggedAddress};

union! {
    /// A wish.
    pub enum Command {
        /// Makes a node known, or changes it.
        1 => RegisterNode(RegisterNode),
        /// Forgets a node with all that is on it.
        2 => DeregisterNode(Named),
        /// Makes an instance known with its checks, or changes it.
        3 => RegisterInstance(RegisterInstance),
        /// Forgets an instance and its checks.
        4 => DeregisterInstance(OnNode),
        /// Adds a check, or changes it.
        5 => RegisterCheck(RegisterCheck),
        /// Forgets a check.
        6 => DeregisterCheck(OnNode),
        /// Tells how a check is.
        7 => UpdateCheck(UpdateCheck),
        /// Forgets the instance of a check that has been critical for too long.
        8 => Reap(Reap),
        /// Writes, takes or lets go of a key.
        9 => PutEntry(PutEntry),
        /// Removes a key.
        10 => DeleteEntry(DeleteEntry),
        /// Removes all keys that begin with a text.
        11 => DeleteEntries(DeleteEntries),
        /// Begins a session.
        12 => CreateSession(CreateSession),
        /// Ends a session; one that is not there is no error.
        13 => DestroySession(DestroySession),
        /// Does what is due.
        14 => Tick(()),
        /// Forgets what is left on a node that is going.
        15 => ClearNode(Named),
    }
}

message! {
    /// Something with a name.
    pub struct Named {
        /// The owner.
        1 => pub tenant: Tenant,
        /// The name.
        2 => pub name: Arc<str>,
    }
}

message! {
    /// Something with an identifier on a node.
    pub struct OnNode {
        /// The owner.
        1 => pub tenant: Tenant,
        /// The node.
        2 => pub node: Arc<str>,
        /// The identifier.
        3 => pub id: Arc<str>,
    }
}

message! {
    /// A node as it shall be known.
    pub struct RegisterNode {
        /// The owner.
        1 => pub tenant: Tenant,
        /// Its name.
        2 => pub name: Arc<str>,
        /// What it is.
        3 => pub node: Node,
    }
}

message! {
    /// An instance as it shall be known.
    pub struct RegisterInstance {
        /// The owner.
        1 => pub tenant: Tenant,
        /// Its node, which is known.
        2 => pub node: Arc<str>,
        /// What it is.
        3 => pub instance: Instance,
        /// Its checks. One that is known keeps its status.
        4 => pub checks: Vec<Check>,
        /// Checks of it that are not listed go.
        5 => pub replace_checks: bool,
    }
}

message! {
    /// A check as it shall be known.
    pub struct RegisterCheck {
        /// The owner.
        1 => pub tenant: Tenant,
        /// The node.
        2 => pub node: Arc<str>,
        /// What it is. One that is known keeps its status.
        3 => pub check: Check,
    }
}

message! {
    /// How a check is now.
    pub struct UpdateCheck {
        /// The owner.
        1 => pub tenant: Tenant,
        /// The node.
        2 => pub node: Arc<str>,
        /// The check.
        3 => pub id: Arc<str>,
        /// How it is.
        4 => pub status: Status,
        /// Why, for people.
        5 => pub output: Arc<str>,
    }
}

message! {
    /// A check that was seen to be critical for too long.
    pub struct Reap {
        /// The owner.
        1 => pub tenant: Tenant,
        /// The node.
        2 => pub node: Arc<str>,
        /// The check.
        3 => pub id: Arc<str>,
        /// Since when, as [`CheckEntry::turned`](crate::CheckEntry) has it: what has become well since then is left.
        4 => pub turned: u64,
    }
}

message! {
    /// A key and what it shall hold. At most one of `acquire` and `release` is set.
    pub struct PutEntry {
        /// The owner.
        1 => pub tenant: Tenant,
        /// The key.
        2 => pub key: Arc<str>,
        /// The value.
        3 => pub value: Arc<[u8]>,
        /// A number that clients give a meaning.
        4 => pub flags: u64,
        /// Only if the key was last changed then; 0 for only if it is not there.
        5 => pub cas: Option<u64>,
        /// The session that shall hold it.
        6 => pub acquire: Option<Arc<str>>,
        /// The session that shall no longer hold it.
        7 => pub release: Option<Arc<str>>,
    }
}

message! {
    /// A key that shall go.
    pub struct DeleteEntry {
        /// The owner.
        1 => pub tenant: Tenant,
        /// The key.
        2 => pub key: Arc<str>,
        /// Only if it was last changed then.
        3 => pub cas: Option<u64>,
    }
}

message! {
    /// Keys that shall go: up to [`Limits::deleted_at_once`](crate::Limits) together, more one after the other.
    pub struct DeleteEntries {
        /// The owner.
        1 => pub tenant: Tenant,
        /// How they begin.
        2 => pub prefix: Arc<str>,
        /// Only those that were last changed then or before; 0 for all.
        3 => pub until: u64,
    }
}

message! {
    /// A session that shall be.
    pub struct CreateSession {
        /// The owner.
        1 => pub tenant: Tenant,
        /// What it is.
        2 => pub session: Session,
    }
}

message! {
    /// A session that shall end.
    pub struct DestroySession {
        /// The owner.
        1 => pub tenant: Tenant,
        /// Which.
        2 => pub id: Arc<str>,
    }
}

impl Command {
    /// The numbers of what it is about and of the wish, as the log keeps them.
    pub const fn describe(&self) -> (u32, u32) {
        match self {
            Self::RegisterNode(_) => (1, 1),
            Self::DeregisterNode(_) => (1, 2),
            Self::ClearNode(_) => (1, 3),
            Self::RegisterInstance(_) => (2, 1),
            Self::DeregisterInstance(_) => (2, 2),
            Self::Reap(_) => (2, 3),
            Self::RegisterCheck(_) => (3, 1),
            Self::DeregisterCheck(_) => (3, 2),
            Self::UpdateCheck(_) => (3, 3),
            Self::PutEntry(_) => (4, 1),
            Self::DeleteEntry(_) => (4, 2),
            Self::DeleteEntries(_) => (4, 3),
            Self::CreateSession(_) => (5, 1),
            Self::DestroySession(_) => (5, 2),
            Self::Tick(()) => (6, 1),
        }
    }

    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        /// About what a command takes beside its texts.
        const PLAIN: usize = 256;
        PLAIN
            + match self {
                Self::PutEntry(put) => put.key.len() + put.value.len(),
                Self::RegisterInstance(register) => {
                    of_instance(&register.instance) + register.checks.iter().map(of_check).sum::<usize>()
                }
                Self::RegisterNode(register) => register.name.len() + of_node(&register.node),
                Self::RegisterCheck(register) => of_check(&register.check),
                Self::CreateSession(create) => of_texts(&create.session.checks) + create.session.name.len(),
                Self::UpdateCheck(update) => update.id.len() + update.output.len(),
                Self::DeregisterNode(named) | Self::ClearNode(named) => named.name.len(),
                Self::DeregisterInstance(place) | Self::DeregisterCheck(place) => place.id.len(),
                Self::Reap(reap) => reap.id.len(),
                Self::DeleteEntry(delete) => delete.key.len(),
                Self::DeleteEntries(delete) => delete.prefix.len(),
                Self::DestroySession(destroy) => destroy.id.len(),
                Self::Tick(()) => 0,
            }
    }

    /// The command with what is longer than so many bytes cut, for a record of its rejection.
    pub(crate) fn abridged(&self, bytes: usize) -> Self {
        if self.weight() <= bytes {
            return self.clone();
        }
        let cut = |text: &Arc<str>| Arc::from(&text[..text.floor_char_boundary(bytes)]);
        match self {
            Self::PutEntry(put) => Self::PutEntry(PutEntry {
                key: cut(&put.key),
                value: put.value[..put.value.len().min(bytes)].into(),
                ..put.clone()
            }),
            Self::UpdateCheck(update) => Self::UpdateCheck(UpdateCheck {
                id: cut(&update.id),
                output: cut(&update.output),
                ..update.clone()
            }),
            Self::RegisterNode(register) => {
                let node = Node { address: cut(&register.node.address), ..Node::default() };
                Self::RegisterNode(RegisterNode { name: cut(&register.name), node, ..*register })
            }
            Self::RegisterInstance(register) => {
                let (id, service) = (cut(&register.instance.id), cut(&register.instance.service));
                Self::RegisterInstance(RegisterInstance {
                    node: cut(&register.node),
                    instance: Instance { id, service, ..Instance::default() },
                    checks: Vec::new(),
                    ..*register
                })
            }
            Self::RegisterCheck(register) => {
                let (id, instance) = (cut(&register.check.id), cut(&register.check.instance));
                let check = Check { id, instance, ..Check::default() };
                Self::RegisterCheck(RegisterCheck { node: cut(&register.node), check, ..*register })
            }
            Self::CreateSession(create) => {
                let session = Session { node: cut(&create.session.node), ..Session::default() };
                Self::CreateSession(CreateSession { session, ..*create })
            }
            // What is left has names alone, which the door bounds.
            Self::DeregisterNode(_)
            | Self::ClearNode(_)
            | Self::DeregisterInstance(_)
            | Self::DeregisterCheck(_)
            | Self::Reap(_)
            | Self::DeleteEntry(_)
            | Self::DeleteEntries(_)
            | Self::DestroySession(_)
            | Self::Tick(()) => self.clone(),
        }
    }
}

/// What a part of a list takes beside its texts.
const PART: usize = 32;

fn of_texts(texts: &[Arc<str>]) -> usize {
    texts.iter().map(|text| PART + text.len()).sum()
}

fn of_pairs(pairs: &[Pair]) -> usize {
    pairs.iter().map(|pair| PART + pair.name.len() + pair.value.len()).sum()
}

fn of_tagged(tagged: &[TaggedAddress]) -> usize {
    tagged.iter().map(|tagged| PART + tagged.name.len() + tagged.address.len()).sum()
}

fn of_node(node: &Node) -> usize {
    node.id.len() + node.address.len() + of_tagged(&node.tagged) + of_pairs(&node.meta)
}

fn of_instance(instance: &Instance) -> usize {
    let Instance { id, service, address, tags, meta, tagged, zone, .. } = instance;
    let texts = [id, service, address, zone].map(|text| text.len()).iter().sum::<usize>();
    texts + of_texts(tags) + of_pairs(meta) + of_tagged(tagged)
}

fn of_check(check: &Check) -> usize {
    /// About what a check takes beside its texts.
    const PLAIN: usize = 256;
    let Definition { target, method, headers, body, tls_server_name, .. } = &check.definition;
    let texts = [&check.id, &check.name, &check.notes, &check.output, target, method, body, tls_server_name];
    PLAIN + texts.map(|text| text.len()).iter().sum::<usize>() + of_pairs(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_weighs_and_is_cut_in_the_record_of_a_rejection() {
        let long: Arc<str> = "é".repeat(50_000).into();
        let (id, output, key) = (Arc::clone(&long), Arc::clone(&long), Arc::clone(&long));
        let check = Check { output: Arc::clone(&long), ..Check::default() };
        let meta = vec![Pair { name: "a".into(), value: Arc::clone(&long) }];
        let node = Node { meta: meta.clone(), ..Node::default() };
        let instance = Instance { meta, ..Instance::default() };
        let session = Session { checks: vec![Arc::clone(&long)], ..Session::default() };
        for command in [
            Command::UpdateCheck(UpdateCheck { id, output, ..UpdateCheck::default() }),
            Command::PutEntry(PutEntry { key, value: long.as_bytes().into(), ..PutEntry::default() }),
            Command::RegisterNode(RegisterNode { node, ..RegisterNode::default() }),
            Command::RegisterInstance(RegisterInstance { instance, ..RegisterInstance::default() }),
            Command::RegisterCheck(RegisterCheck { check, ..RegisterCheck::default() }),
            Command::CreateSession(CreateSession { session, ..CreateSession::default() }),
        ] {
            assert!(command.weight() >= 100_000, "{:?}", command.describe());
            assert!(command.abridged(8191).weight() <= 3 * 8192, "{:?}", command.describe());
            assert_eq!(command.abridged(1 << 20), command);
        }
    }
}
