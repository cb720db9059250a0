//! What the engine asks of itself.

use coreto_machine::message;

use crate::key::{ElementInstanceKey, ElementNumber, ProcessInstanceKey};

message! {
    /// Enters an element.
    pub struct ActivateElement {
        /// The process instance.
        1 => pub instance: ProcessInstanceKey,
        /// The scope around the element; unset for the process itself.
        2 => pub scope: ElementInstanceKey,
        /// The element.
        3 => pub element: ElementNumber,
        /// The key that the element instance will have, or unset when it gets one on activation.
        4 => pub key: ElementInstanceKey,
        /// Which repetition of its activity it is, from 1; 0 for what is not repeated.
        5 => pub loop_counter: u32,
        /// No token comes for it: it is entered by hand.
        6 => pub beside: bool,
        /// It is where its scope begins, which counts it as a token on its way.
        7 => pub begins: bool,
    }
}

message! {
    /// Enters repetitions of an activity, a bounded number at a time.
    pub struct ActivateChildren {
        /// The element instance around the repetitions.
        1 => pub scope: ElementInstanceKey,
        /// The first that is left, from 1.
        2 => pub from: u32,
    }
}

message! {
    /// Leaves an element.
    pub struct CompleteElement {
        /// The element instance.
        1 => pub key: ElementInstanceKey,
    }
}

message! {
    /// Ends an element instance that has ended what it held.
    pub struct ContinueTermination {
        /// The element instance.
        1 => pub key: ElementInstanceKey,
    }
}

message! {
    /// Ends an element instance early.
    pub struct TerminateElement {
        /// The element instance.
        1 => pub key: ElementInstanceKey,
    }
}

message! {
    /// Ends the children of an element instance, a bounded number at a time.
    pub struct TerminateChildren {
        /// The element instance whose children end.
        1 => pub scope: ElementInstanceKey,
        /// Children with a smaller key were told already.
        2 => pub from: ElementInstanceKey,
    }
}
