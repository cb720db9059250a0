//! Undefined and manual tasks: passed through, without mappings.

use coreto_machine::Txn;

use super::{Visit, leave, pass};
use crate::engine::Engine;

pub(super) fn activate(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    pass(txn, visit);
}

pub(super) fn complete(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    leave(txn, visit);
}
