//! Variables by scope and name, found without making a key.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::sync::Arc;

use coreto_machine::{DecodeError, table};
use coreto_record::{ElementInstanceKey, VariableKey};

coreto_machine::message! {
    /// One variable.
    pub(crate) struct Variable {
        /// Its key.
        1 => pub(crate) key: VariableKey,
        /// Its value as JSON text.
        2 => pub(crate) value: Arc<str>,
    }
}

/// A variable's scope and name, as a key of the table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) scope: ElementInstanceKey,
    pub(crate) name: Arc<str>,
}

/// A scope and a name, however they are held.
pub(crate) trait Named {
    /// The pair.
    fn pair(&self) -> (ElementInstanceKey, &str);
}

impl Named for Name {
    fn pair(&self) -> (ElementInstanceKey, &str) {
        (self.scope, &self.name)
    }
}

impl Named for (ElementInstanceKey, &str) {
    fn pair(&self) -> (ElementInstanceKey, &str) {
        *self
    }
}

impl<'a> Borrow<dyn Named + 'a> for Name {
    fn borrow(&self) -> &(dyn Named + 'a) {
        self
    }
}

impl PartialEq for dyn Named + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.pair() == other.pair()
    }
}

impl Eq for dyn Named + '_ {}

impl PartialOrd for dyn Named + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn Named + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.pair().cmp(&other.pair())
    }
}

impl table::Key for Name {
    fn encode_key(&self, out: &mut Vec<u8>) {
        self.scope.encode_key(out);
        self.name.encode_key(out);
    }

    fn decode_key(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { scope: table::Key::decode_key(bytes)?, name: table::Key::decode_key(bytes)? })
    }
}
