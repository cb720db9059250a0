//! Elements are entered.

use std::collections::BTreeMap;

use super::{Id, Job, Model, Role, State, Step};
use crate::spec::{At, Expr, Kind, Value, Values};

impl Model {
    pub(super) fn enter(&mut self, scope: Id, at: At, from: Option<At>) {
        if !self.admits(scope, at) {
            return;
        }
        let process = self.nodes[&scope].process;
        if let Some(from) = from
            && !self.take_tokens(scope, process, at, from)
        {
            return;
        }
        let repeats = self.processes[process].elements[at].repeat.is_some();
        let id = self.add(Some(scope), process, at, if repeats { Role::Loop } else { Role::Plain });
        self.begin(id);
    }

    /// Takes the token that came; where branches join, one of each. Says whether the element is entered.
    fn take_tokens(&mut self, scope: Id, process: usize, at: At, from: At) -> bool {
        let elements = &self.processes[process].elements;
        let needed: Vec<At> = if elements[at].kind == Kind::Parallel {
            (0..elements.len()).filter(|source| elements[*source].flows.contains(&at)).collect()
        } else {
            vec![from]
        };
        let tokens = &mut self.node(scope).tokens;
        if !needed.iter().all(|source| tokens.contains(&(*source, at))) {
            return false;
        }
        for source in needed {
            let taken = tokens.iter().position(|token| *token == (source, at)).expect("it is there");
            tokens.remove(taken);
        }
        true
    }

    /// What happens when an element is entered, and again when that failed before.
    pub(super) fn begin(&mut self, id: Id) {
        if self.nodes[&id].role == Role::Loop {
            return self.begin_loop(id);
        }
        let element = self.element(id);
        if !self.map_inputs(id, &element) {
            self.node(id).state = State::Stuck;
            return;
        }
        match element.kind {
            Kind::Process | Kind::Scope | Kind::EventScope => {
                let at = self.processes[self.nodes[&id].process].start(self.nodes[&id].at);
                self.steps.push_back(Step::Enter { scope: id, at, from: None });
            }
            Kind::Start(_) => {
                // What set an event subprocess off is for its start event.
                let scope = self.nodes[&id].around.expect("a start event is in a scope");
                self.node(id).given = std::mem::take(&mut self.node(scope).given);
                self.steps.push_back(Step::Leave(id));
            }
            Kind::Pass | Kind::End | Kind::Terminate => self.steps.push_back(Step::Leave(id)),
            Kind::Broadcast(name) => {
                let values = self.nodes[&id].variables.clone().into_iter().collect();
                let home = self.nodes[&id].home;
                self.steps.extend([Step::Broadcast(home, name, values), Step::Leave(id)]);
            }
            Kind::Choice { name, is_strict: true, .. }
                if !matches!(self.evaluate(id, &[], &Expr::Of(name.clone())), Value::Number(_)) =>
            {
                self.node(id).state = State::Stuck;
            }
            Kind::Parallel | Kind::Merge | Kind::Choice { .. } => self.leave(id),
            Kind::Task(_) => {
                self.await_boundaries(id);
                self.node(id).job = Some(Job::Ready);
            }
            Kind::Compute(name, expression) => {
                let value = self.evaluate(id, &[], &expression);
                if expression.fails(&value) {
                    self.node(id).state = State::Stuck;
                    return;
                }
                self.await_boundaries(id);
                self.node(id).given = vec![(name, value)];
                self.steps.push_back(Step::Leave(id));
            }
            Kind::Wait { .. } => self.await_event(id, self.nodes[&id].at),
            Kind::First => element.flows.iter().for_each(|at| self.await_event(id, *at)),
            Kind::Call { process, takes_all, .. } => {
                self.await_boundaries(id);
                let root = self.add(Some(id), process, 0, Role::Root);
                self.node(root).variables = match (takes_all, element.inputs.is_empty()) {
                    (true, _) => self.visible(id),
                    (false, true) => BTreeMap::default(),
                    (false, false) => self.nodes[&id].variables.clone(),
                };
                self.begin(root);
            }
            Kind::Throw(code) => {
                let scope = self.nodes[&id].around.expect("an end event is in a scope");
                if !self.throw_from(scope, &code, Values::new()) {
                    self.node(id).state = State::Stuck;
                }
            }
            Kind::Boundary(..) => unreachable!("a boundary event is set off"),
        }
    }

    /// An event has happened that is a node of its own, and goes on with what it brought.
    pub(super) fn arise(&mut self, scope: Id, at: At, values: Values) -> Id {
        let process = self.nodes[&scope].process;
        let id = self.add(Some(scope), process, at, Role::Plain);
        self.node(id).given = values;
        if *self.kind(process, at) == Kind::EventScope {
            self.begin(id);
        } else {
            self.steps.push_back(Step::Leave(id));
        }
        id
    }
}
