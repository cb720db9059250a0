//! Intermediate catch events and receive tasks: where a token waits for something to happen.

use coreto_machine::{Head, Txn};
use coreto_record::Lifecycle;

use super::{Visit, mapping, service_task};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::subscription;

pub(super) fn activate(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    mapping::inputs(txn, head, visit)?;
    subscription::open(txn, head, visit)?;
    visit.goes_on(txn, Lifecycle::Activated);
    Ok(())
}

/// What came along is used as the result of a job is.
pub(super) fn complete(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    service_task::complete_with(txn, head, visit, |txn| subscription::close(txn, visit.key))
}
