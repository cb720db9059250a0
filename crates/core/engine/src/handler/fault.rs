//! What becomes of a command of the engine's own that failed twice.

use std::sync::Arc;

use coreto_machine::{Fault, Head, Machine, Txn};
use coreto_record::event::InstanceBanned;
use coreto_record::{
    Command, ElementInstanceKey, Event, IncidentKind, Key, Lifecycle, ProcessInstanceKey, Rejection,
};

use super::activate_element::enter;
use super::{Handled, done};
use crate::engine::Engine;
use crate::incident::{self, Trouble};
use crate::state::ElementInstance;

/// An element that writes too much gets an incident; an instance in which the engine failed is banned.
pub(crate) fn fault(txn: &mut Txn<'_, Engine>, head: &Head, command: &Command, fault: &Fault) -> Handled {
    if let Command::Tick(()) = command {
        return super::tick::pass_first(txn, head);
    }
    match fault {
        Fault::TooLarge { bytes, bytes_max } => {
            let Some((key, stopped)) = stopped(txn, command)? else { return Err(Engine::refuse(fault)) };
            let message =
                format!("the element would write {bytes} bytes at once, at most {bytes_max} are possible");
            let trouble = Trouble { kind: IncidentKind::MessageSizeExceeded, message };
            incident::raise(txn, head, key, &stopped, &trouble);
        }
        Fault::Panicked(message) => {
            let Some(instance) = concerned(txn, command) else { return Err(Engine::refuse(fault)) };
            let message = Arc::from(message.as_str());
            txn.emit(&Event::InstanceBanned(InstanceBanned { instance, message }));
            let root = txn.state().elements.get(&ElementInstanceKey::from(instance));
            if let Some(root) = root {
                super::after_instance(txn, root.definition);
            }
        }
    }
    done()
}

/// The element instance that waits where it stands, and can have an incident there. One that was to be entered is
/// entered first; a process and what is ending cannot wait.
fn stopped(
    txn: &mut Txn<'_, Engine>,
    command: &Command,
) -> Result<Option<(ElementInstanceKey, Arc<ElementInstance>)>, Rejection> {
    let key = match command {
        Command::ActivateElement(activate) if activate.scope.is_unset() => return Ok(None),
        Command::ActivateElement(activate) if !txn.state().elements.contains(&activate.key) => {
            return enter(txn, activate).map(|visit| Some((visit.key, visit.instance)));
        }
        Command::ActivateElement(activate) => activate.key,
        Command::CompleteElement(complete) => complete.key,
        _ => return Ok(None),
    };
    let Some(instance) = txn.state().elements.get(&key) else { return Ok(None) };
    if instance.is_root() || instance.state == Lifecycle::Terminating {
        return Ok(None);
    }
    if instance.state == Lifecycle::Activated {
        txn.emit(&Event::Element(instance.becomes(key, Lifecycle::Completing)));
    }
    Ok(Some((key, instance)))
}

/// The process instance that a command is about.
fn concerned(txn: &Txn<'_, Engine>, command: &Command) -> Option<ProcessInstanceKey> {
    let of = |key: ElementInstanceKey| Some(txn.state().elements.peek(&key)?.instance);
    match command {
        Command::ActivateElement(activate) => Some(activate.instance),
        Command::CompleteElement(complete) => of(complete.key),
        Command::TerminateElement(terminate) => of(terminate.key),
        Command::ContinueTermination(go_on) => of(go_on.key),
        Command::TerminateChildren(terminate) => of(terminate.scope),
        Command::ActivateChildren(activate) => of(activate.scope),
        _ => None,
    }
}
