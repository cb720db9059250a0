//! One pass over JSON text, without recursion.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// How deep objects and lists may be nested.
pub const DEPTH_MAX: usize = 256;

/// How many bytes the name of a variable may have: it is part of a key, and stores bound those.
pub const NAME_BYTES_MAX: usize = 32 << 10;

/// Why a text is no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentError {
    /// The text is JSON, but no object.
    NotAnObject {
        /// What it begins with instead.
        found: &'static str,
    },
    /// Something else was expected at this byte.
    Syntax {
        /// Bytes before it.
        offset: usize,
        /// What was expected.
        expected: &'static str,
    },
    /// Nested deeper than [`DEPTH_MAX`].
    TooDeep {
        /// Bytes before the bracket that is one too many.
        offset: usize,
    },
    /// An object names a member twice.
    DoubledName {
        /// The name.
        name: String,
        /// Bytes before its second appearance.
        offset: usize,
    },
    /// A variable's name is longer than [`NAME_BYTES_MAX`].
    LongName {
        /// Its bytes.
        bytes: usize,
        /// Bytes before it.
        offset: usize,
    },
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject { found } => write!(f, "expected a JSON object, found {found}"),
            Self::Syntax { offset, expected } => write!(f, "expected {expected} at byte {offset}"),
            Self::TooDeep { offset } => write!(f, "nested deeper than {DEPTH_MAX} levels at byte {offset}"),
            Self::DoubledName { name, offset } => {
                write!(f, "`{name}` is named twice, again at byte {offset}")
            }
            Self::LongName { bytes, offset } => {
                write!(f, "a name has {bytes} bytes, at most {NAME_BYTES_MAX} are possible, at byte {offset}")
            }
        }
    }
}

impl std::error::Error for DocumentError {}

/// Checks that `text` is one JSON object and drops the blanks outside its strings.
pub(super) fn object(text: &str) -> Result<Arc<str>, DocumentError> {
    let mut scanner = Scanner { text, at: 0, blanks: Vec::new() };
    scanner.skip_blanks();
    let found = match scanner.peek() {
        Some(b'{') => None,
        Some(b'[') => Some("a list"),
        Some(b'"') => Some("a string"),
        Some(b'-' | b'0'..=b'9') => Some("a number"),
        Some(b't' | b'f') => Some("a boolean"),
        _ => return Err(scanner.expected("a JSON object")),
    };
    if let Some(found) = found {
        return Err(DocumentError::NotAnObject { found });
    }
    scanner.value()?;
    scanner.skip_blanks();
    if scanner.at < text.len() {
        return Err(scanner.expected("the end of the document"));
    }
    Ok(scanner.without_blanks())
}

/// The members of an object that [`Document::parse`](super::Document::parse) has checked: name and value's text.
pub fn entries(object: &str) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    let mut rest = object.get(1..object.len() - 1).unwrap_or("");
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let name_end = string_end(rest.as_bytes());
        let name = unescape(&rest[1..name_end - 1]);
        let value_end = value_end(rest.as_bytes(), name_end + 1);
        let value = &rest[name_end + 1..value_end];
        rest = rest.get(value_end + 1..).unwrap_or("");
        Some((name, value))
    })
}

/// The items of a list whose text has no blanks outside strings, each as text; none when it is no list.
pub fn items(list: &str) -> impl Iterator<Item = &str> {
    let inside = list.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= inside.len() {
            return None;
        }
        let start = at;
        let end = value_end(inside.as_bytes(), at);
        at = end + 1;
        Some(&inside[start..end])
    })
}

/// Where the string that begins at 0 ends, behind its closing quote.
fn string_end(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Where the value that begins at `at` ends: at the comma behind it, or at the end.
fn value_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0usize;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += string_end(&bytes[at..]);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            _ => (),
        }
        at += 1;
    }
    bytes.len()
}

/// The value of a JSON string's inside. Lone surrogates become the replacement character.
fn unescape(inside: &str) -> Cow<'_, str> {
    if !inside.contains('\\') {
        return Cow::Borrowed(inside);
    }
    let mut out = String::with_capacity(inside.len());
    let mut units = Vec::new();
    let mut chars = inside.chars();
    while let Some(char) = chars.next() {
        let escaped = if char == '\\' { chars.next() } else { None };
        if escaped == Some('u') {
            let code = chars.by_ref().take(4).fold(0, |code, hex| code * 16 + hex.to_digit(16).unwrap_or(0));
            units.push(u16::try_from(code).expect("four hexadecimal digits"));
            continue;
        }
        flush(&mut units, &mut out);
        out.push(match escaped {
            None => char,
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some(other) => other,
        });
    }
    flush(&mut units, &mut out);
    Cow::Owned(out)
}

