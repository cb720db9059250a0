//! Events happen: time passes, signals and errors come.

use super::wait::On;
use super::{Id, Model, Role, State, Step, Wait};
use crate::spec::{At, Kind, Trigger, Values};

impl Model {
    /// Something that is waited for has happened. Says whether it was taken.
    pub(super) fn set_off(&mut self, id: Id, at: At, values: Values) -> bool {
        let Some(node) = self.nodes.get(&id).filter(|node| node.state == State::Active).cloned() else {
            return false;
        };
        self.happened += 1;
        let kind = self.kind(node.process, at).clone();
        let scope = node.around.unwrap_or(id);
        match kind {
            // What ends it already is the last that happens to it.
            Kind::Boundary(..) if self.is_being_ended(id) => return false,
            Kind::Boundary(..) if kind.interrupts() => {
                self.node(id).pending = Some((at, values));
                self.steps.push_back(Step::End(id));
            }
            Kind::Boundary(..) => drop(self.arise(scope, at, values)),
            Kind::Start(_) if node.stopped.is_some() || self.is_being_ended(id) => return false,
            Kind::Start(_) => self.set_off_inside(id, at, values),
            Kind::Wait { .. } if node.waits.is_empty() => return false,
            _ => {
                let is_gateway = *self.kind(node.process, node.at) == Kind::First;
                let node = self.node(id);
                node.waits.clear();
                node.given = values;
                node.chosen = is_gateway.then_some(at);
                self.steps.push_back(Step::Leave(id));
            }
        }
        true
    }

    /// Whether a boundary event has been set off that ends the node.
    fn is_being_ended(&self, id: Id) -> bool {
        let node = &self.nodes[&id];
        let is_boundary = |at: At| matches!(self.kind(node.process, at), Kind::Boundary(..));
        node.pending.as_ref().is_some_and(|(at, _)| is_boundary(*at))
    }

    /// An event subprocess begins, perhaps in the place of all else.
    fn set_off_inside(&mut self, id: Id, start: At, values: Values) {
        let process = self.processes[self.nodes[&id].process].clone();
        let event = process.elements[start].scope;
        if !process.elements[start].kind.interrupts() {
            self.arise(id, event, values);
            return;
        }
        let node = self.node(id);
        node.pending = Some((event, values));
        node.waits.retain(|wait| matches!(process.elements[wait.at].kind, Kind::Boundary(..)));
        self.stop(id, event);
    }

    /// A wait has been fulfilled, of a node or of a start event on a partition.
    pub(super) fn fulfil(&mut self, by: Option<Id>, home: u32, at: At, values: Values) {
        match by {
            Some(id) => drop(self.set_off(id, at, values)),
            None => drop(self.start_at(home, at, values)),
        }
    }

    /// An instance begins on a partition with a start event that something has set off.
    pub(super) fn start_at(&mut self, home: u32, at: At, values: Values) -> Id {
        self.happened += 1;
        let root = self.add(None, self.latest, 0, Role::Root);
        self.node(root).home = home;
        self.arise(root, at, values);
        root
    }

    /// A client broadcasts a signal at a partition.
    pub(crate) fn signal(&mut self, home: u32, name: &str, values: &Values) {
        for other in self.from(home) {
            for (by, wait) in self.waiting_for_signal(name, other, home) {
                self.fulfil(by, home, wait.at, values.clone());
                if !self.order.together {
                    self.settle();
                }
            }
        }
        self.settle();
    }

    /// An element broadcasts a signal.
    pub(super) fn broadcast(&mut self, home: u32, name: &str, values: &Values) {
        // Who comes first, those that it reaches or what goes on beside it, is not always to be told.
        self.happened += 2;
        self.hear(home, home, name, values);
        let others = self.from(home).skip(1);
        self.late.extend(others.map(|other| Step::Hear(other, name.to_owned(), values.clone())));
    }

    /// A signal comes to those who wait for it on a partition; it starts instances where it was broadcast.
    pub(super) fn hear(&mut self, home: u32, from: u32, name: &str, values: &Values) {
        for (by, wait) in self.waiting_for_signal(name, home, from) {
            self.fulfil(by, home, wait.at, values.clone());
        }
    }

