//! What becomes of a command of the engine's own that failed twice.

use std::sync::Arc;

use coreto_machine::{Fault, Head, Machine, Txn};
use coreto_record::event::InstanceBanned;
use coreto_record::{Command, ElementInstanceKey, Event, IncidentKind, Lifecycle, ProcessInstanceKey};

use super::{Handled, done};
use crate::engine::Engine;
use crate::incident::{self, Trouble};

/// An element that writes too much gets an incident; an instance in which the engine failed is banned.
pub(crate) fn fault(txn: &mut Txn<'_, Engine>, _head: &Head, command: &Command, fault: &Fault) -> Handled {
    let Some((instance, element)) = concerned(txn, command) else { return Err(Engine::refuse(fault)) };
    match fault {
        Fault::TooLarge { bytes, bytes_max } => {
            let Some(visited) = element.and_then(|key| Some((key, txn.state().elements.get(&key)?))) else {
                return Err(Engine::refuse(fault));
            };
            let (key, visited) = visited;
            if visited.is_root() || visited.state == Lifecycle::Terminating {
                return Err(Engine::refuse(fault));
            }
            let message =
                format!("the element would write {bytes} bytes at once, at most {bytes_max} are possible");
            let trouble = Trouble { kind: IncidentKind::MessageSizeExceeded, message };
            incident::raise(txn, key, &visited, &trouble);
        }
        Fault::Panicked(message) => {
            let message = Arc::from(message.as_str());
            txn.emit(&Event::InstanceBanned(InstanceBanned { instance, message }));
        }
    }
    done()
}

/// The process instance and the element instance that a command is about.
fn concerned(
    txn: &Txn<'_, Engine>,
    command: &Command,
) -> Option<(ProcessInstanceKey, Option<ElementInstanceKey>)> {
    let of = |key: ElementInstanceKey| Some((txn.state().elements.peek(&key)?.instance, Some(key)));
    match command {
        Command::ActivateElement(activate) => Some((activate.instance, Some(activate.key))),
        Command::CompleteElement(complete) => of(complete.key),
        Command::TerminateElement(terminate) => of(terminate.key),
        Command::TerminateChildren(terminate) => of(terminate.scope),
        _ => None,
    }
}