fn flush(units: &mut Vec<u16>, out: &mut String) {
    if !units.is_empty() {
        out.push_str(&String::from_utf16_lossy(units));
        units.clear();
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Ranges of blanks outside strings.
    blanks: Vec<(usize, usize)>,
}

/// A bracket that is open.
enum Open<'a> {
    List,
    Object(Names<'a>),
}

/// Names of an object's members so far; a set once there are too many to compare one by one.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    many: BTreeSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    const FEW: usize = 16;

    /// Adds a name; says whether it is new.
    fn add(&mut self, name: Cow<'a, str>) -> bool {
        if self.many.is_empty() && self.few.len() < Self::FEW {
            let new = !self.few.contains(&name);
            self.few.push(name);
            return new;
        }
        self.many.extend(self.few.drain(..));
        self.many.insert(name)
    }
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expected(&self, expected: &'static str) -> DocumentError {
        DocumentError::Syntax { offset: self.at, expected }
    }

    fn skip_blanks(&mut self) {
        let start = self.at;
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
        if self.at > start {
            self.blanks.push((start, self.at));
        }
    }

    /// Passes over one value of any depth.
    fn value(&mut self) -> Result<(), DocumentError> {
        let mut open: Vec<Open<'a>> = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(b'{') => {
                    self.open(&mut open, Open::Object(Names::default()))?;
                    if self.peek() != Some(b'}') {
                        self.name(&mut open)?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.open(&mut open, Open::List)?;
                    if self.peek() != Some(b']') {
                        continue;
                    }
                }
                Some(b'"') => drop(self.string()?),
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.word("true")?,
                Some(b'f') => self.word("false")?,
                Some(b'n') => self.word("null")?,
                _ => return Err(self.expected("a value")),
            }
            if self.end_of_value(&mut open)? {
                return Ok(());
            }
        }
    }

    fn open(&mut self, open: &mut Vec<Open<'a>>, container: Open<'a>) -> Result<(), DocumentError> {
        if open.len() == DEPTH_MAX {
            return Err(DocumentError::TooDeep { offset: self.at });
        }
        open.push(container);
        self.at += 1;
        self.skip_blanks();
        Ok(())
    }

    /// Behind a value: closes what closes and passes a comma. Says whether the outermost value has ended.
    fn end_of_value(&mut self, open: &mut Vec<Open<'a>>) -> Result<bool, DocumentError> {
        while let Some(container) = open.last() {
            self.skip_blanks();
            match (self.peek(), container) {
                (Some(b','), Open::List) => {
                    self.at += 1;
                    return Ok(false);
                }
                (Some(b','), Open::Object(_)) => {
                    self.at += 1;
                    self.skip_blanks();
                    self.name(open)?;
                    return Ok(false);
                }
                (Some(b']'), Open::List) | (Some(b'}'), Open::Object(_)) => {
                    self.at += 1;
                    open.pop();
                }
                (_, Open::List) => return Err(self.expected("`,` or `]`")),
                (_, Open::Object(_)) => return Err(self.expected("`,` or `}`")),
            }
        }
        Ok(true)
    }

    /// A member's name and the colon behind it.
    fn name(&mut self, open: &mut [Open<'a>]) -> Result<(), DocumentError> {
        let offset = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.expected("a member's name in quotes"));
        }
        let name = unescape(self.string()?);
        let bytes = name.len();
        if open.len() == 1 && bytes > NAME_BYTES_MAX {
            return Err(DocumentError::LongName { bytes, offset });
        }
        if let Some(Open::Object(names)) = open.last_mut()
            && !names.add(name.clone())
        {
            return Err(DocumentError::DoubledName { name: name.into_owned(), offset });
        }
        self.skip_blanks();
        if self.peek() != Some(b':') {
            return Err(self.expected("`:`"));
        }
        self.at += 1;
        Ok(())
    }

    /// The inside of a string.
    fn string(&mut self) -> Result<&'a str, DocumentError> {
        self.at += 1;
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0..0x20) => return Err(self.expected("no control character in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.expected("the string's closing quote")),
            }
        }
        self.at += 1;
        Ok(&self.text[start..self.at - 1])
    }

    fn escape(&mut self) -> Result<(), DocumentError> {
        let rest = &self.text.as_bytes()[self.at + 1..];
        self.at += match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') => {
                if !rest.get(1..5).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.expected("four hexadecimal digits behind `\\u`"));
                }
                6
            }
            _ => return Err(self.expected("an escape that JSON knows")),
        };
        Ok(())
    }

    fn number(&mut self) -> Result<(), DocumentError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), DocumentError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.expected("a digit")) } else { Ok(()) }
    }

    fn word(&mut self, word: &'static str) -> Result<(), DocumentError> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.expected("a value"))
    }

    fn without_blanks(&self) -> Arc<str> {
        if self.blanks.is_empty() {
            return self.text.into();
        }
        let mut out = String::with_capacity(self.text.len());
        let mut from = 0;
        for &(start, end) in &self.blanks {
            out.push_str(&self.text[from..start]);
            from = end;
        }
        out.push_str(&self.text[from..]);
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Document, items};

    #[test]
    fn drops_blanks_outside_strings_and_keeps_all_else() {
        let document = Document::parse("{ \"a b\" : [ 1.0 , -0e5, {} ],\n\"c\":\" x \" }").unwrap();
        assert_eq!(document.as_str(), r#"{"a b":[1.0,-0e5,{}],"c":" x "}"#);
        let entries: Vec<_> = document.entries().map(|(name, value)| (name.into_owned(), value)).collect();
        assert_eq!(entries, [("a b".into(), "[1.0,-0e5,{}]"), ("c".into(), "\" x \"")]);
    }

    #[test]
    fn reads_escaped_names() {
        let document = Document::parse(r#"{"\u00e9\"\ud83d\ude00":1}"#).unwrap();
        assert_eq!(document.entries().next().unwrap().0, "é\"😀");
    }

    #[test]
    fn takes_lists_apart() {
        let of = |list| items(list).collect::<Vec<_>>();
        assert_eq!(of(r#"[1,"a,]",[2,{"b":[3,4]}],null]"#), ["1", r#""a,]""#, r#"[2,{"b":[3,4]}]"#, "null"]);
        for none in ["[]", "{}", "7", r#""[1]""#, ""] {
            assert_eq!(of(none), [""; 0], "{none}");
        }
    }

    #[test]
    fn takes_no_text_and_null_for_no_members() {
        for text in ["", "{}", " { } ", "null", "\nnull "] {
            assert!(Document::parse(text).unwrap().is_empty(), "{text:?}");
        }
    }

    #[test]
    fn names_what_is_wrong_and_where() {
        let deep = format!("{{\"a\":{}", "[".repeat(300));
        let long = format!("{{\"a\":1,\"{}\":2}}", "b".repeat(40_000));
        for (text, error) in [
            ("[]", "expected a JSON object, found a list"),
            ("[null]", "expected a JSON object, found a list"),
            ("nul", "expected a JSON object at byte 0"),
            ("{\"a\":1,}", "expected a member's name in quotes at byte 7"),
            ("{\"a\":01}", "expected `,` or `}` at byte 6"),
            ("{\"a\":tru}", "expected a value at byte 5"),
            ("{\"a\":1}}", "expected the end of the document at byte 7"),
            ("{\"a\":1,\"a\":2}", "`a` is named twice, again at byte 7"),
            ("{\"a\":1,\"\\u0061\":2}", "`a` is named twice, again at byte 7"),
            ("{\"a\":\"\\x\"}", "expected an escape that JSON knows at byte 6"),
            ("{\"a", "expected the string's closing quote at byte 3"),
            (&*deep, "nested deeper than 256 levels at byte 260"),
            (&*long, "a name has 40000 bytes, at most 32768 are possible, at byte 7"),
        ] {
            assert_eq!(Document::parse(text).unwrap_err().to_string(), error, "{text}");
        }
    }

    #[test]
    fn names_inside_of_values_may_be_long() {
        let text = format!("{{\"a\":{{\"{}\":1}}}}", "b".repeat(40_000));
        assert_eq!(Document::parse(&text).unwrap().as_str(), text);
    }
}
