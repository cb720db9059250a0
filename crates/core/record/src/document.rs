//! JSON documents from clients, scanned once and kept as text.

mod scan;

use std::fmt;
use std::sync::Arc;

use coreto_machine::DecodeError;
use coreto_machine::codec::{Field, Reader, Wire};

pub use scan::{DEPTH_MAX, DocumentError, NAME_BYTES_MAX, entries, items};

/// A JSON object as text: well-formed, without blanks outside strings, names not doubled.
///
/// Numbers, the order of members and all text are as the client sent them, so equal bytes mean equal values.
#[derive(Clone, PartialEq, Eq)]
pub struct Document(Option<Arc<str>>);

impl Document {
    /// The object without members.
    pub const EMPTY: Self = Self(None);

    /// Scans a client's text. Empty text and `null`, which clients send that were given no variables, count as `{}`.
    ///
    /// # Errors
    /// When the text is not one JSON object, is nested deeper than [`DEPTH_MAX`], names a member twice, or a variable
    /// with more than [`NAME_BYTES_MAX`] bytes.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        if text.is_empty() || text == "{}" || text.trim_ascii() == "null" {
            return Ok(Self::EMPTY);
        }
        let text = scan::object(text)?;
        Ok(if &*text == "{}" { Self::EMPTY } else { Self(Some(text)) })
    }

    /// Builds a document of members whose values are valid JSON without blanks, and whose names differ; the caller
    /// answers for that.
    pub fn from_entries(entries: &[(&str, &str)]) -> Self {
        if entries.is_empty() {
            return Self::EMPTY;
        }
        let mut text = String::with_capacity(Self::size_of_entries(entries));
        for (name, value) in entries {
            text.push(if text.is_empty() { '{' } else { ',' });
            write_string(name, &mut text);
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        Self(Some(text.into()))
    }

    /// How many bytes a document of these members has, if no name needs an escape.
    pub fn size_of_entries(entries: &[(&str, &str)]) -> usize {
        const MARKS: usize = "\"\":,".len();
        1 + entries.iter().map(|(name, value)| name.len() + value.len() + MARKS).sum::<usize>()
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("{}")
    }

    /// Whether there are no members.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Members in the order of the text: the name as the value of its JSON string, the value as JSON text.
    pub fn entries(&self) -> impl Iterator<Item = (std::borrow::Cow<'_, str>, &str)> {
        scan::entries(self.as_str())
    }
}

/// Appends a JSON string with the escapes that JSON demands.
pub fn write_string(text: &str, out: &mut String) {
    use fmt::Write;
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => write!(out, "\\u{byte:04x}").expect("writing to a string does not fail"),
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

impl Default for Document {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Field for Document {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if let Some(text) = &self.0 {
            text.write(number, out);
        }
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut text: Arc<str> = Arc::from("");
        text.read(number, wire, reader)?;
        self.0 = (!text.is_empty()).then_some(text);
        Ok(())
    }
}
