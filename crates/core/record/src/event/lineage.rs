//! What is around an element instance: scopes, and the calls that led to its process instance.

use std::sync::Arc;

use coreto_machine::codec::{Field, Reader, Wire};
use coreto_machine::{Codec, DecodeError, message};

use crate::key::{ElementInstanceKey, ElementNumber, ProcessDefinitionKey, ProcessInstanceKey};

/// What is around an element instance, its process instance not named. Nothing where that is all; shared by all that
/// stand at the same place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lineage(Option<Arc<Line>>);

message! {
    /// The scopes and calls of a [`Lineage`].
    struct Line {
        /// The calls that led to the process instance, the outermost first.
        1 => calls: Vec<Call>,
        /// Scopes inside of the process instance, the outermost first.
        2 => scopes: Vec<ElementInstanceKey>,
    }
}

message! {
    /// One process that calls another.
    pub struct Call {
        /// The process instance that calls.
        1 => pub instance: ProcessInstanceKey,
        /// Its definition.
        2 => pub definition: ProcessDefinitionKey,
        /// The call activity.
        3 => pub element: ElementNumber,
        /// The scopes around the element instance that calls, the outermost first, and that itself.
        4 => pub scopes: Vec<ElementInstanceKey>,
    }
}

impl Call {
    /// The element instance that calls.
    pub fn caller(&self) -> ElementInstanceKey {
        self.scopes.last().copied().unwrap_or_default()
    }
}

impl Lineage {
    /// Where what is in a scope stands, which itself stands here and is no process instance.
    #[must_use]
    pub fn within(&self, scope: ElementInstanceKey) -> Self {
        let mut line = self.line();
        line.scopes.push(scope);
        Self(Some(Arc::new(line)))
    }

    /// Where a process instance stands that is called from here.
    #[must_use]
    pub fn called(
        &self,
        instance: ProcessInstanceKey,
        definition: ProcessDefinitionKey,
        element: ElementNumber,
        caller: ElementInstanceKey,
    ) -> Self {
        let Line { mut calls, mut scopes } = self.line();
        scopes.push(caller);
        calls.push(Call { instance, definition, element, scopes });
        Self(Some(Arc::new(Line { calls, scopes: Vec::new() })))
    }

    /// The same calls, where an element instance that called is of another definition now.
    #[must_use]
    pub fn moved(
        &self,
        caller: ElementInstanceKey,
        definition: ProcessDefinitionKey,
        element: ElementNumber,
    ) -> Self {
        let mut line = self.line();
        for call in line.calls.iter_mut().filter(|call| call.caller() == caller) {
            (call.definition, call.element) = (definition, element);
        }
        Self(Some(Arc::new(line)))
    }

    fn line(&self) -> Line {
        self.0.as_deref().cloned().unwrap_or_default()
    }

    /// The calls that led to the process instance, the outermost first.
    pub fn calls(&self) -> &[Call] {
        self.0.as_deref().map_or(&[], |line| &line.calls)
    }

    /// The call that the process instance came from.
    pub fn call(&self) -> Option<&Call> {
        self.calls().last()
    }

    /// Scopes inside of the process instance, the outermost first.
    pub fn scopes(&self) -> &[ElementInstanceKey] {
        self.0.as_deref().map_or(&[], |line| &line.scopes)
    }
}

impl Field for Lineage {
    #[inline]
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if let Some(line) = &self.0 {
            line.write(number, out);
        }
    }

    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        if wire != Wire::Bytes {
            return Err(DecodeError::WireType { field: number });
        }
        self.0 = Some(Arc::new(Line::decode(reader.bytes()?)?));
        Ok(())
    }
}
