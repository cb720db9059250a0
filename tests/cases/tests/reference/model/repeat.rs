//! Activities that are repeated.

use super::{Id, Model, Role, State, Step};
use crate::spec::{Expr, Repeat, Value};

impl Model {
    fn repeat(&self, id: Id) -> Repeat {
        self.element(id).repeat.expect("it is repeated")
    }

    pub(super) fn begin_loop(&mut self, id: Id) {
        let repeat = self.repeat(id);
        self.await_boundaries(id);
        if repeat.result.is_some() {
            let results = Value::List(vec![Value::Null; repeat.items]);
            self.node(id).variables.insert(repeat.results(), results);
        }
        match repeat.items {
            0 => self.steps.push_back(Step::Leave(id)),
            _ if repeat.in_turn => self.steps.push_back(Step::Item(id)),
            _ => self.steps.push_back(Step::Items(id)),
        }
    }

    pub(super) fn begin_items(&mut self, id: Id) {
        if self.nodes.contains_key(&id) {
            let items = self.repeat(id).items;
            self.steps.extend((0..items).map(|_| Step::Item(id)));
        }
    }

    pub(super) fn begin_item(&mut self, id: Id) {
        let at = self.nodes.get(&id).map(|node| node.at);
        if !at.is_some_and(|at| self.admits(id, at)) || self.nodes[&id].is_enough {
            return;
        }
        let repeat = self.repeat(id);
        let node = self.node(id);
        node.begun += 1;
        let (process, at, number) = (node.process, node.at, node.begun);
        let item = self.add(Some(id), process, at, Role::Item(number));
        let count = Value::Number(i64::try_from(number).unwrap());
        let locals = &mut self.node(item).variables;
        locals.insert(repeat.item(), count.clone());
        if let Some(Expr::Of(name)) = &repeat.result
            && *name != repeat.item()
        {
            locals.insert(name.clone(), Value::Null);
        }
        locals.insert("loopCounter".to_owned(), count);
        self.begin(item);
    }

    /// A repetition is done: its result is collected.
    pub(super) fn end_item(&mut self, id: Id, number: usize) {
        let repeat = self.repeat(id);
        let result = repeat.result.as_ref().map(|result| self.evaluate(id, &[], result));
        let of = self.nodes[&id].around.expect("it is one of a loop");
        self.nodes.remove(&id);
        self.writes.push((of, repeat.results()));
        let node = self.node(of);
        if let (Some(result), Some(Value::List(list))) = (result, node.variables.get_mut(&repeat.results())) {
            list[number - 1] = result;
        }
        node.completed += 1;
        node.is_enough = repeat.enough.is_some_and(|enough| node.completed >= enough);
        if node.is_enough {
            self.end_children(of);
        } else if repeat.in_turn && self.nodes[&of].begun < repeat.items {
            return self.steps.push_back(Step::Item(of));
        }
        self.go_on_with_loop(of);
    }

    /// A loop in which nothing is left, and nothing comes, is left.
    pub(super) fn go_on_with_loop(&mut self, id: Id) {
        let node = &self.nodes[&id];
        let is_done = node.is_enough || node.begun >= self.repeat(id).items;
        if node.state == State::Active && is_done && self.children(id).is_empty() {
            self.steps.push_back(Step::Leave(id));
        }
    }
}
