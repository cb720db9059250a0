//! Signals.

use std::sync::Arc;

use coreto_machine::{Tenant, message};

use crate::document::Document;
use crate::key::SubscriptionKey;

message! {
    /// Broadcasts a signal.
    pub struct BroadcastSignal {
        /// The owner.
        1 => pub tenant: Tenant,
        /// Its name.
        2 => pub name: Arc<str>,
        /// What it brings along.
        3 => pub variables: Document,
    }
}

message! {
    /// Sets off what waits for a signal on one partition, a bounded number at a time.
    pub struct SpreadSignal {
        /// The owner.
        1 => pub tenant: Tenant,
        /// Its name.
        2 => pub name: Arc<str>,
        /// What it brings along.
        3 => pub variables: Document,
        /// What began to wait later is not meant; unset when the partition has not begun.
        4 => pub until: SubscriptionKey,
        /// What has a smaller key was set off already.
        5 => pub from: SubscriptionKey,
        /// Whether instances are started, which one partition does.
        6 => pub starts: bool,
    }
}
