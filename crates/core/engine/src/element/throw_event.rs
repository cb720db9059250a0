//! Intermediate throw events: passed through, a job for the worker that sends a message, or a signal.

use coreto_bpmn::{Text, ThrowEvent};
use coreto_machine::{Head, Txn};
use coreto_record::command::BroadcastSignal;
use coreto_record::{Command, Document, IncidentKind};

use super::{Visit, mapping, pass, service_task};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::variables;

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
        ThrowEvent::Signal(name) => broadcast(txn, head, visit, name),
    }
}

/// Broadcasts a signal with the local variables of the event: those that its input mappings make.
pub(super) fn broadcast(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    name: &Text,
) -> Result<(), Trouble> {
    mapping::inputs(txn, head, visit)?;
    let name = service_task::text(txn, head, visit, "name of the signal", name)?;
    Trouble::check_name(&txn.env().limits, "name of the signal", &name)?;
    let variables = variables::local_document(txn.state(), visit.key);
    check_size(txn, &variables)?;
    let tenant = visit.instance.tenant;
    txn.follow_up(Command::BroadcastSignal(BroadcastSignal { tenant, name, variables }));
    pass(txn, visit);
    Ok(())
}

/// A broadcast that would not fit what a command may write was lost, once the event is left.
fn check_size(txn: &mut Txn<'_, Engine>, variables: &Document) -> Result<(), Trouble> {
    let (bytes, bytes_max) = (variables.as_str().len(), txn.env().limits.repeated_bytes_max());
    if bytes <= bytes_max {
        return Ok(());
    }
    let message =
        format!("the signal would bring {bytes} bytes of variables, at most {bytes_max} are possible");
    Err(Trouble { kind: IncidentKind::MessageSizeExceeded, message })
}
