//! Signals, and what waits for them.

use coreto_machine::Tenant;
use coreto_record::Key;
use coreto_record::event::{SignalBroadcasted, SignalSubscription};

use super::json::{Object, name};
use super::model::{self, Model};

pub(super) fn broadcasted(event: &SignalBroadcasted, value: &mut Object<'_>) {
    wished(&event.name, event.variables.as_str(), event.tenant, value);
}

/// A signal that is to be broadcast.
pub(super) fn wished(signal: &str, variables: &str, tenant: Tenant, value: &mut Object<'_>) {
    value.text(name!("signalName"), signal);
    value.raw(name!("variables"), variables);
    model::tenant(value, tenant);
}

pub(super) fn subscription(event: &SignalSubscription, model: &Model, value: &mut Object<'_>) {
    model.process_of_variable(value);
    model.element_id(name!("catchEventId"), event.element, value);
    value.key(name!("catchEventInstanceKey"), event.element_instance.raw());
    value.key(name!("processInstanceKey"), event.instance.raw());
    value.text(name!("signalName"), &event.name);
    model::tenant(value, event.tenant);
}
