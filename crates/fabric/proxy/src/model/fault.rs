//! What is wrong with a model.

use std::fmt;

/// One thing that is wrong, with where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The place in the model: `route[3].retry.attempts`, counted from 0.
    pub at: String,
    /// What was found there, and what to do.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.message)
    }
}

/// Collects faults below one place of the model.
pub(crate) struct Faults<'a> {
    list: &'a mut Vec<Fault>,
    place: String,
}

impl<'a> Faults<'a> {
    pub(crate) fn new(list: &'a mut Vec<Fault>, place: String) -> Self {
        Self { list, place }
    }

    /// Notes a fault of a key below the place.
    pub(crate) fn push(&mut self, key: &str, message: impl Into<String>) {
        let at = format!("{}.{key}", self.place);
        self.list.push(Fault { at, message: message.into() });
    }

    /// Notes the fault if there is one, and gives what there is else.
    pub(crate) fn keep<T>(&mut self, key: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.push(key, message)).ok()
    }

    /// Notes a fault when the condition does not hold.
    pub(crate) fn demand(&mut self, holds: bool, key: &str, message: impl Into<String>) {
        if !holds {
            self.push(key, message);
        }
    }
}
