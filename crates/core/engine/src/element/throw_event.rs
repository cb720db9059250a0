//! Intermediate throw events: passed through, or a job for the worker that sends a message.

use coreto_bpmn::ThrowEvent;
use coreto_machine::{Head, Txn};

use super::{Visit, pass, service_task};
use crate::engine::Engine;
use crate::incident::Trouble;

pub(super) fn activate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    event: &ThrowEvent,
) -> Result<(), Trouble> {
    match event {
        ThrowEvent::None => {
            pass(txn, visit);
            Ok(())
        }
        ThrowEvent::Message(job) => service_task::activate(txn, head, visit, job),
    }
}