    /// All partitions, this one first.
    fn from(&self, home: u32) -> impl Iterator<Item = u32> + use<> {
        std::iter::once(home).chain((1..=self.partitions).filter(move |other| *other != home))
    }

    fn waiting_for_signal(&self, name: &str, on: u32, from: u32) -> Vec<(Option<Id>, Wait)> {
        let waits = |(by, wait): &(Option<Id>, Wait)| {
            let is_there = by.map_or(on == from, |id| self.nodes[&id].home == on);
            is_there && matches!(&wait.on, On::Signal(waited) if waited == name)
        };
        self.waiting().into_iter().filter(waits).collect()
    }

    /// Time passes, and what is due is done.
    pub(crate) fn pass(&mut self, millis: i64) {
        self.now += millis;
        // Bound: what is due is in the future when it comes again.
        loop {
            let due = self.due();
            if due.is_empty() {
                return;
            }
            let count = if self.order.together { due.len() } else { 1 };
            for (by, wait) in due.into_iter().take(count) {
                self.fire(by, &wait);
            }
            self.settle();
        }
    }

    /// Timers that are due, the first one first.
    fn due(&self) -> Vec<(Option<Id>, Wait)> {
        let due = |wait: &Wait| if let On::Timer { due, .. } = wait.on { due } else { i64::MAX };
        let mut all: Vec<_> = self.waiting().into_iter().filter(|(_, wait)| due(wait) <= self.now).collect();
        all.sort_by_key(|(_, wait)| (due(wait), wait.number));
        all
    }

    fn fire(&mut self, by: Option<Id>, wait: &Wait) {
        let process = by.map_or(self.latest, |id| self.nodes.get(&id).map_or(0, |node| node.process));
        let Some(Trigger::Timer(timing)) = self.kind(process, wait.at).trigger().cloned() else {
            return;
        };
        let (now, number) = (self.now, self.next_wait());
        let waits = match by {
            None => &mut self.starts,
            Some(id) => match self.nodes.get_mut(&id) {
                Some(node) => &mut node.waits,
                None => return,
            },
        };
        let Some(index) = waits.iter().position(|other| other.at == wait.at) else { return };
        let On::Timer { due, left } = &mut waits[index].on else { return };
        *due = timing.next(*due, now);
        *left -= i32::from(*left > 0);
        let is_last = *left == 0;
        waits[index].number = number;
        if is_last && !(by.is_some_and(|id| self.is_own(id, wait.at))) {
            match by {
                None => drop(self.starts.remove(index)),
                Some(id) => drop(self.node(id).waits.remove(index)),
            }
        }
        // Start events have their timers on the first partition.
        self.fulfil(by, 1, wait.at, Values::new());
    }

    /// Whether an event is that of a node which does nothing but wait.
    fn is_own(&self, id: Id, at: At) -> bool {
        matches!(self.kind(self.nodes[&id].process, at), Kind::Wait { .. })
    }

    /// An error looks for who catches it, from a node on up. Says whether there is one.
    pub(super) fn throw_from(&mut self, from: Id, code: &str, values: Values) -> bool {
        let mut next = Some(from);
        while let Some(id) = next {
            let node = &self.nodes[&id];
            if node.state != State::Active {
                return false;
            }
            if let Some(at) = self.catcher(id, code) {
                return self.set_off(id, at, values);
            }
            next = node.around;
        }
        false
    }

    /// What catches an error at a node: by its code before any, and what is inside before the boundary.
    fn catcher(&self, id: Id, code: &str) -> Option<At> {
        let node = &self.nodes[&id];
        let process = &self.processes[node.process];
        // What has stopped a scope keeps its other event subprocesses out.
        let inside =
            process.event_starts(node.at).filter(|_| node.role != Role::Loop && node.stopped.is_none());
        let boundary = process.boundaries(node.at).filter(|_| !matches!(node.role, Role::Item(_)));
        let all: Vec<At> = inside.chain(boundary).collect();
        let catches = |wanted: Option<&str>| {
            all.iter().copied().find(|at| match process.elements[*at].kind.trigger() {
                Some(Trigger::Error(caught)) => caught.as_deref() == wanted,
                _ => false,
            })
        };
        catches(Some(code)).or_else(|| catches(None))
    }
}
