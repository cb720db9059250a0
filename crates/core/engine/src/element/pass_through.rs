//! Undefined and manual tasks: passed through, without mappings.

use coreto_machine::{Head, Txn};

use super::{Visit, leave, pass};
use crate::engine::Engine;
use crate::incident::Trouble;

pub(super) fn activate(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    pass(txn, visit);
}

pub(super) fn complete(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    leave(txn, head, visit)
}
