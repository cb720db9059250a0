//! Mappings grouped by target, and the FEEL text that they are.

use std::collections::BTreeMap;

use super::target::is_reserved;
use super::{Entry, Source};

/// Entries of one context, in order.
#[derive(Default)]
pub(super) struct Context<'e> {
    entries: Vec<(&'e str, Slot<'e>)>,
    positions: BTreeMap<&'e str, usize>,
}

/// What becomes of nested contexts.
#[derive(Clone, Copy)]
pub(super) enum Nested {
    /// They are new.
    Fresh,
    /// They are merged into the variables that they are named after.
    Merged,
}

pub(super) enum Slot<'e> {
    Value(&'e Source<'e>),
    Nested(Context<'e>),
}

impl<'e> Context<'e> {
    /// Groups mappings: a target that comes again keeps its place and takes the later source.
    pub(super) fn of(entries: &'e [Entry<'e>]) -> Self {
        let mut context = Self::default();
        for entry in entries {
            context.put(entry.target, &entry.source);
        }
        context
    }

    fn put(&mut self, target: &'e str, source: &'e Source<'e>) {
        let mut names = target.split('.');
        let last = names.next_back().unwrap_or_default();
        let context = names.fold(self, |context, name| context.nested(name));
        *context.slot(last) = Slot::Value(source);
    }

    fn nested(&mut self, name: &'e str) -> &mut Self {
        let slot = self.slot(name);
        if let Slot::Value(_) = slot {
            *slot = Slot::Nested(Self::default());
        }
        match slot {
            Slot::Nested(context) => context,
            Slot::Value(_) => unreachable!("it was just made a context"),
        }
    }

    fn slot(&mut self, name: &'e str) -> &mut Slot<'e> {
        let end = self.entries.len();
        let position = *self.positions.entry(name).or_insert(end);
        if position == end {
            self.entries.push((name, Slot::Value(&Source::Null)));
        }
        &mut self.entries[position].1
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&'e str, &Slot<'e>)> {
        self.entries.iter().map(|(name, slot)| (*name, slot))
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// A context literal.
    pub(super) fn render(&self, nested: Nested) -> String {
        let mut out = String::new();
        match nested {
            Nested::Fresh => self.write(&mut out),
            Nested::Merged => self.write_entries(&mut out, |name, context, out| {
                // One level only: what is deeper replaces what was there.
                out.push_str("context merge([if ");
                out.push_str(name);
                out.push_str(" != null then ");
                out.push_str(name);
                out.push_str(" else {},");
                context.write(out);
                out.push_str("])");
            }),
        }
        out
    }

    // Depth: a path has a bounded number of names.
    fn write(&self, out: &mut String) {
        self.write_entries(out, |_, context, out| context.write(out));
    }

    fn write_entries(&self, out: &mut String, nested: fn(&str, &Self, &mut String)) {
        out.push('{');
        for (index, (name, slot)) in self.entries.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            if is_reserved(name) {
                write_literal(name, out);
            } else {
                out.push_str(name);
            }
            out.push(':');
            match slot {
                Slot::Value(source) => write_source(source, out),
                Slot::Nested(context) => nested(name, context, out),
            }
        }
        out.push('}');
    }
}

fn write_source(source: &Source<'_>, out: &mut String) {
    match source {
        Source::Null => out.push_str("null"),
        Source::Static(text) => write_literal(text, out),
        Source::Expression(expression) => {
            out.push('(');
            out.push_str(expression.source());
            // A comment at the end of the source must not hide what follows.
            out.push_str("\n)");
        }
    }
}

/// Appends a FEEL string literal.
fn write_literal(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ => out.push(c),
        }
    }
    out.push('"');
}
