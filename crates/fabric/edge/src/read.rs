//! From a text into a model.

use std::cell::RefCell;
use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::value::{Value, Written};
use crate::visit::Keys;

/// What is noted while a text is read.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Faults: byte offset, place in the model, message.
    pub(crate) faults: Vec<(usize, String, String)>,
    /// Where in the text a place of the model was read.
    pub(crate) places: BTreeMap<String, usize>,
    /// What a key that is not known was likely meant to be.
    meant: Vec<String>,
}

impl Notes {
    /// Whether a place of the model, or what is in it or around it, is not what somebody wanted to write.
    pub(crate) fn is_unread(&self, place: &str) -> bool {
        let within = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        // Parts of a kind have places of their own, whatever else is called nearly as they are.
        let meant = self.meant.iter().filter(|meant| meant.contains('.') || *meant == place);
        let wrong = self.faults.iter().map(|(_, place, _)| place).chain(meant);
        // The short form of endpoints is about them, too.
        let mut wrong = wrong.map(|wrong| wrong.replace(".endpoints", ".endpoint"));
        wrong.any(|wrong| within(&wrong, place) || within(place, &wrong))
    }

    /// Where a place of the model was read, or the nearest one around it.
    pub(crate) fn offset(&self, place: &str) -> usize {
        let mut place = place;
        loop {
            if let Some(offset) = self.places.get(place) {
                return *offset;
            }
            match place.rfind(['.', '[']) {
                Some(end) => place = &place[..end],
                None => return 0,
            }
        }
    }
}

/// Reads one table.
pub(crate) struct Reader<'a> {
    table: Option<&'a DeTable<'a>>,
    place: String,
    /// The table's own place in the text.
    offset: usize,
    known: Vec<&'static str>,
    notes: &'a RefCell<Notes>,
}

impl<'a> Reader<'a> {
    /// Reads the table of a whole file.
    pub(crate) fn file(table: &'a DeTable<'a>, notes: &'a RefCell<Notes>) -> Self {
        Self { table: Some(table), place: String::new(), offset: 0, known: Vec::new(), notes }
    }

    /// Notes the keys that nobody asked for.
    pub(crate) fn finish(self) {
        for (key, _) in self.table.into_iter().flatten() {
            let name: &str = key.get_ref();
            if !self.known.contains(&name) {
                let message = match nearest(name, &self.known) {
                    Some(near) => {
                        self.notes.borrow_mut().meant.push(self.below(near));
                        format!("there is no key `{name}` here; did you mean `{near}`?")
                    }
                    None => format!("there is no key `{name}` here; there are `{}`", self.known.join("`, `")),
                };
                self.note(key.span().start, &self.below(name), message);
            }
        }
    }

    /// The value of a key, whose place is noted.
    fn take(&mut self, key: &'static str) -> Option<(usize, &'a DeValue<'a>)> {
        self.known.push(key);
        let (name, value) = self.table?.iter().find(|(name, _)| name.get_ref() == key)?;
        let offset = name.span().start;
        self.notes.borrow_mut().places.insert(self.below(key), offset);
        Some((offset, value.get_ref()))
    }

    fn below(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    /// The key as it stands in the heading of a table.
    fn heading(&self, key: &str) -> String {
        let place = self.below(key);
        let parts: Vec<&str> = place.split('.').map(|part| part.split('[').next().unwrap_or(part)).collect();
        parts.join(".")
    }

    fn note(&self, offset: usize, place: &str, message: String) {
        self.notes.borrow_mut().faults.push((offset, place.to_owned(), message));
    }

    /// Reads a value; what is wrong with it is noted.
    fn parse<V: Value>(&self, offset: usize, place: &str, value: &DeValue<'_>) -> Option<V> {
        let read = match value {
            DeValue::String(text) => V::read(&Written::Text(text)),
            DeValue::Integer(number) => match number.to_string().parse() {
                Ok(number) => V::read(&Written::Number(number)),
                Err(_) => Err(format!("{number} is too large a number")),
            },
            DeValue::Boolean(flag) => V::read(&Written::Flag(*flag)),
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                Err(format!("a {} stands here; write a single value", value.type_str()))
            }
        };
        read.map_err(|message| self.note(offset, place, message)).ok()
    }

    fn parse_list<V: Value>(&mut self, key: &'static str) -> Option<Vec<V>> {
        let (offset, value) = self.take(key)?;
        let place = self.below(key);
        let DeValue::Array(values) = value else {
            self.note(offset, &place, "write a list, such as `[\"a\", \"b\"]`".to_owned());
            return None;
        };
        Some(
            values
                .iter()
                .filter_map(|value| self.parse(value.span().start, &place, value.get_ref()))
                .collect(),
        )
    }

    /// Reads a table below this one.
    fn read_below(
        &self,
        table: Option<&'a DeTable<'a>>,
        place: String,
        offset: usize,
        each: impl FnOnce(&mut Self),
    ) {
        let mut reader = Self { table, place, offset, known: Vec::new(), notes: self.notes };
        each(&mut reader);
        reader.finish();
    }
}

