//! The process itself, the outermost scope.

use coreto_machine::{Head, Txn};
use coreto_record::{Event, Lifecycle, Reply, reply};

use super::{Visit, begin, call_activity, start_event};
use crate::engine::Engine;
use crate::subscription::{self, correlation};
use crate::{handler, variables};

pub(super) fn activate(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    if !visit.process.event_starts.is_empty()
        && let Some(trigger) = txn.state().triggers.get(&visit.key)
    {
        visit.goes_on(txn, Lifecycle::Activated);
        return start_event::begin(txn, visit, &trigger);
    }
    begin(txn, visit, visit.process.none_start);
}

pub(super) fn complete(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) {
    if !visit.element().awaited.is_empty() {
        subscription::close(txn, visit.key);
    }
    answer_who_waits(txn, visit);
    let lock = correlation::lock_of(txn, visit.instance.instance);
    let call = visit.instance.lineage.call().map(|call| call_activity::result(txn.state(), visit, call));
    txn.emit(&Event::Element(visit.instance.becomes(visit.key, Lifecycle::Completed)));
    if let Some(lock) = lock {
        correlation::after_lock(txn, head, &lock);
    }
    if let Some(result) = call {
        call_activity::give_back(txn, head, result);
    }
    handler::after_instance(txn, visit.instance.definition);
}

/// Whoever created the instance and waits for its result gets its root variables.
fn answer_who_waits(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    let instance = visit.instance.instance;
    let Some(awaited) = txn.state().awaited.get(&instance) else { return };
    let Some(definition) = txn.state().definitions.get(&visit.instance.definition) else { return };
    let created = reply::InstanceCreated {
        key: instance,
        definition: visit.instance.definition,
        process: definition.record.id.clone(),
        version: definition.record.version,
        tenant: visit.instance.tenant,
    };
    let variables =
        variables::visible(txn.state(), visit.key, &awaited.fetch, usize::MAX).unwrap_or_default();
    txn.reply(awaited.token, Reply::InstanceCompleted(reply::InstanceCompleted { created, variables }));
}
