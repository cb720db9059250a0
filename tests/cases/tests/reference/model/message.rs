//! Messages: those who wait get them, or they are kept for those who come.

use std::collections::BTreeSet;

use super::wait::On;
use super::{Id, Model, Step};
use crate::spec::{Kind, Trigger, Values};

#[derive(Clone, Debug)]
pub(super) struct Message {
    number: usize,
    name: String,
    key: String,
    id: &'static str,
    values: Values,
    deadline: i64,
    /// Processes that have got it: each gets it once.
    reached: BTreeSet<usize>,
}

impl Model {
    /// Publishes a message with a name, a key and an id. Says whether it is accepted: one with an id is kept only once.
    pub(crate) fn publish(
        &mut self,
        (name, key, id): (&str, &str, &'static str),
        ttl: i64,
        values: Values,
    ) -> bool {
        let same = |message: &Message| message.name == name && message.key == key && message.id == id;
        if !id.is_empty() && self.messages.iter().any(|it| same(it) && it.deadline > self.now) {
            return false;
        }
        let (number, deadline, reached) = (self.messages.len(), self.now + ttl, BTreeSet::new());
        let (name, key) = (name.to_owned(), key.to_owned());
        self.messages.push(Message { number, name, key, id, values, deadline, reached });
        for process in 0..self.processes.len() - 1 {
            self.bring(number, process, None);
        }
        self.try_to_start(number);
        self.settle();
        true
    }

    /// The partition of a correlation key: the bytes as digits of a number with the base 31, in 32 bits with a sign.
    pub(crate) fn partition_of(&self, key: &str) -> u32 {
        let mut number = 0_i32;
        for byte in key.bytes() {
            number = number.wrapping_mul(31).wrapping_add(i32::from(byte.cast_signed()));
        }
        let rest = i64::from(number) % i64::from(self.partitions);
        1 + u32::try_from(rest.abs()).unwrap()
    }

    /// What is not seen of the messages that are kept: which processes have got them.
    pub(crate) fn kept(&self) -> Vec<(usize, BTreeSet<usize>)> {
        let kept = self.messages.iter().filter(|message| message.deadline > self.now);
        kept.map(|message| (message.number, message.reached.clone())).collect()
    }

    /// Brings a message to who waits longest in a process, but for one who did not take it.
    fn bring(&mut self, number: usize, process: usize, refused: Option<Id>) {
        let message = &self.messages[number];
        if message.reached.contains(&process) {
            return;
        }
        let waits = |wait: &super::Wait| match &wait.on {
            On::Message { name, key } => *name == message.name && *key == message.key && !wait.is_taken,
            On::Timer { .. } | On::Signal(_) => false,
        };
        let fits = |by: &Id| self.of_any_version(self.nodes[by].process) == process && Some(*by) != refused;
        let found =
            self.waiting().into_iter().find_map(|(by, wait)| by.filter(fits).filter(|_| waits(&wait)));
        if let Some(by) = found {
            self.send(number, by);
        }
    }

    fn send(&mut self, number: usize, to: Id) {
        let process = self.of_any_version(self.nodes[&to].process);
        let message = &mut self.messages[number];
        message.reached.insert(process);
        let name = message.name.clone();
        if let Some(wait) = self.wait_for(to, &name) {
            wait.is_taken = true;
        }
        let step = Step::Deliver { to, process, message: number };
        if self.order.late { self.late.push_back(step) } else { self.steps.push_back(step) }
    }

    fn wait_for(&mut self, id: Id, wanted: &str) -> Option<&mut super::Wait> {
        let waits = |wait: &&mut super::Wait| matches!(&wait.on, On::Message { name, .. } if name == wanted);
        self.nodes.get_mut(&id)?.waits.iter_mut().find(waits)
    }

    /// A message comes to who waits for it, or to another one if that does not wait any more.
    pub(super) fn deliver(&mut self, to: Id, process: usize, number: usize) {
        let (name, values) = (self.messages[number].name.clone(), self.messages[number].values.clone());
        let at = self.wait_for(to, &name).map(|wait| wait.at);
        if at.is_some_and(|at| self.set_off(to, at, values)) {
            return self.wait_again(to, &name);
        }
        if self.messages[number].deadline > self.now {
            self.messages[number].reached.remove(&process);
            self.bring(number, process, Some(to));
        }
    }

    /// Who got a message waits for the next one, unless it ends something.
    fn wait_again(&mut self, id: Id, name: &str) {
        let Some(node) = self.nodes.get(&id) else { return };
        let process = node.process;
        let Some(at) = self.wait_for(id, name).map(|wait| wait.at) else { return };
        if self.kind(process, at).interrupts() {
            self.node(id).waits.retain(|wait| wait.at != at);
        } else {
            self.look_for_kept(id, name);
        }
    }

    /// The oldest message that is kept comes to who has begun to wait.
    pub(super) fn look_for_kept(&mut self, id: Id, name: &str) {
        let process = self.of_any_version(self.nodes[&id].process);
        let Some(wait) = self.wait_for(id, name) else { return };
        wait.is_taken = false;
        let On::Message { key, .. } = wait.on.clone() else { return };
        let now = self.now;
        let fits = |message: &&Message| {
            let is_kept = message.deadline > now && !message.reached.contains(&process);
            is_kept && message.name == *name && message.key == key
        };
        if let Some(number) = self.messages.iter().find(fits).map(|message| message.number) {
            self.happened += 1;
            self.send(number, id);
        }
    }

    /// A message may start an instance, but not while one runs that the same key has started.
    fn try_to_start(&mut self, number: usize) {
        let message = self.messages[number].clone();
        let is_free = message.key.is_empty() || !self.locks.contains_key(&message.key);
        let process = &self.processes[self.latest];
        let starts = |trigger: Option<&Trigger>| matches!(trigger, Some(Trigger::Message { name, .. }) if *name == message.name);
        let start = process.inside(0).find(|at| {
            let kind = &process.elements[*at].kind;
            matches!(kind, Kind::Start(_)) && starts(kind.trigger())
        });
        let Some(at) = start.filter(|_| is_free && !message.reached.contains(&0)) else { return };
        self.messages[number].reached.insert(0);
        let root = self.start_at(self.partition_of(&message.key), at, message.values);
        if !message.key.is_empty() {
            self.locks.insert(message.key, root);
        }
    }

    /// An instance has ended: the next message with the key that started it may start another one.
    pub(super) fn release(&mut self, root: Id) {
        let Some(key) = self.locks.iter().find(|(_, by)| **by == root).map(|(key, _)| key.clone()) else {
            return;
        };
        self.locks.remove(&key);
        let now = self.now;
        let kept = |message: &&Message| message.key == key && message.deadline > now;
        let kept: Vec<usize> = self.messages.iter().filter(kept).map(|message| message.number).collect();
        for number in kept {
            if !self.locks.contains_key(&key) {
                self.try_to_start(number);
            }
        }
    }
}
