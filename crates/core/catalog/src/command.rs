//! Wishes.

use std::sync::Arc;

use coreto_machine::{Tenant, message, union};

use crate::model::{Check, Instance, Node, Session, Status};

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
        const PLAIN: usize = 256;
        /// About what a check, a tag or a pair takes.
        const PART: usize = 512;
        match self {
            Self::PutEntry(put) => PLAIN + put.key.len() + put.value.len(),
            Self::RegisterInstance(register) => {
                let Instance { tags, meta, tagged, .. } = &register.instance;
                PLAIN + PART * (1 + register.checks.len()) + 64 * (tags.len() + meta.len() + tagged.len())
            }
            Self::UpdateCheck(update) => PLAIN + update.output.len(),
            Self::RegisterNode(_) | Self::RegisterCheck(_) | Self::CreateSession(_) => PLAIN + PART,
            Self::DeregisterNode(_)
            | Self::ClearNode(_)
            | Self::DeregisterInstance(_)
            | Self::DeregisterCheck(_)
            | Self::Reap(_)
            | Self::DeleteEntry(_)
            | Self::DeleteEntries(_)
            | Self::DestroySession(_)
            | Self::Tick(()) => PLAIN,
        }
    }

    /// The command with its value cut at so many bytes, for a record of its rejection.
    pub(crate) fn abridged(&self, bytes: usize) -> Self {
        match self {
            Self::PutEntry(put) if put.value.len() > bytes => {
                Self::PutEntry(PutEntry { value: put.value[..bytes].into(), ..put.clone() })
            }
            _ => self.clone(),
        }
    }
}
