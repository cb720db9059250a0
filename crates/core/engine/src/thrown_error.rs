//! Who catches a thrown BPMN error.

use std::sync::Arc;

use coreto_bpmn::{Kind, Process, StartEvent, Trigger};
use coreto_record::{ElementInstanceKey, ElementNumber, Lifecycle};

use crate::handler;
use crate::incident;
use crate::state::{ElementInstance, State};

/// The event that catches an error, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Catcher {
    /// The host of a boundary event, or the scope around an event subprocess.
    pub(crate) at: ElementInstanceKey,
    /// The boundary event, or the start event of the event subprocess.
    pub(crate) event: ElementNumber,
}

/// Nobody catches an error; these codes would be caught.
#[derive(Debug, Default)]
pub(crate) struct Uncaught {
    codes: Vec<Arc<str>>,
}

impl Uncaught {
    /// What an incident says of it.
    pub(crate) fn message(&self, code: &str) -> String {
        const CODES_SHOWN: usize = 10;
        const CHARS_SHOWN: usize = 200;
        let shown = |code: &str| format!("`{}`", incident::shortened(code, CHARS_SHOWN));
        let mut message = format!("nothing catches the error with code {}", shown(code));
        let codes: Vec<_> = self.codes.iter().take(CODES_SHOWN).map(|code| shown(code)).collect();
        if !codes.is_empty() {
            message.push_str("; caught are ");
            message.push_str(&codes.join(", "));
            if self.codes.len() > CODES_SHOWN {
                message.push_str(", …");
            }
        }
        message
    }
}

/// Looks for the catcher from an element instance outwards, as long as those are active, from a called process on to
/// who called it.
pub(crate) fn find(state: &State, from: ElementInstanceKey, code: &str) -> Result<Catcher, Uncaught> {
    let mut uncaught = Uncaught::default();
    let mut at = from;
    // Bound: scopes are nested as elements are in their model, and so are calls up to their limit.
    while let Some(instance) = state.elements.peek(&at) {
        if instance.state != Lifecycle::Activated {
            break;
        }
        let Ok(process) = handler::process(state, instance.definition) else { break };
        if let Some(event) = caught_at(&process, instance, code, &mut uncaught) {
            return Ok(Catcher { at, event });
        }
        at = instance.parent();
    }
    Err(uncaught)
}

/// The best catcher of one level: the error's own code before none, and then event subprocesses before boundary
/// events.
fn caught_at(
    process: &Process,
    instance: &ElementInstance,
    code: &str,
    uncaught: &mut Uncaught,
) -> Option<ElementNumber> {
    let element = &process.elements[instance.element.0 as usize];
    let mut any = None;
    // What has interrupted a scope keeps its other event subprocesses out.
    let starts = instance.admits(ElementNumber::PROCESS).then_some(&element.event_subprocesses);
    let starts =
        starts.into_iter().flatten().filter_map(|number| process.elements[number.index()].kind.start());
    for &event in starts.collect::<Vec<_>>().iter().chain(&element.boundary_events) {
        let Some(Trigger::Error(caught)) = trigger(process, event) else { continue };
        match caught {
            Some(caught) if **caught == *code => return Some(ElementNumber(event.0)),
            Some(other) => uncaught.codes.push(Arc::clone(other)),
            None => any = any.or(Some(ElementNumber(event.0))),
        }
    }
    any
}

fn trigger(process: &Process, event: coreto_bpmn::ElementNumber) -> Option<&Trigger> {
    match &process.elements[event.index()].kind {
        Kind::BoundaryEvent(boundary) => Some(&boundary.trigger),
        Kind::StartEvent(StartEvent::On(trigger)) => Some(trigger),
        _ => None,
    }
}
