//! JSON as it is written here: objects of texts, numbers and flags, into a buffer.

use std::fmt::Display;
use std::io::Write;

/// An object that is being written.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.bytes(name, value.as_bytes());
    }

    /// Text of which nobody has promised that it is UTF-8: other bytes are written as those of Latin-1.
    pub(crate) fn bytes(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.out.push(b'"');
        match std::str::from_utf8(value) {
            Ok(_) => value.iter().for_each(|byte| self.byte(*byte)),
            Err(_) => value.iter().for_each(|byte| match byte {
                0..0x80 => self.byte(*byte),
                byte => write(self.out, format_args!("\\u{byte:04x}")),
            }),
        }
        self.out.push(b'"');
    }

    /// What is shown in characters that need no escape.
    pub(crate) fn shown(&mut self, name: &str, value: &impl Display) {
        self.name(name);
        write(self.out, format_args!("\"{value}\""));
    }

    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        write(self.out, format_args!("{value}"));
    }

    pub(crate) fn flag(&mut self, name: &str, value: bool) {
        self.name(name);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// Objects in a list.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        each: impl Fn(&mut Object<'_>, T),
    ) {
        self.name(name);
        self.out.push(b'[');
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            let mut object = Object::begin(self.out);
            each(&mut object, item);
            object.end();
        }
        self.out.push(b']');
    }

    pub(crate) fn end(self) {
        self.out.push(b'}');
    }

    fn name(&mut self, name: &str) {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn byte(&mut self, byte: u8) {
        match byte {
            b'"' | b'\\' => self.out.extend_from_slice(&[b'\\', byte]),
            0..0x20 => write(self.out, format_args!("\\u{byte:04x}")),
            byte => self.out.push(byte),
        }
    }
}

fn write(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a buffer takes all");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_would_end_a_text() {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        object.text("a", "\"\\\u{1}é");
        object.bytes("b", b"\xe9\n");
        object.list("c", [1, 2], |object, item| object.number("d", item));
        object.flag("e", true);
        object.end();
        let expected = r#"{"a":"\"\\\u0001é","b":"\u00e9\u000a","c":[{"d":1},{"d":2}],"e":true}"#;
        assert_eq!(String::from_utf8(out).expect("it is text"), expected);
    }
}
