//! An instance is changed by hand.

use std::collections::BTreeSet;

use super::{Id, Model, Role, State, Step};
use crate::spec::{At, Kind, Values};

/// What is done to an instance by hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    /// Elements that are entered, in which node, and with which variables of their own.
    pub(crate) enter: Vec<(At, Option<Id>, Values)>,
    pub(crate) end: Vec<Id>,
}

/// Where an element is entered: the scope that is there, and those in it that are not.
struct Place {
    scope: Id,
    missing: Vec<At>,
}

impl Model {
    /// Whether the change is accepted; else nothing is done.
    pub(crate) fn change(&mut self, root: Id, change: &Change) -> bool {
        let find = |model: &Self, (at, within, _): &(At, Option<Id>, Values)| model.place(root, *at, *within);
        let Some(places) = change.enter.iter().map(|it| find(self, it)).collect::<Option<Vec<_>>>() else {
            return false;
        };
        let needed = places.iter().flat_map(|place| self.around(place.scope)).collect();
        let ends = self.emptied(&change.end, &needed);
        if ends.contains(&root) && self.nodes[&root].around.is_some() {
            return false;
        }
        for (entered, before) in change.enter.iter().zip(places) {
            // What was missing may have come with an earlier one.
            let place = find(self, entered).unwrap_or(before);
            self.enter_by_hand(entered.0, &place, entered.2.clone());
        }
        if !change.enter.is_empty() && !change.end.is_empty() {
            // What follows from the one goes on beside the other.
            self.happened += 2;
        }
        let outermost =
            ends.iter().filter(|id| self.nodes[id].around.is_none_or(|around| !ends.contains(&around)));
        let steps: Vec<Step> = outermost.map(|id| Step::End(*id)).collect();
        self.steps.extend(steps);
        self.settle();
        true
    }

    /// The node and all around it in its instance.
    fn around(&self, id: Id) -> Vec<Id> {
        let next = |id: &Id| self.nodes[id].around.filter(|_| self.nodes[id].role != Role::Root);
        std::iter::successors(Some(id), next).collect()
    }

    fn place(&self, root: Id, at: At, within: Option<Id>) -> Option<Place> {
        let process = &self.processes[self.nodes[&root].process];
        let element = &process.elements[at];
        let behind_gateway =
            process.elements.iter().any(|it| it.kind == Kind::First && it.flows.contains(&at));
        if matches!(element.kind, Kind::Process | Kind::Start(_) | Kind::Boundary(..)) || behind_gateway {
            return None;
        }
        let next = |at: &At| Some(process.elements[*at].scope).filter(|scope| *scope != 0);
        let mut scopes: Vec<At> = std::iter::successors(Some(at), next).skip(1).collect();
        scopes.reverse();
        if scopes.iter().any(|scope| process.elements[*scope].repeat.is_some()) {
            return None;
        }
        let mut scope = root;
        if let Some(within) = within {
            let known = scopes.iter().position(|scope| *scope == self.nodes[&within].at);
            scopes.drain(..known.map_or(0, |known| known + 1));
            if known.is_none() && within != root {
                return None;
            }
            scope = within;
        } else {
            while let Some(next) = scopes.first() {
                let is_there = |child: &Id| {
                    let child = &self.nodes[child];
                    child.at == *next && child.state == State::Active
                };
                let found: Vec<Id> = self.children(scope).into_iter().filter(is_there).collect();
                match found[..] {
                    [] => break,
                    [one] => scope = one,
                    _ => return None,
                }
                scopes.remove(0);
            }
        }
        let next = *scopes.first().unwrap_or(&at);
        self.admits(scope, next).then_some(Place { scope, missing: scopes })
    }

    /// An instance begins at some of its elements. Says whether that is possible.
    pub(super) fn begin_at(&mut self, root: Id, starts: &[At]) -> bool {
        if starts.iter().any(|at| self.place(root, *at, None).is_none()) {
            return false;
        }
        self.await_in_scope(root);
        for at in starts {
            if let Some(place) = self.place(root, *at, None) {
                self.enter_by_hand(*at, &place, Values::new());
            }
        }
        true
    }

    fn enter_by_hand(&mut self, at: At, place: &Place, values: Values) {
        let process = self.nodes[&place.scope].process;
        let mut scope = place.scope;
        for missing in &place.missing {
            scope = self.add(Some(scope), process, *missing, Role::Plain);
            self.await_in_scope(scope);
        }
        let role =
            if self.processes[process].elements[at].repeat.is_some() { Role::Loop } else { Role::Plain };
        let id = self.add(Some(scope), process, at, role);
        self.node(id).variables.extend(values);
        self.node(id).state = State::New;
        self.steps.push_back(Step::Begin(id));
    }

    pub(super) fn begin_by_hand(&mut self, id: Id) {
        let Some(node) = self.nodes.get(&id).filter(|node| node.state == State::New) else { return };
        if node.around.is_some_and(|scope| self.admits(scope, node.at)) {
            self.node(id).state = State::Active;
            self.begin(id);
        }
    }

    /// Nodes that end, and scopes in which nothing is left then that is needed.
    fn emptied(&self, ended: &[Id], needed: &BTreeSet<Id>) -> BTreeSet<Id> {
        let mut ends: BTreeSet<Id> = ended.iter().copied().collect();
        for id in ended {
            let mut id = *id;
            while let Some(scope) = self.nodes[&id].around.filter(|_| self.nodes[&id].role != Role::Root) {
                let node = &self.nodes[&scope];
                let is_empty = self.children(scope).iter().all(|child| ends.contains(child));
                if !is_empty
                    || needed.contains(&scope)
                    || !node.tokens.is_empty()
                    || node.state != State::Active
                {
                    break;
                }
                ends.insert(scope);
                id = scope;
            }
        }
        ends
    }
}
