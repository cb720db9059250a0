//! Facts and views of the catalog as text.

use std::fmt::Write;

use coreto_catalog::{CheckEntry, Entry, Event, Name, Place, State};
use coreto_machine::Tenant;

use crate::ground::BEGIN;

/// A fact on a line.
pub(super) fn event(event: &Event) -> String {
    match event {
        Event::NodeRegistered(e) => format!("{} NODE {} {}", e.index, e.name, e.node.address),
        Event::NodeDeregistered(e) => format!("{} NODE {} GONE", e.index, e.name),
        Event::InstanceRegistered(e) => {
            format!("{} INSTANCE {}/{} of {}", e.index, e.node, e.instance.id, e.instance.service)
        }
        Event::InstanceDeregistered(e) => format!("{} INSTANCE {}/{} GONE", e.index, e.node, e.id),
        Event::CheckRegistered(e) => {
            format!("{} CHECK {}/{} {}", e.index, e.node, e.check.id, e.check.status.name())
        }
        Event::CheckDeregistered(e) => format!("{} CHECK {}/{} GONE", e.index, e.node, e.id),
        Event::CheckUpdated(e) => {
            format!("{} CHECK {}/{} {} {:?}", e.index, e.node, e.id, e.status.name(), e.output)
        }
        Event::EntryPut(e) => {
            let value = String::from_utf8_lossy(&e.value);
            format!("{} KEY {} {value:?}{}", e.index, e.key, holder(&e.session, e.lock_index))
        }
        Event::EntryDeleted(e) => format!("{} KEY {} GONE", e.index, e.key),
        Event::EntryReleased(e) => format!("{} KEY {} RELEASED", e.index, e.key),
        Event::SessionCreated(e) => format!("{} SESSION {}", e.index, e.session.name),
        Event::SessionDestroyed(e) => format!("{} SESSION {} GONE", e.index, e.id),
        Event::LockDelayed(e) => {
            format!("- KEY {} BARRED until +{} ms", e.key, e.until.as_millis() - BEGIN.as_millis())
        }
        Event::LockDelayEnded(e) => format!("- KEY {} FREE", e.key),
    }
}

fn holder(session: &str, lock_index: u64) -> String {
    match (session, lock_index) {
        ("", 0) => String::new(),
        ("", times) => format!(" taken {times} times"),
        (session, times) => format!(" held by {session}, taken {times} times"),
    }
}

/// What clients can see.
pub struct Views<'a> {
    /// Of this state.
    pub state: &'a State,
}

impl Views<'_> {
    /// What there is to see of `service:NAME`, `node:NAME`, `key:KEY`, `below:PREFIX`.
    pub fn of(&self, subject: &str) -> String {
        let (index, view) = self.indexed(subject);
        format!("{subject} at {index}:{view}")
    }

    /// The index of a subject, and what there is to see of it.
    pub fn indexed(&self, subject: &str) -> (u64, String) {
        let (kind, name) = subject.split_once(':').unwrap_or(("", subject));
        let name: Name = (Tenant::DEFAULT, name.into());
        let state = self.state;
        match kind {
            "service" => (state.service_index(&name), self.service(&name)),
            "node" => (state.node_index(&name), self.node(&name)),
            "key" => (
                state.entry_index(&name),
                state.entries.peek(&name).map_or_else(String::new, |e| entry("", e)),
            ),
            "below" => {
                let marks = state.marks.get().entry_gone;
                let last = state.entries_below(&name).map(|(_, entry)| entry.stamp.modify).max();
                let view = state.entries_below(&name).map(|((_, key), found)| entry(key, found)).collect();
                (marks.max(last.unwrap_or(0)), view)
            }
            _ => (0, format!(" `{subject}` is nothing to look at")),
        }
    }

    fn service(&self, name: &Name) -> String {
        let mut view = String::new();
        for place in self.state.instances_of(name) {
            let node = (place.0, place.1.clone());
            let own = self.state.nodes.peek(&node).map_or("", |node| &*node.node.address);
            let found = self.state.instances.peek(&place).map(|entry| &entry.instance);
            let told = found.map_or_else(String::new, |found| {
                format!("{own}:{} {:?} {:?} {}", found.port, found.tags, found.meta, found.zone)
            });
            write!(view, "\n    {}/{} {told}", place.1, place.2).expect("writing to a string does not fail");
            let of_node: Place = (place.0, place.1.clone(), "".into());
            for (_, check) in self.state.checks_of(&of_node).chain(self.state.checks_of(&place)) {
                view.push_str(&checked(check));
            }
        }
        view
    }

    fn node(&self, name: &Name) -> String {
        let found = self.state.nodes.peek(name).map(|entry| entry.node.address.to_string());
        let mut view = found.map_or_else(String::new, |address| format!(" {address}"));
        for ((.., id), entry) in self.state.instances_on(name) {
            write!(view, "\n    {id} {:?}", entry.instance).expect("writing to a string does not fail");
        }
        self.state.checks_on(name).for_each(|(_, check)| view.push_str(&checked(check)));
        view
    }
}

fn checked(entry: &CheckEntry) -> String {
    let check = &entry.check;
    format!(" [{} {} {:?}]", check.id, check.status.name(), check.output)
}

fn entry(key: &str, entry: &Entry) -> String {
    let value = String::from_utf8_lossy(&entry.value);
    format!("\n    {key} {value:?} {}{}", entry.flags, holder(&entry.session, entry.lock_index))
}
