//! Scopes of variables: lookup, and the two ways of writing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coreto_feel::{Scope, Variable};
use coreto_machine::Txn;
use coreto_record::event::VariableSet;
use coreto_record::{Document, ElementInstanceKey, Event};

use crate::engine::Engine;
use crate::keys;
use crate::state::{ElementInstance, Name, Named, State};

/// The variables that are visible from a scope: those of the scope, then those of the scopes around it.
pub(crate) struct Visible<'a> {
    pub(crate) state: &'a State,
    pub(crate) scope: ElementInstanceKey,
}

impl Scope for Visible<'_> {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        value(self.state, self.scope, name).map(|text| Variable::Json(text.as_bytes()))
    }
}

/// The variables of a request by name; of one that is given twice the last counts, as where variables are written.
pub(crate) struct Given<'a>(BTreeMap<Cow<'a, str>, &'a str>);

impl<'a> Given<'a> {
    pub(crate) fn new(variables: &'a Document) -> Self {
        Self(variables.entries().collect())
    }
}

impl Scope for Given<'_> {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        self.0.get(name).map(|value| Variable::Json(value.as_bytes()))
    }
}

/// The value of a name as it is seen from a scope.
pub(crate) fn value<'a>(state: &'a State, scope: ElementInstanceKey, name: &str) -> Option<&'a str> {
    let mut scope = scope;
    // Bound: scopes are nested as elements are in their model.
    loop {
        if let Some(value) = local(state, scope, name) {
            return Some(value);
        }
        scope = around(state, scope)?;
    }
}

/// Whether exactly this scope has a variable of that name.
pub(crate) fn is_local(state: &State, scope: ElementInstanceKey, name: &str) -> bool {
    local(state, scope, name).is_some()
}

/// The value of a name in exactly this scope.
pub(crate) fn local<'a>(state: &'a State, scope: ElementInstanceKey, name: &str) -> Option<&'a str> {
    let pair: &dyn Named = &(scope, name);
    state.variables.find(pair).map(|variable| &*variable.value)
}

fn around(state: &State, scope: ElementInstanceKey) -> Option<ElementInstanceKey> {
    let element = state.elements.peek(&scope)?;
    (!element.is_root()).then_some(element.scope)
}

/// All variables of exactly this scope, by name.
pub(crate) fn all_local(
    state: &State,
    scope: ElementInstanceKey,
) -> impl Iterator<Item = (&Arc<str>, &Arc<crate::state::Variable>)> {
    let first = Name { scope, name: Arc::default() };
    state
        .variables
        .scan(&first, move |name| name.scope == scope)
        .map(|(name, variable)| (&name.name, variable))
}

/// A document of all variables of exactly this scope.
pub(crate) fn local_document(state: &State, scope: ElementInstanceKey) -> Document {
    let entries: Vec<_> =
        all_local(state, scope).map(|(name, variable)| (&**name, &*variable.value)).collect();
    Document::from_entries(&entries)
}

/// A document of what is visible from a scope: all, or the names that are asked for. `None` when it takes more than
/// `bytes_max`, which is found before anything is copied.
pub(crate) fn visible(
    state: &State,
    scope: ElementInstanceKey,
    fetch: &[Arc<str>],
    bytes_max: usize,
) -> Option<Document> {
    let entries = if fetch.is_empty() { all(state, scope) } else { named(state, scope, fetch) };
    (Document::size_of_entries(&entries) <= bytes_max).then(|| Document::from_entries(&entries))
}

/// The variables that are asked for, each once.
fn named<'a>(state: &'a State, scope: ElementInstanceKey, names: &'a [Arc<str>]) -> Vec<(&'a str, &'a str)> {
    let mut asked = BTreeSet::new();
    let once = names.iter().filter(|name| names.len() == 1 || asked.insert(&***name));
    once.filter_map(|name| Some((&**name, value(state, scope, name)?))).collect()
}

/// All variables that are visible from a scope: its own, then those of the scopes around it that they do not shadow.
fn all(state: &State, innermost: ElementInstanceKey) -> Vec<(&str, &str)> {
    let mut entries: Vec<(&str, &str)> = Vec::new();
    let mut next = Some(innermost);
    // Bound: scopes are nested as elements are in their model.
    while let Some(scope) = next {
        let hidden = !entries.is_empty();
        for (name, variable) in all_local(state, scope) {
            if !(hidden && is_shadowed(state, innermost, scope, name)) {
                entries.push((name, &variable.value));
            }
        }
        next = around(state, scope);
    }
    entries
}

/// Whether a scope on the way from the innermost one to `outer` has a variable of that name.
fn is_shadowed(state: &State, innermost: ElementInstanceKey, outer: ElementInstanceKey, name: &str) -> bool {
    let mut next = Some(innermost);
    while let Some(scope) = next.filter(|scope| *scope != outer) {
        if local(state, scope, name).is_some() {
            return true;
        }
        next = around(state, scope);
    }
    false
}

/// Writes every entry into exactly this scope.
pub(crate) fn merge_local<'a>(
    txn: &mut Txn<'_, Engine>,
    owner: &ElementInstance,
    scope: ElementInstanceKey,
    entries: impl Iterator<Item = (Cow<'a, str>, &'a str)>,
) {
    for (name, value) in entries {
        write(txn, owner, scope, &name, value);
    }
}

/// Writes each entry where its name is defined, from this scope up; what is defined nowhere goes to the root.
///
/// An entry that equals the local value is consumed there, as documented.
pub(crate) fn propagate<'a>(
    txn: &mut Txn<'_, Engine>,
    owner: &ElementInstance,
    scope: ElementInstanceKey,
    entries: impl Iterator<Item = (Cow<'a, str>, &'a str)>,
) {
    for (name, value) in entries {
        let mut target = scope;
        // Bound: scopes are nested as elements are in their model.
        while local(txn.state(), target, &name).is_none() {
            match around(txn.state(), target) {
                Some(next) => target = next,
                None => break,
            }
        }
        write(txn, owner, target, &name, value);
    }
}

/// Propagates all local variables of an element instance from the scope around it.
pub(crate) fn hand_out(txn: &mut Txn<'_, Engine>, owner: &ElementInstance, key: ElementInstanceKey) {
    let all: Vec<(Arc<str>, Arc<str>)> = all_local(txn.state(), key)
        .map(|(name, variable)| (Arc::clone(name), Arc::clone(&variable.value)))
        .collect();
    let entries = all.iter().map(|(name, value)| (Cow::Borrowed(&**name), &**value));
    propagate(txn, owner, owner.scope, entries);
}

/// Creates or updates one variable; an equal value is left alone.
fn write(
    txn: &mut Txn<'_, Engine>,
    owner: &ElementInstance,
    scope: ElementInstanceKey,
    name: &str,
    value: &str,
) {
    let pair: &dyn Named = &(scope, name);
    let set = |key, name: Arc<str>| VariableSet {
        key,
        scope,
        name,
        value: value.into(),
        instance: owner.instance,
        definition: owner.definition,
        tenant: owner.tenant,
    };
    let existing = txn.state().variables.find(pair).map(|variable| (variable.key, *variable.value == *value));
    let event = match existing {
        Some((_, true)) => return,
        Some((key, false)) => Event::VariableUpdated(set(key, name.into())),
        None => {
            let key = keys::next(txn);
            Event::VariableCreated(set(key, name.into()))
        }
    };
    txn.emit(&event);
}
