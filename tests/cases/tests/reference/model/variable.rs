//! Variables: who sees them, and where they are written.

use std::collections::BTreeMap;

use super::{Id, Model, Role};
use crate::spec::{Element, Expr, Kind, Trigger, Value, Values};

/// In the place of a name, where all variables of a scope are read.
const ALL: &str = "*";

impl Model {
    /// What a node sees around it, itself first.
    fn scopes(&self, id: Id) -> Vec<Id> {
        let mut scopes = vec![id];
        let mut last = id;
        while self.nodes[&last].role != Role::Root {
            last = self.nodes[&last].around.expect("only a root may have nothing around it");
            scopes.push(last);
        }
        scopes
    }

    /// All that is seen from a node.
    pub(super) fn visible(&self, id: Id) -> BTreeMap<String, Value> {
        let outermost_first = self.scopes(id).into_iter().rev();
        self.reads.borrow_mut().extend(self.scopes(id).into_iter().map(|scope| (scope, ALL.to_owned())));
        outermost_first.flat_map(|scope| self.nodes[&scope].variables.clone()).collect()
    }

    /// The value of an expression, where some names have been given values already.
    pub(super) fn evaluate(&self, id: Id, before: &[(String, Value)], expression: &Expr) -> Value {
        let value = |name: &String| {
            let before = before.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
            let visible = || {
                let scopes = self.scopes(id);
                self.reads.borrow_mut().extend(scopes.iter().map(|scope| (*scope, name.clone())));
                scopes.into_iter().find_map(|scope| self.nodes[&scope].variables.get(name))
            };
            before.or_else(visible).cloned().unwrap_or(Value::Null)
        };
        match expression {
            Expr::Fixed(number) => Value::Number(*number),
            Expr::Of(name) | Expr::Sure(name) => value(name),
            Expr::Plus(name, more) => match value(name) {
                Value::Number(number) => Value::Number(number + more),
                Value::Null | Value::List(_) => Value::Null,
            },
        }
    }

    /// The results of mappings, of which later ones see earlier ones.
    fn map(&self, id: Id, mappings: &[(String, Expr)]) -> Values {
        let mut results = Values::new();
        for (target, source) in mappings {
            results.push((target.clone(), self.evaluate(id, &results, source)));
        }
        results
    }

    /// Gives an element its variables. Says whether that is possible; if not, it gets none.
    pub(super) fn map_inputs(&mut self, id: Id, element: &Element) -> bool {
        let inputs = self.map(id, &element.inputs);
        let fails = |((_, source), (_, value)): (&(String, Expr), &(String, Value))| source.fails(value);
        let is_sound = !element.inputs.iter().zip(&inputs).any(fails);
        if is_sound {
            self.node(id).variables.extend(inputs);
        }
        is_sound
    }

    /// Writes each value where its name is known, from a scope on up, or else at the root.
    pub(super) fn propagate(&mut self, from: Id, values: Values) {
        let scopes = self.scopes(from);
        for (name, value) in values {
            let knows = |scope: &&Id| self.nodes[scope].variables.contains_key(&name);
            let target = *scopes.iter().find(knows).or(scopes.last()).expect("there is a root");
            self.writes.push((target, name.clone()));
            self.node(target).variables.insert(name, value);
        }
    }

    /// An action begins.
    pub(crate) fn begin_action(&mut self) {
        self.writes.clear();
        self.reads.take();
        self.happened = 0;
    }

    /// Whether more than one thing happened at once in the last action.
    pub(crate) const fn is_mixed(&self) -> bool {
        self.happened > 1
    }

    /// Whether a variable was written, and written or read once more, so that it matters who came first.
    pub(crate) fn has_race(&self) -> bool {
        let reads = self.reads.borrow();
        let again = |at: usize| {
            let (scope, name) = &self.writes[at];
            let is_read = |read: &&(Id, String)| read.0 == *scope && (read.1 == *name || read.1 == ALL);
            self.writes[at + 1..].contains(&self.writes[at]) || reads.iter().any(|read| is_read(&read))
        };
        (0..self.writes.len()).any(again)
    }

    /// What an element leaves behind.
    pub(super) fn hand_out(&mut self, id: Id) {
        let element = self.element(id);
        let given = std::mem::take(&mut self.node(id).given);
        let node = &self.nodes[&id];
        if node.role == Role::Loop {
            let results = element.repeat.map(|repeat| repeat.results()).unwrap_or_default();
            if let Some(list) = node.variables.get(&results).cloned() {
                self.propagate(node.around.expect("a loop is in a scope"), vec![(results, list)]);
            }
        } else if !element.outputs.is_empty() {
            // Those of a repetition may stay in it.
            let around = node.around.filter(|_| !matches!(node.role, Role::Item(_)));
            self.node(id).variables.extend(given);
            let results = self.map(id, &element.outputs);
            self.propagate(around.unwrap_or(id), results);
        } else if !is_dropped(&element.kind) {
            self.propagate(id, given);
        }
    }
}

/// What comes with an error is for mappings alone.
fn is_dropped(kind: &Kind) -> bool {
    matches!(kind, Kind::Boundary(_, catch) if matches!(catch.trigger, Trigger::Error(_)))
}
