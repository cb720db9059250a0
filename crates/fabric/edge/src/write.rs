//! From a model into a text that reads back as the same model.

use crate::value::{Value, quoted};
use crate::visit::Keys;

/// Writes one table: its own lines first, then the tables below it, as TOML wants it.
#[derive(Default)]
pub(crate) struct Writer {
    place: String,
    lines: Vec<String>,
    below: Vec<String>,
}

/// How a table begins.
#[derive(Clone, Copy)]
enum Heading {
    /// One of several.
    Several,
    /// Its being there says something.
    Always,
    /// It is the same when it is not there.
    IfThereAreLines,
}

impl Writer {
    /// The text of a whole file.
    pub(crate) fn file(mut self) -> String {
        self.lines.append(&mut self.below);
        self.lines.join("\n").trim_start().to_owned() + "\n"
    }

    fn line(&mut self, key: &str, value: &str) {
        self.lines.push(format!("{key} = {value}"));
    }

    fn write_below(&mut self, key: &str, heading: Heading, each: impl FnOnce(&mut Self)) {
        let place = if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) };
        let mut writer = Self { place, lines: Vec::new(), below: Vec::new() };
        each(&mut writer);
        match heading {
            Heading::Several => self.below.push(format!("\n[[{}]]", writer.place)),
            Heading::IfThereAreLines if writer.lines.is_empty() => {}
            Heading::Always | Heading::IfThereAreLines => self.below.push(format!("\n[{}]", writer.place)),
        }
        self.below.append(&mut writer.lines);
        self.below.append(&mut writer.below);
    }
}

impl Keys for Writer {
    fn writes(&self) -> bool {
        true
    }

    fn value<V: Value>(&mut self, key: &'static str, slot: &mut V) {
        self.line(key, &slot.write());
    }

    fn optional<V: Value>(&mut self, key: &'static str, slot: &mut Option<V>) {
        if let Some(value) = slot {
            self.line(key, &value.write());
        }
    }

    fn list<V: Value>(&mut self, key: &'static str, slot: &mut Vec<V>) {
        let values: Vec<String> = slot.iter().map(Value::write).collect();
        self.line(key, &format!("[{}]", values.join(", ")));
    }

    fn short_list<V: Value>(&mut self, _key: &'static str) -> Vec<V> {
        Vec::new()
    }

    fn one_of(
        &mut self,
        _keys: &[&'static str],
        now: Option<(&'static str, String)>,
    ) -> Option<(&'static str, String)> {
        if let Some((key, value)) = &now {
            self.line(key, &quoted(value));
        }
        now
    }

    fn pairs(&mut self, key: &'static str, slot: &mut Vec<(String, String)>) {
        let pairs: Vec<String> =
            slot.iter().map(|(name, value)| format!("{} = {}", quoted(name), quoted(value))).collect();
        if !pairs.is_empty() {
            self.line(key, &format!("{{ {} }}", pairs.join(", ")));
        }
    }

    fn table(&mut self, key: &'static str, each: impl FnOnce(&mut Self)) {
        self.write_below(key, Heading::IfThereAreLines, each);
    }

    fn switch<T: Default>(&mut self, key: &'static str, slot: &mut Option<T>, each: fn(&mut Self, &mut T)) {
        match slot {
            None => self.line(key, "false"),
            Some(inner) => self.write_below(key, Heading::Always, |writer| each(writer, inner)),
        }
    }

    fn tables<T: Default>(&mut self, key: &'static str, slot: &mut Vec<T>, each: fn(&mut Self, &mut T)) {
        for inner in slot {
            self.write_below(key, Heading::Several, |writer| each(writer, inner));
        }
    }

    fn fault(&mut self, _key: &'static str, _message: &str) {}
}
