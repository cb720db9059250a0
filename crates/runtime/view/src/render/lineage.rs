//! The way from the outermost process instance down to an element instance.

use coreto_record::event::Lineage;
use coreto_record::{Key, ProcessDefinitionKey, ProcessInstanceKey};

use super::json::{Object, name};
use super::model::Models;
use crate::definitions::Unanswered;

/// Writes which process instance called, and by which call activity.
pub(super) fn caller(lineage: &Lineage, value: &mut Object<'_>) {
    let (instance, element_instance) =
        lineage.call().map_or((0, 0), |call| (call.instance.raw(), call.caller().raw()));
    value.key(name!("parentProcessInstanceKey"), instance);
    value.key(name!("parentElementInstanceKey"), element_instance);
}

/// Writes the definitions of the process instances on the way, and the call activities between them, each as its place
/// among those of its process sorted by id.
pub(super) fn calls(
    lineage: &Lineage,
    definition: ProcessDefinitionKey,
    models: &mut Models,
    value: &mut Object<'_>,
) -> Result<(), Unanswered> {
    let places = lineage.calls().iter().map(|call| {
        let model = models.get(call.definition)?;
        Ok(model.place_among_calls(call.element))
    });
    let places: Vec<u64> = places.collect::<Result<_, _>>()?;
    let own = (!definition.is_unset()).then_some(definition);
    let definitions = lineage.calls().iter().map(|call| call.definition).chain(own);
    value.keys(name!("processDefinitionPath"), definitions.map(Key::raw));
    value.keys(name!("callingElementPath"), places);
    Ok(())
}

/// Writes the element instances on the way, a list for each process instance; a wish may know none.
pub(super) fn instances(
    lineage: &Lineage,
    instance: ProcessInstanceKey,
    element_instance: u64,
    value: &mut Object<'_>,
) {
    if instance.is_unset() || element_instance == 0 {
        return value.members(r#","elementInstancePath":[]"#);
    }
    let mut lists = value.lists(name!("elementInstancePath"));
    for call in lineage.calls() {
        lists.keys(std::iter::once(call.instance.raw()).chain(call.scopes.iter().map(|scope| scope.raw())));
    }
    let inner = (element_instance != instance.raw()).then_some(element_instance);
    let scopes = lineage.scopes().iter().map(|scope| scope.raw());
    lists.keys(std::iter::once(instance.raw()).chain(scopes).chain(inner));
    lists.end();
}