impl Keys for Reader<'_> {
    fn writes(&self) -> bool {
        false
    }

    fn value<V: Value>(&mut self, key: &'static str, slot: &mut V) {
        if let Some((offset, value)) = self.take(key)
            && let Some(value) = self.parse(offset, &self.below(key), value)
        {
            *slot = value;
        }
    }

    fn optional<V: Value>(&mut self, key: &'static str, slot: &mut Option<V>) {
        if let Some((offset, value)) = self.take(key) {
            *slot = self.parse(offset, &self.below(key), value);
        }
    }

    fn list<V: Value>(&mut self, key: &'static str, slot: &mut Vec<V>) {
        if let Some(values) = self.parse_list(key) {
            *slot = values;
        }
    }

    fn short_list<V: Value>(&mut self, key: &'static str) -> Vec<V> {
        self.parse_list(key).unwrap_or_default()
    }

    fn one_of(
        &mut self,
        keys: &[&'static str],
        now: Option<(&'static str, String)>,
    ) -> Option<(&'static str, String)> {
        let mut found: Option<(&'static str, String)> = None;
        for key in keys {
            let Some((offset, value)) = self.take(key) else { continue };
            if let Some((first, _)) = &found {
                let message =
                    format!("`{first}` is there already, and only one of `{}` may be", keys.join("`, `"));
                self.note(offset, &self.below(key), message);
            } else if let Some(text) = self.parse::<String>(offset, &self.below(key), value) {
                found = Some((key, text));
            }
        }
        found.or(now)
    }

    fn pairs(&mut self, key: &'static str, slot: &mut Vec<(String, String)>) {
        let Some((offset, value)) = self.take(key) else { return };
        let place = self.below(key);
        let DeValue::Table(table) = value else {
            return self.note(
                offset,
                &place,
                "write names with their values, such as `{ x-name = \"value\" }`".to_owned(),
            );
        };
        for (name, value) in table {
            let place = format!("{place}.{}", name.get_ref());
            self.notes.borrow_mut().places.insert(place.clone(), name.span().start);
            if let Some(value) = self.parse(name.span().start, &place, value.get_ref()) {
                slot.push((name.get_ref().to_string(), value));
            }
        }
    }

    fn table(&mut self, key: &'static str, each: impl FnOnce(&mut Self)) {
        let (table, offset) = match self.take(key) {
            None => (None, self.offset),
            Some((offset, DeValue::Table(table))) => (Some(table), offset),
            Some((offset, _)) => {
                self.note(
                    offset,
                    &self.below(key),
                    format!("write a table: `[{}]` or `{key} = {{ … }}`", self.heading(key)),
                );
                (None, offset)
            }
        };
        self.read_below(table, self.below(key), offset, each);
    }

    fn switch<T: Default>(&mut self, key: &'static str, slot: &mut Option<T>, each: fn(&mut Self, &mut T)) {
        let Some((offset, value)) = self.take(key) else { return };
        let mut inner = slot.take().unwrap_or_default();
        match value {
            DeValue::Boolean(false) => return,
            DeValue::Boolean(true) => {}
            DeValue::Table(table) => {
                self.read_below(Some(table), self.below(key), offset, |reader| each(reader, &mut inner));
            }
            _ => self.note(offset, &self.below(key), format!("write a table `{key}`, `true` or `false`")),
        }
        *slot = Some(inner);
    }

    fn tables<T: Default>(&mut self, key: &'static str, slot: &mut Vec<T>, each: fn(&mut Self, &mut T)) {
        let Some((offset, value)) = self.take(key) else { return };
        let place = self.below(key);
        let DeValue::Array(values) = value else {
            let message = format!("there may be several: write `[[{}]]`", self.heading(key));
            return self.note(offset, &place, message);
        };
        slot.clear();
        for (at, value) in values.iter().enumerate() {
            let (place, offset) = (format!("{place}[{at}]"), value.span().start);
            self.notes.borrow_mut().places.insert(place.clone(), offset);
            let mut inner = T::default();
            match value.get_ref() {
                DeValue::Table(table) => {
                    self.read_below(Some(table), place, offset, |reader| each(reader, &mut inner));
                }
                _ => self.note(offset, &place, format!("a `{key}` is a table")),
            }
            slot.push(inner);
        }
    }

    fn fault(&mut self, key: &'static str, message: &str) {
        let place = self.below(key);
        let offset = self.notes.borrow().places.get(&place).copied().unwrap_or(self.offset);
        self.note(offset, &place, message.to_owned());
    }
}

/// The known key that a wrong one was likely meant to be.
fn nearest<'k>(wrong: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = |key: &str| key.replace('_', "-").trim_end_matches('s').to_owned();
    let near = known.iter().map(|key| (distance(&plain(wrong), &plain(key)), *key)).min()?;
    (near.0 <= 2 && near.0 * 2 < wrong.len()).then_some(near.1)
}

/// How many letters must change.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(40).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, left) in one.chars().take(40).enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, right) in other.iter().enumerate() {
            let changed = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}
