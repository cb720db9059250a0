//! Process instances that move to another definition.

use coreto_machine::message;

use super::element::ElementChanged;
use crate::key::ElementNumber;

message! {
    /// An element instance, as it is after something moved: itself, or a process instance that led to its own.
    pub struct ElementMigrated {
        /// What it is now. Where it stands in its life has not changed.
        1 => pub element: ElementChanged,
        /// The only element that may still be entered in it; the process itself when that is any.
        2 => pub interrupted_by: ElementNumber,
    }
}
