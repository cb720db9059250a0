//! Facts. Each has the number at which it happened, which is what indexes of answers are made of.

use std::sync::Arc;

use coreto_machine::{Tenant, Timestamp, message, union};

use crate::model::{Check, Instance, Node, Session, Status};

union! {
    /// A fact.
    pub enum Event {
        /// A node is known, or has changed.
        1 => NodeRegistered(NodeRegistered),
        /// A node is known no more.
        2 => NodeDeregistered(NodeDeregistered),
        /// An instance is known, or has changed.
        3 => InstanceRegistered(InstanceRegistered),
        /// An instance is known no more.
        4 => InstanceDeregistered(InstanceDeregistered),
        /// A check is known, or has changed.
        5 => CheckRegistered(CheckRegistered),
        /// A check is known no more.
        6 => CheckDeregistered(CheckDeregistered),
        /// A check has another status, or another reason for it.
        7 => CheckUpdated(CheckUpdated),
        /// A key was written, taken or let go of.
        8 => EntryPut(EntryPut),
        /// A key was removed.
        9 => EntryDeleted(EntryDeleted),
        /// A session has begun.
        10 => SessionCreated(SessionCreated),
        /// A session has ended; it holds nothing any more.
        11 => SessionDestroyed(SessionDestroyed),
        /// A key may not be taken for a while.
        12 => LockDelayed(LockDelayed),
        /// A key may be taken again.
        13 => LockDelayEnded(LockDelayed),
        /// A key is held by nobody any more, since its session has ended; its value is as it was.
        14 => EntryReleased(EntryReleased),
    }
}

message! {
    /// A node as it is known now.
    pub struct NodeRegistered {
        /// The number of the fact.
        1 => pub index: u64,
        /// The owner.
        2 => pub tenant: Tenant,
        /// Its name.
        3 => pub name: Arc<str>,
        /// What it is.
        4 => pub node: Node,
    }
}

message! {
    /// A node that has gone, and nothing is on it.
    pub struct NodeDeregistered {
        /// The number of the fact.
        1 => pub index: u64,
        /// The owner.
        2 => pub tenant: Tenant,
        /// Its name.
        3 => pub name: Arc<str>,
    }
}

message! {
    /// An instance as it is known now.
    pub struct InstanceRegistered {
        /// The number of the fact.
        1 => pub index: u64,
        /// The owner.
        2 => pub tenant: Tenant,
        /// Its node.
        3 => pub node: Arc<str>,
        /// What it is.
        4 => pub instance: Instance,
    }
}

message! {
    /// An instance that has gone, and its checks before it.
    pub struct InstanceDeregistered {
        /// The number of the fact.
        1 => pub index: u64,
        /// The owner.
        2 => pub tenant: Tenant,
        /// Its node.
        3 => pub node: Arc<str>,
        /// Its identifier.
        4 => pub id: Arc<str>,
        /// Its service.
        5 => pub service: Arc<str>,
    }
}

message! {
    /// A check as it is known now.
    pub struct CheckRegistered {
        /// The number of the fact.
        1 => pub index: u64,
        /// The owner.
        2 => pub tenant: Tenant,
        /// Its node.
        3 => pub node: Arc<str>,
        /// The service of its instance; empty when it is of the node.
        4 => pub service: Arc<str>,
        /// What it is.
        5 => pub check: Check,
        /// When.
        6 => pub at: Timestamp,
    }
}

message! {
    /// A check that has gone.
    pub struct CheckDeregistered {
        /// The number of the fact.
        1 => pub index: u64,
        /// The owner.
        2 => pub tenant: Tenant,
        /// Its node.
        3 => pub node: Arc<str>,
        /// Its identifier.
        4 => pub id: Arc<str>,
        /// The instance that it was about; its node when this is empty.
        5 => pub instance: Arc<str>,
        /// The service of its instance; empty when it was of the node.
        6 => pub service: Arc<str>,
    }
}

message! {
    /// How a check is now.
    pub struct CheckUpdated {
        /// The number of the fact.
        1 => pub index: u64,
        /// The owner.
        2 => pub tenant: Tenant,
        /// Its node.
        3 => pub node: Arc<str>,
        /// Its identifier.
        4 => pub id: Arc<str>,
        /// The instance that it is about; its node when this is empty.
        5 => pub instance: Arc<str>,
        /// The service of its instance; empty when it is of the node.
        6 => pub service: Arc<str>,
        /// How it is.
        7 => pub status: Status,
        /// Why, for people.
        8 => pub output: Arc<str>,
        /// When.
        9 => pub at: Timestamp,
    }
}

message! {
    /// A key as it is now.
    pub struct EntryPut {
        /// The number of the fact.
        1 => pub index: u64,
        /// The owner.
        2 => pub tenant: Tenant,
        /// The key.
        3 => pub key: Arc<str>,
        /// The value.
        4 => pub value: Arc<[u8]>,
        /// A number that clients give a meaning.
        5 => pub flags: u64,
        /// Who holds it; empty for nobody.
        6 => pub session: Arc<str>,
        /// How often it was taken.
        7 => pub lock_index: u64,
    }
}

message! {
    /// A key that has gone.
    pub struct EntryDeleted {
        /// The number of the fact.
        1 => pub index: u64,
        /// The owner.
        2 => pub tenant: Tenant,
        /// The key.
        3 => pub key: Arc<str>,
    }
}

message! {
    /// A key that nobody holds any more.
    pub struct EntryReleased {
        /// The number of the fact.
        1 => pub index: u64,
        /// The owner.
        2 => pub tenant: Tenant,
        /// The key.
        3 => pub key: Arc<str>,
    }
}

message! {
    /// A session that has begun.
    pub struct SessionCreated {
        /// The number of the fact.
        1 => pub index: u64,
        /// The owner.
        2 => pub tenant: Tenant,
        /// Its identifier, a UUID.
        3 => pub id: Arc<str>,
        /// What it is.
        4 => pub session: Session,
    }
}

message! {
    /// A session that has ended.
    pub struct SessionDestroyed {
        /// The number of the fact.
        1 => pub index: u64,
        /// The owner.
        2 => pub tenant: Tenant,
        /// Its identifier.
        3 => pub id: Arc<str>,
    }
}

message! {
    /// A key that may not be taken before a time.
    pub struct LockDelayed {
        /// The owner.
        1 => pub tenant: Tenant,
        /// The key.
        2 => pub key: Arc<str>,
        /// The time.
        3 => pub until: Timestamp,
    }
}
