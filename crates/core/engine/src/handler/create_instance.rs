//! Starting an instance of a process.

use std::collections::BTreeSet;
use std::sync::Arc;

use coreto_bpmn::Kind;
use coreto_machine::{Head, Outcome, Txn};
use coreto_record::command::{ActivateElement, Activation, CreateInstance};
use coreto_record::event::{InstanceCreated, ResultAwaited};
use coreto_record::{
    Command, ElementInstanceKey, ElementNumber, Event, ProcessDefinitionKey, ProcessInstanceKey, Rejection,
    Reply, reply,
};

use super::by_hand::{self, Known, place};
use super::{Handled, check_fetch, enter, process, quoted};
use crate::engine::Engine;
use crate::state::{Definition, ElementInstance, State};
use crate::variables::Given;
use crate::{keys, subscription, variables};

/// Starts an instance of the definition that the command picks: at its none start event, or before the elements that
/// the command names.
pub(crate) fn create_instance(txn: &mut Txn<'_, Engine>, head: &Head, command: &CreateInstance) -> Handled {
    let (key, definition) = find_definition(txn.state(), head, command)?;
    if !command.starts.is_empty() {
        check_starts(txn, head, key, command)?;
    } else if definition.process().is_none_or(|process| process.none_start.is_none()) {
        return Err(Rejection::invalid_state(format!(
            "cannot create an instance of process `{}` version {}: it has no none start event",
            definition.record.id, definition.record.version
        )));
    }
    check_ends(&definition, command)?;
    let fetch = command.await_result.as_ref().map_or(&[][..], |wanted| &wanted.fetch);
    check_fetch(&txn.env().limits, fetch)?;
    let instance: ProcessInstanceKey = keys::next(txn);
    let root = ElementInstanceKey::from(instance);
    let owner =
        ElementInstance { instance, definition: key, tenant: command.tenant, ..ElementInstance::default() };
    variables::merge_local(txn, &owner, root, command.variables.entries());
    let enter = ActivateElement {
        instance,
        element: ElementNumber::PROCESS,
        key: root,
        ..ActivateElement::default()
    };
    let creation = InstanceCreated {
        key: keys::next_raw(txn),
        instance,
        definition: key,
        tenant: command.tenant,
        variables: command.variables.clone(),
        at: head.now,
        starts: command.starts.clone(),
        ends_after: command.ends_after.clone(),
    };
    txn.emit(&Event::InstanceCreated(creation));
    if command.starts.is_empty() {
        txn.follow_up(Command::ActivateElement(enter));
    } else {
        start_before(txn, head, &enter, command)?;
    }
    if let (Some(wanted), Some(token)) = (&command.await_result, head.token) {
        txn.emit(&Event::ResultAwaited(ResultAwaited { instance, token, fetch: wanted.fetch.clone() }));
        return Ok(Outcome::Later);
    }
    Ok(Outcome::Now(Reply::InstanceCreated(reply::InstanceCreated {
        key: instance,
        definition: key,
        process: Arc::clone(&definition.record.id),
        version: definition.record.version,
        tenant: command.tenant,
    })))
}

/// Every element must be there and may be entered by hand, and the scopes around them must know what they wait for.
fn check_starts(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    definition: ProcessDefinitionKey,
    command: &CreateInstance,
) -> Result<(), Rejection> {
    let process = process(txn.state(), definition)?;
    let mut scopes = BTreeSet::from([coreto_bpmn::ElementNumber::PROCESS]);
    for start in &command.starts {
        scopes.extend(place::way(&process, &before(start))?.1);
    }
    let given = Given::new(&command.variables);
    for scope in scopes {
        let scope = &process.elements[scope.index()];
        subscription::check(txn, head, &process, scope, &given).map_err(|trouble| {
            Rejection::invalid_argument(format!("cannot begin in `{}`: {}", scope.id, trouble.message))
        })?;
    }
    Ok(())
}

/// Every element of which the end ends the instance must be there.
fn check_ends(definition: &Definition, command: &CreateInstance) -> Result<(), Rejection> {
    let ends = |id: &&Arc<str>| {
        let process = definition.process()?;
        let kind = &process.elements[process.element_by_id(id)?.index()].kind;
        (!matches!(kind, Kind::Process | Kind::SequenceFlow { .. })).then_some(())
    };
    let asked = command.ends_after.as_deref().map_or(&[][..], |asked| &asked.elements);
    match asked.iter().find(|id| ends(id).is_none()) {
        None => Ok(()),
        Some(id) => {
            let (process, id) = (&definition.record.id, quoted(id));
            let why = format!("cannot end after {id}: it is no event, activity or gateway of `{process}`");
            Err(Rejection::invalid_argument(why))
        }
    }
}

/// What is entered before an element.
fn before(element: &Arc<str>) -> Activation {
    Activation { element: Arc::clone(element), ..Activation::default() }
}

/// Enters the scopes around the elements by events, and the elements by commands.
fn start_before(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    root: &ActivateElement,
    command: &CreateInstance,
) -> Result<(), Rejection> {
    let root = enter(txn, root)?;
    by_hand::begin_scope(txn, head, &root);
    let mut known = Known::default();
    for start in &command.starts {
        let activation = before(start);
        let instance = root.instance.instance;
        let place = place::find(txn.state(), &mut known, &root.process, instance, &activation)?;
        by_hand::activate(txn, head, &root.process, &activation, &mut known, &place)?;
    }
    Ok(())
}

fn find_definition(
    state: &State,
    head: &Head,
    command: &CreateInstance,
) -> Result<(ProcessDefinitionKey, Arc<Definition>), Rejection> {
    let visible = |key: ProcessDefinitionKey| {
        let definition = state.definitions.get(&key)?;
        let theirs = head.caller.sees(definition.record.tenant) && definition.record.tenant == command.tenant;
        (theirs && !state.is_deleted(key)).then_some((key, definition))
    };
    if let Some(key) = command.definition {
        return visible(key).ok_or_else(|| {
            Rejection::not_found(format!("no process definition with key {key} is deployed"))
        });
    }
    if command.process.is_empty() {
        return Err(Rejection::invalid_argument(
            "say which process: a process id or the key of a definition is needed",
        ));
    }
    let id = (command.tenant, Arc::clone(&command.process));
    let (key, asked) = match command.version {
        None => (state.latest.get(&id).map(|latest| latest.key), String::new()),
        Some(version) => {
            let key = state.versions.get(&(id, version)).map(|key| coreto_record::Key::from_raw(*key));
            (key, format!(" in version {version}"))
        }
    };
    key.and_then(visible).ok_or_else(|| {
        Rejection::not_found(format!("no process with id {} is deployed{asked}", quoted(&command.process)))
    })
}
