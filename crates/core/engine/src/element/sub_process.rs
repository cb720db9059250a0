//! Embedded subprocesses and event subprocesses: scopes inside of others.

use coreto_bpmn::ElementNumber as Number;
use coreto_machine::{Head, Txn};

use super::{Visit, begin, leave, mapping};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::subscription;

pub(super) fn activate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    start: Option<Number>,
) -> Result<(), Trouble> {
    mapping::inputs(txn, head, visit)?;
    begin(txn, visit, start);
    Ok(())
}

/// Its own variables go with it; what is to stay is mapped.
pub(super) fn complete(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    mapping::outputs(txn, head, visit)?;
    if !visit.element().awaited.is_empty() {
        subscription::close(txn, visit.key);
    }
    leave(txn, head, visit)
}
