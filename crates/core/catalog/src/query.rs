//! Questions to the owner of the state. Whoever reads much reads a replica, by the functions of [`State`].

use std::sync::Arc;

use coreto_machine::Caller;

use crate::state::{Entry, Name, Place, SessionEntry, State};

/// A question.
#[derive(Clone, Debug)]
pub enum Query {
    /// Where the instances of a service are.
    Instances(Name),
    /// A key.
    Entry(Name),
    /// A session.
    Session(Name),
}

/// Its answer. What belongs to another tenant is not found.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Where they are, in order of node and identifier.
    Instances(Vec<Place>),
    /// The key, if it is there.
    Entry(Option<Arc<Entry>>),
    /// The session, if it is there.
    Session(Option<Arc<SessionEntry>>),
}

pub(crate) fn answer(state: &State, caller: &Caller, query: &Query) -> Answer {
    let seen = |name: &Name| caller.sees(name.0);
    match query {
        Query::Instances(name) if seen(name) => Answer::Instances(state.instances_of(name).collect()),
        Query::Instances(_) => Answer::Instances(Vec::new()),
        Query::Entry(name) => Answer::Entry(state.entries.get(name).filter(|_| seen(name))),
        Query::Session(name) => Answer::Session(state.sessions.get(name).filter(|_| seen(name))),
    }
}
