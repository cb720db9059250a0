//! Elements are left, or ended before that.

use super::{Id, Model, Node, Role, State, Step};
use crate::spec::{At, Expr, Kind, Value};

impl Model {
    pub(super) fn leave(&mut self, id: Id) {
        let Some(node) = self.nodes.get(&id).filter(|node| node.state == State::Active) else { return };
        let inside = node.around.filter(|_| node.role != Role::Root);
        if inside.is_some_and(|scope| !self.admits(scope, node.at)) {
            return;
        }
        // Enough repetitions are done: no other one is.
        if inside.is_some_and(|scope| self.nodes[&scope].role == Role::Loop && self.nodes[&scope].is_enough) {
            return;
        }
        let way = self.way(id);
        if self.nodes[&id].chosen.is_none() {
            self.hand_out(id);
        }
        if let Kind::Start(_) = self.element(id).kind {
            self.await_in_scope(inside.expect("a start event is in a scope"));
        }
        if let Role::Item(item) = self.nodes[&id].role {
            return self.end_item(id, item);
        }
        let node = self.remove(id);
        match inside {
            Some(scope) if node.chosen.is_some() => {
                let at = node.chosen.expect("it is there");
                self.arise(scope, at, node.given);
            }
            None => self.complete_instance(id, &node),
            Some(scope) if *self.kind(node.process, node.at) == Kind::Terminate => self.stop(scope, node.at),
            Some(scope) => self.go_on(scope, node.at, way),
        }
    }

    /// Where it goes on.
    fn way(&self, id: Id) -> Vec<At> {
        let element = self.element(id);
        match &element.kind {
            Kind::Choice { name, limit, .. } => {
                let value = self.evaluate(id, &[], &Expr::Of(name.clone()));
                let is_above = matches!(value, Value::Number(number) if number > *limit);
                vec![element.flows[usize::from(!is_above)]]
            }
            _ => element.flows,
        }
    }

    fn go_on(&mut self, scope: Id, at: At, way: Vec<At>) {
        if way.is_empty() {
            return self.end_path(scope);
        }
        for target in way {
            self.node(scope).tokens.push((at, target));
            self.steps.push_back(Step::Enter { scope, at: target, from: Some(at) });
        }
    }

    /// A scope in which nothing is left is left itself.
    fn end_path(&mut self, scope: Id) {
        if self.nodes[&scope].tokens.is_empty() && self.children(scope).is_empty() {
            self.steps.push_back(Step::Leave(scope));
        }
    }

    /// Something ends all else in a scope.
    pub(super) fn stop(&mut self, scope: Id, at: At) {
        let node = self.node(scope);
        node.stopped = Some(at);
        node.tokens.clear();
        self.end_children(scope);
        self.child_ended(scope);
    }

    pub(super) fn end_children(&mut self, scope: Id) {
        if !self.children(scope).is_empty() {
            self.steps.push_back(Step::EndInside(scope));
        }
    }

    /// Ends what is in a node, but for what has ended all else in it.
    pub(super) fn end_inside(&mut self, scope: Id) {
        let Some(node) = self.nodes.get(&scope).cloned() else { return };
        let is_left_out = |child: &Id| {
            let is_last = node.state == State::Active && node.pending.is_none();
            is_last && node.stopped.is_some_and(|stopped| stopped == self.nodes[child].at)
        };
        let children: Vec<Id> =
            self.children(scope).into_iter().filter(|child| !is_left_out(child)).collect();
        self.steps.extend(children.into_iter().map(Step::End));
    }

    /// Ends a node with all that is in it.
    pub(super) fn end(&mut self, id: Id) {
        let Some(node) = self.nodes.get_mut(&id).filter(|node| node.state != State::Ending) else { return };
        node.state = State::Ending;
        node.waits.clear();
        node.job = None;
        self.end_children(id);
        self.child_ended(id);
    }

    /// Something in a node has ended early, perhaps the last.
    fn child_ended(&mut self, id: Id) {
        let Some(node) = self.nodes.get(&id).cloned() else { return };
        if !self.children(id).is_empty() {
            return;
        }
        if node.state == State::Ending {
            self.ended(id);
        } else if node.role == Role::Loop {
            self.go_on_with_loop(id);
        } else if let (Some(stopped), pending) = (node.stopped, &node.pending) {
            match pending {
                Some((at, values)) if *at == stopped => {
                    self.node(id).pending = None;
                    self.arise(id, stopped, values.clone());
                }
                _ => self.steps.push_back(Step::Leave(id)),
            }
        } else {
            // All other ways in it have ended before.
            self.end_path(id);
        }
    }

    /// A node has ended early; a boundary event may go on in its place.
    fn ended(&mut self, id: Id) {
        let node = self.remove(id);
        let Some(around) = node.around else { return self.release(id) };
        match node.pending {
            Some((at, values)) if node.role != Role::Root && self.admits(around, at) => {
                self.arise(around, at, values);
            }
            _ => self.child_ended(around),
        }
    }

    fn remove(&mut self, id: Id) -> Node {
        self.nodes.remove(&id).expect("the node is there")
    }

    /// A process instance has completed: whoever called it may go on with its variables.
    fn complete_instance(&mut self, id: Id, node: &Node) {
        let Some(call) = node.around else { return self.release(id) };
        if self.nodes[&call].state == State::Ending {
            return self.child_ended(call);
        }
        let element = self.element(call);
        if matches!(element.kind, Kind::Call { gives_all: true, .. }) || !element.outputs.is_empty() {
            self.node(call).given = node.variables.clone().into_iter().collect();
        }
        self.steps.push_back(Step::Leave(call));
    }
}
