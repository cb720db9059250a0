//! Element instances.

use coreto_machine::{Tenant, Timestamp};
use coreto_record::event::{Call, ElementChanged, Lineage};
use coreto_record::{
    ElementInstanceKey, ElementNumber, JobKey, Key, Lifecycle, ProcessDefinitionKey, ProcessInstanceKey,
};

use super::State;

coreto_machine::message! {
    /// One visit of one element.
    pub(crate) struct ElementInstance {
        /// Where it stands in its life.
        1 => pub(crate) state: Lifecycle,
        /// The element.
        2 => pub(crate) element: ElementNumber,
        /// The scope around it; unset for a root.
        3 => pub(crate) scope: ElementInstanceKey,
        /// The process instance.
        4 => pub(crate) instance: ProcessInstanceKey,
        /// Its definition.
        5 => pub(crate) definition: ProcessDefinitionKey,
        /// The owner.
        6 => pub(crate) tenant: Tenant,
        /// Element instances in it that have not ended.
        7 => pub(crate) children: u32,
        /// Tokens in it that are between two elements.
        8 => pub(crate) flows: u32,
        /// The job that it waits for; unset when it waits for none.
        9 => pub(crate) job: JobKey,
        /// When a root was created; of others it is not kept.
        10 => pub(crate) started: Timestamp,
        /// The only element that may still be entered in it, since that ends all else; the process itself when none
        /// does.
        11 => pub(crate) interrupted_by: ElementNumber,
        /// Something that has happened waits until it, or what is in it, has ended.
        12 => pub(crate) pending: bool,
        /// What is around it.
        13 => pub(crate) lineage: Lineage,
        /// Which repetition of its activity it is, from 1; 0 for what is not repeated.
        14 => pub(crate) loop_counter: u32,
        /// Whether it is around repetitions, which are counted.
        15 => pub(crate) loops: bool,
    }
}

impl ElementInstance {
    /// Whether it is a process instance.
    pub(crate) fn is_root(&self) -> bool {
        self.scope.is_unset()
    }

    /// The element instance that it is a child of: the scope around it, for a called process its call activity; unset
    /// when nobody called.
    pub(crate) fn parent(&self) -> ElementInstanceKey {
        if self.is_root() { self.lineage.call().map(Call::caller).unwrap_or_default() } else { self.scope }
    }

    /// What is around the elements in it, which has this key.
    pub(crate) fn inside(&self, key: ElementInstanceKey) -> Lineage {
        if self.is_root() { self.lineage.clone() } else { self.lineage.within(key) }
    }

    /// Whether an element may be entered or completed in it.
    pub(crate) fn admits(&self, element: ElementNumber) -> bool {
        let open = self.interrupted_by == ElementNumber::PROCESS || self.interrupted_by == element;
        self.state == Lifecycle::Activated && open
    }

    /// The fact that it went on in its life.
    pub(crate) fn becomes(&self, key: ElementInstanceKey, to: Lifecycle) -> ElementChanged {
        ElementChanged {
            key,
            to,
            element: self.element,
            scope: self.scope,
            instance: self.instance,
            definition: self.definition,
            tenant: self.tenant,
            lineage: self.lineage.clone(),
            ..ElementChanged::default()
        }
    }
}

impl State {
    /// Whether a boundary event is entered when an element instance has ended.
    pub(crate) fn is_left(&self, key: ElementInstanceKey, instance: &ElementInstance) -> bool {
        instance.pending && self.interruptions.peek(&key).is_some_and(|next| next.leaves)
    }
}
