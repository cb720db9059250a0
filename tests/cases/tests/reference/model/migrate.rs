//! The first process has another version, and instances move to it.

use super::{Id, Model, Role, State};
use crate::spec::{At, Kind, Trigger};

impl Model {
    /// The other version is deployed: what begins from now on is of it.
    pub(crate) fn deploy_again(&mut self) {
        self.latest = self.processes.len() - 1;
        self.starts.clear();
        self.await_starts();
    }

    pub(crate) const fn is_deployed_again(&self) -> bool {
        self.latest != 0
    }

    /// A process, whatever its version.
    pub(super) fn of_any_version(&self, process: usize) -> usize {
        if process + 1 == self.processes.len() { 0 } else { process }
    }

    /// The other version of a process that has two.
    pub(crate) fn other_version(&self, process: usize) -> usize {
        if process == 0 { self.processes.len() - 1 } else { 0 }
    }

    /// An instance becomes one of the other version, in which everything is mapped to itself but for these events. Says
    /// whether that is possible.
    pub(crate) fn migrate(&mut self, root: Id, unmapped: &[At]) -> bool {
        let target = self.other_version(self.nodes[&root].process);
        // Who is around another one was there before.
        let inside: Vec<Id> = self.nodes.keys().copied().filter(|id| self.root(*id) == root).collect();
        if !inside.iter().all(|id| self.may_migrate(*id, unmapped)) {
            return false;
        }
        for id in inside {
            self.node(id).process = target;
            self.node(id).waits.retain(|wait| !unmapped.contains(&wait.at));
            for at in self.begun_anew(id, unmapped) {
                self.await_event(id, at);
            }
        }
        self.settle();
        true
    }

    /// Nothing is on its way in it, and it would not wait for one message twice.
    fn may_migrate(&self, id: Id, unmapped: &[At]) -> bool {
        let node = &self.nodes[&id];
        let rests = matches!(node.state, State::Active | State::Stuck);
        let waits = |name: &str| {
            let of_message = |at: At| match self.kind(node.process, at).trigger() {
                Some(Trigger::Message { name, .. }) => Some(name.clone()),
                _ => None,
            };
            node.waits.iter().any(|wait| of_message(wait.at).is_some_and(|waited| waited == name))
        };
        let is_doubled = |at: &At| match self.kind(node.process, *at).trigger() {
            Some(Trigger::Message { name, .. }) => waits(name),
            _ => false,
        };
        rests
            && node.tokens.is_empty()
            && node.pending.is_none()
            && !self.begun_anew(id, unmapped).iter().any(is_doubled)
    }

    /// Events that are not mapped, for which a node waits from the beginning.
    fn begun_anew(&self, id: Id, unmapped: &[At]) -> Vec<At> {
        let node = &self.nodes[&id];
        if node.state != State::Active {
            return Vec::new();
        }
        let process = &self.processes[node.process];
        let mut events = Vec::new();
        match &process.elements[node.at].kind {
            Kind::First => events.clone_from(&process.elements[node.at].flows),
            Kind::Process | Kind::Scope | Kind::EventScope
                if node.role != Role::Loop && node.stopped.is_none() =>
            {
                events.extend(process.event_starts(node.at));
            }
            _ => (),
        }
        if !matches!(node.role, Role::Item(_)) {
            events.extend(process.boundaries(node.at));
        }
        events.retain(|at| unmapped.contains(at));
        events
    }
}
