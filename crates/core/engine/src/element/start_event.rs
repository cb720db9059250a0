//! None start events: where tokens come from.

use coreto_machine::{Head, Txn};

use super::{Visit, leave, mapping, pass};
use crate::engine::Engine;
use crate::incident::Trouble;

pub(super) fn activate(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    pass(txn, visit);
}

pub(super) fn complete(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    mapping::outputs(txn, head, visit)?;
    leave(txn, visit);
    Ok(())
}
