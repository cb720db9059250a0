//! Where the elements of a process go in another one.

use std::collections::BTreeMap;
use std::sync::Arc;

use coreto_bpmn::{ElementNumber as Number, Kind, Process};
use coreto_machine::Head;
use coreto_record::command::MigrateInstance;
use coreto_record::{ElementNumber, ProcessDefinitionKey, Rejection};

use crate::handler::{process, quoted};
use crate::state::{ElementInstance, State};

/// Where the elements of a process go in another one.
pub(super) struct Plan {
    pub(super) source: Arc<Process>,
    pub(super) target: Arc<Process>,
    /// The definition of the target.
    pub(super) definition: ProcessDefinitionKey,
    mappings: BTreeMap<Number, Number>,
}

impl Plan {
    /// Understands the mappings of a command.
    pub(super) fn read(
        state: &State,
        head: &Head,
        root: &ElementInstance,
        command: &MigrateInstance,
    ) -> Result<Self, Rejection> {
        let definition = command.target;
        let found = state.definitions.peek(&definition).filter(|found| {
            let tenant = found.record.tenant;
            tenant == root.tenant && head.caller.sees(tenant) && !state.is_deleted(definition)
        });
        if found.is_none() {
            return Err(Rejection::not_found(format!(
                "no process definition with key {definition} is deployed that the instance could go to"
            )));
        }
        let source = process(state, root.definition)?;
        let target = process(state, definition)?;
        let mappings = mappings(&source, &target, command)?;
        Ok(Self { source, target, definition, mappings })
    }

    /// What an element or event is mapped to.
    pub(super) fn mapped(&self, element: Number) -> Option<Number> {
        self.mappings.get(&element).copied()
    }

    /// What an element instance of an element becomes: the process one of the other process, and what is repeated goes
    /// with the activity around it.
    pub(super) fn goes(&self, element: Number) -> Option<Number> {
        if element == Number::PROCESS {
            return Some(Number::PROCESS);
        }
        let around = self.source.elements[element.index()].scope;
        match self.source.elements[around.index()].kind {
            Kind::MultiInstance(_) => match &self.target.elements[self.mapped(around)?.index()].kind {
                Kind::MultiInstance(repeated) => Some(repeated.inner),
                _ => None,
            },
            _ => self.mapped(element),
        }
    }
}

fn mappings(
    source: &Process,
    target: &Process,
    command: &MigrateInstance,
) -> Result<BTreeMap<Number, Number>, Rejection> {
    let find = |process: &Process, id: &Arc<str>, which: &str| {
        process.element_by_id(id).ok_or_else(|| {
            Rejection::invalid_argument(format!(
                "the process `{}` that the instance {which} has no element {}",
                process.id,
                quoted(id)
            ))
        })
    };
    let mut mappings = BTreeMap::new();
    for mapping in &command.mappings {
        let from = find(source, &mapping.source, "is of")?;
        let to = find(target, &mapping.target, "goes to")?;
        if mappings.insert(from, to).is_some() {
            return Err(Rejection::invalid_argument(format!(
                "the element {} is mapped more than once",
                quoted(&mapping.source)
            )));
        }
    }
    Ok(mappings)
}

/// An element's number as the model has it.
pub(super) const fn number(element: ElementNumber) -> Number {
    Number(element.0)
}
