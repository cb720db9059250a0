//! Does what is due: keys may be taken again.

use std::sync::Arc;

use coreto_machine::{Head, Outcome};

use super::{Handling, done};
use crate::catalog::Catalog;
use crate::event::{Event, LockDelayed};

pub(crate) fn tick(txn: &mut Handling<'_>, head: &Head) -> Outcome<Catalog> {
    let at_once = txn.env().limits.due_per_tick;
    let state = txn.state();
    let due: Vec<LockDelayed> = state
        .due
        .range(..)
        .take_while(|(until, _)| *until <= head.now)
        .take(at_once)
        .map(|(until, (tenant, key))| LockDelayed { tenant: *tenant, key: Arc::clone(key), until: *until })
        .collect();
    for delay in due {
        txn.emit(&Event::LockDelayEnded(delay));
    }
    done(txn)
}
