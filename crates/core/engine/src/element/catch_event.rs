//! Intermediate catch events and receive tasks: where a token waits for something to happen.

use coreto_machine::{Head, Txn};
use coreto_record::Lifecycle;

use super::{Visit, leave, mapping, take_result};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::{subscription, variables};

pub(super) fn activate(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    mapping::inputs(txn, head, visit)?;
    subscription::open(txn, head, visit)?;
    visit.goes_on(txn, Lifecycle::Activated);
    Ok(())
}

/// What came along is used as the result of a job is.
pub(super) fn complete(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    take_result(txn, visit, visit.key);
    let mapped = mapping::outputs(txn, head, visit)?;
    if !mapped && visit.process.is_behind_gateway(visit.element()) {
        variables::hand_out(txn, &visit.instance, visit.key);
    }
    subscription::close(txn, visit.key);
    leave(txn, head, visit)
}
