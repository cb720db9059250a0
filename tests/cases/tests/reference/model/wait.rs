//! What is waited for.

use super::{Id, Model, Role, State};
use crate::spec::{At, Expr, Kind, Trigger, Value};

/// An event that is waited for.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    /// The event.
    pub(crate) at: At,
    pub(crate) on: On,
    /// Later ones have larger numbers, and a cycle another one each time.
    pub(super) number: u64,
    /// A message is on its way.
    pub(super) is_taken: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum On {
    /// When it is due, and how many times more; for ever with -1.
    Timer {
        due: i64,
        left: i32,
    },
    Message {
        name: String,
        key: String,
    },
    Signal(String),
}

impl Model {
    /// The boundary events of an activity.
    pub(super) fn await_boundaries(&mut self, id: Id) {
        let node = &self.nodes[&id];
        if matches!(node.role, Role::Item(_)) {
            return;
        }
        let events: Vec<At> = self.processes[node.process].boundaries(node.at).collect();
        for at in events {
            self.await_event(id, at);
        }
    }

    /// What may happen in and to a scope in which something has begun.
    pub(super) fn await_in_scope(&mut self, id: Id) {
        let node = &self.nodes[&id];
        let events: Vec<At> = self.processes[node.process].event_starts(node.at).collect();
        for at in events {
            self.await_event(id, at);
        }
        self.await_boundaries(id);
    }

    pub(super) fn await_event(&mut self, id: Id, at: At) {
        let process = self.nodes[&id].process;
        let Some(on) = self.kind(process, at).trigger().and_then(|trigger| self.on(id, at, trigger)) else {
            return;
        };
        let number = self.next_wait();
        self.node(id).waits.push(Wait { at, on: on.clone(), number, is_taken: false });
        if let On::Message { name, .. } = on {
            self.look_for_kept(id, &name);
        }
    }

    pub(super) const fn next_wait(&mut self) -> u64 {
        self.last_wait += 1;
        self.last_wait
    }

    fn on(&self, id: Id, at: At, trigger: &Trigger) -> Option<On> {
        match trigger {
            Trigger::Timer(timing) => {
                let (due, left) = timing.first(self.now, self.begin);
                Some(On::Timer { due, left })
            }
            Trigger::Message { name, key } => {
                // The key of a boundary event is of the scope around.
                let node = &self.nodes[&id];
                let is_boundary = matches!(self.kind(node.process, at), Kind::Boundary(..));
                let scope = node.around.filter(|_| is_boundary).unwrap_or(id);
                let key = match self.evaluate(scope, &[], &Expr::Of(key.clone())) {
                    Value::Number(number) => number.to_string(),
                    Value::Null | Value::List(_) => "none".to_owned(),
                };
                Some(On::Message { name: name.clone(), key })
            }
            Trigger::Signal(name) => Some(On::Signal(name.clone())),
            Trigger::Error(_) => None,
        }
    }

    /// What sets off start events.
    pub(super) fn await_starts(&mut self) {
        let process = self.processes[self.latest].clone();
        for at in process.inside(0) {
            let on = match process.elements[at].kind.trigger() {
                Some(Trigger::Timer(timing)) if process.elements[at].scope == 0 => {
                    let (due, left) = timing.first(self.now, self.begin);
                    On::Timer { due, left }
                }
                Some(Trigger::Message { name, .. }) => On::Message { name: name.clone(), key: String::new() },
                Some(Trigger::Signal(name)) => On::Signal(name.clone()),
                _ => continue,
            };
            if let Kind::Start(_) = process.elements[at].kind {
                self.starts.push(Wait { at, on, number: 0, is_taken: false });
            }
        }
    }

    pub(crate) fn starts(&self) -> &[Wait] {
        &self.starts
    }

    /// All that is waited for, by whom: those who wait longest first. Start events wait without a node.
    pub(super) fn waiting(&self) -> Vec<(Option<Id>, Wait)> {
        let active = self.nodes.iter().filter(|(_, node)| node.state == State::Active);
        let of_node = |(id, node): (&Id, &super::Node)| {
            let id = Some(*id);
            node.waits.iter().map(move |wait| (id, wait.clone())).collect::<Vec<_>>()
        };
        let mut waiting: Vec<_> = active.flat_map(of_node).collect();
        waiting.sort_by_key(|(id, _)| {
            id.map(|id| (self.nodes[&id].home, self.nodes[&id].key.unwrap_or(u64::MAX), id))
        });
        waiting.extend(self.starts.iter().map(|wait| (None, wait.clone())));
        waiting
    }
}
