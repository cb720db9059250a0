//! Where a diagnostic points to, and what it may show of a document.

use std::fmt::{self, Write};

/// Longest name in a message, in characters.
const NAME_MAX: usize = 200;

/// Longest message, in characters: names and values from the model are part of it.
const MESSAGE_MAX: usize = 600;

/// Lines and columns of rising offsets; the text is walked once.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    column: u32,
}

impl<'a> Lines<'a> {
    /// The start of a text.
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1, column: 1 }
    }

    /// Line and column in characters, from 1, of an offset in bytes that is not before the last one asked for.
    pub(crate) fn locate(&mut self, offset: usize) -> (u32, u32) {
        let passed = self.text.get(self.at..offset).unwrap_or_default();
        for c in passed.chars() {
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.at += passed.len();
        (self.line, self.column)
    }
}

/// A name or value from the model on one line, cut where it is longer than anyone reads: it may come in many
/// messages.
#[derive(Debug)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        for c in chars.by_ref().take(NAME_MAX) {
            f.write_char(if c.is_control() { ' ' } else { c })?;
        }
        if chars.next().is_some() { f.write_char('…') } else { Ok(()) }
    }
}

/// A message without line breaks, and cut where it is longer than anyone reads.
pub(crate) fn one_line(text: String) -> String {
    let text = shortened(text);
    if text.contains(char::is_control) { text.replace(char::is_control, " ") } else { text }
}

/// A message, cut where it is longer than anyone reads.
pub(crate) fn shortened(text: String) -> String {
    match text.char_indices().nth(MESSAGE_MAX) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
