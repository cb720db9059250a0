//! Raising incidents, and saying what went wrong.

use std::fmt::Write;
use std::sync::Arc;

use coreto_bpmn::MappingError;
use coreto_feel::{Value, Warning};
use coreto_machine::{Head, Txn};
use coreto_record::event::IncidentRecord;
use coreto_record::{ElementInstanceKey, Event, IncidentKind, JobKey};

use crate::engine::Engine;
use crate::keys;
use crate::limits::Limits;
use crate::state::ElementInstance;

/// Why an element instance cannot go on.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) kind: IncidentKind,
    pub(crate) message: String,
}

impl Trouble {
    /// A name that no client could say: a job that nobody could ask for, a message that nobody could publish.
    pub(crate) fn check_name(limits: &Limits, what: &str, name: &str) -> Result<(), Self> {
        let wrong = match limits.check_name(name) {
            Ok(()) if name.chars().all(char::is_whitespace) => "it is empty".to_owned(),
            Ok(()) => return Ok(()),
            Err(wrong) => wrong,
        };
        Err(Self { kind: IncidentKind::ExtractValueError, message: format!("the {what}: {wrong}") })
    }

    /// An expression did not give what is needed.
    pub(crate) fn unexpected(
        what: &str,
        expression: &str,
        wanted: &str,
        found: &Value,
        warnings: &[Warning],
    ) -> Self {
        let mut message =
            format!("`={expression}` for the {what} gave {}, expected {wanted}", found.type_name());
        add_warnings(&mut message, warnings);
        Self { kind: IncidentKind::ExtractValueError, message }
    }

    /// A text that is no expression should be a number.
    pub(crate) fn no_number(what: &str, text: &str) -> Self {
        let message = format!("`{text}` for the {what} is not a number");
        Self { kind: IncidentKind::ExtractValueError, message }
    }

    /// An expression gave nothing.
    pub(crate) fn failed(what: &str, expression: &str, failure: &coreto_feel::Failure) -> Self {
        let message = format!("`={expression}` for the {what} failed: {failure}");
        Self { kind: IncidentKind::ExtractValueError, message }
    }

    /// A mapping made nothing.
    pub(crate) fn mapping(which: &str, error: &MappingError) -> Self {
        let message = match error {
            MappingError::Failed(failure) => format!("the {which} mapping failed: {failure}"),
            MappingError::NotAContext { found, warnings } => {
                let mut message = format!("the {which} mapping gave {found}, expected a context");
                add_warnings(&mut message, warnings);
                message
            }
        };
        Self { kind: IncidentKind::IoMappingError, message }
    }
}

fn add_warnings(message: &mut String, warnings: &[Warning]) {
    const SHOWN: usize = 5;
    for warning in warnings.iter().take(SHOWN) {
        write!(message, "; {warning}").expect("writing to a string does not fail");
    }
}

/// Raises an incident at an element instance.
pub(crate) fn raise(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    key: ElementInstanceKey,
    element: &ElementInstance,
    trouble: &Trouble,
) {
    raise_with_job(txn, head, key, element, trouble, None);
}

/// Raises an incident at an element instance because of its job.
pub(crate) fn raise_with_job(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    key: ElementInstanceKey,
    element: &ElementInstance,
    trouble: &Trouble,
    job: Option<JobKey>,
) {
    let chars_max = txn.env().limits.error_message_chars;
    let incident = IncidentRecord {
        key: keys::next(txn),
        kind: trouble.kind,
        message: Arc::from(shortened(&trouble.message, chars_max)),
        element_instance: key,
        element: element.element,
        job,
        variable_scope: key,
        instance: element.instance,
        definition: element.definition,
        tenant: element.tenant,
        at: head.now,
        lineage: element.lineage.clone(),
    };
    txn.emit(&Event::IncidentCreated(incident));
}

/// The first characters of a message.
pub(crate) fn shortened(message: &str, chars: usize) -> &str {
    message.char_indices().nth(chars).map_or(message, |(end, _)| &message[..end])
}

/// Resolves all incidents of an element instance that leaves; its job is gone by then.
pub(crate) fn resolve_all(txn: &mut Txn<'_, Engine>, key: ElementInstanceKey) {
    let incidents: Vec<_> = txn.state().incidents_at(key).collect();
    for incident in incidents {
        if let Some(incident) = txn.state().incidents.get(&incident) {
            txn.emit(&Event::IncidentResolved(IncidentRecord::clone(&incident)));
        }
    }
}
