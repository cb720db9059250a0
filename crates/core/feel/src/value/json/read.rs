//! JSON text to values.

use super::JsonError;
use crate::value::{Context, List, Number, Text, VALUE_DEPTH_MAX, Value};

pub(super) fn value(text: &[u8]) -> Result<Value, JsonError> {
    let mut reader = Reader::new(text);
    let value = reader.whole();
    value.map_err(|Malformed| JsonError { offset: reader.at, message: reader.why })
}

/// The text of a JSON string that starts at its opening quote.
pub(super) fn string(text: &[u8]) -> Result<Text, JsonError> {
    let mut reader = Reader::new(text);
    let string = reader.string();
    string.map_err(|Malformed| JsonError { offset: reader.at, message: reader.why })
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// How many bytes may still be looked at before they are read.
    ahead: usize,
    /// What is wrong at this place, once something is.
    why: &'static str,
}

/// Something is wrong; the reader knows what. Empty, so that results are no larger than values.
struct Malformed;

type Read<T> = Result<T, Malformed>;

impl<'a> Reader<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, ahead: text.len(), why: "" }
    }

    fn whole(&mut self) -> Read<Value> {
        self.blanks();
        let value = self.value(0)?;
        self.blanks();
        if self.at < self.text.len() { Err(self.error("unexpected text after the value")) } else { Ok(value) }
    }

    #[cold]
    fn error(&mut self, why: &'static str) -> Malformed {
        self.why = why;
        Malformed
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: u16) -> Read<Value> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'{' | b'[') if depth >= VALUE_DEPTH_MAX => Err(self.error("nested too deep")),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b't') => self.word(b"true", Value::Boolean(true)),
            Some(b'f') => self.word(b"false", Value::Boolean(false)),
            Some(b'n') => self.word(b"null", Value::Null),
            Some(_) => Err(self.error("expected a value")),
            None => Err(self.error("unexpected end")),
        }
    }

    fn word(&mut self, word: &[u8], value: Value) -> Read<Value> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.error("expected a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Read<Value> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let digits = self.at;
        let mut integer = 0i64;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            // Wraps for long numbers, which are then read again the slow way.
            integer = integer.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'));
            self.at += 1;
        }
        let whole = self.at - digits;
        if whole == 0 {
            return Err(self.error("expected a digit"));
        }
        if whole > 1 && self.text[digits] == b'0' {
            self.at = digits;
            return Err(self.error("a number does not start with 0"));
        }
        if whole <= 18 && !matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Ok(Value::Number(Number::from_i64(if negative { -integer } else { integer })));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.error("expected a digit"));
            }
        }
        while matches!(self.peek(), Some(b'0'..=b'9' | b'e' | b'E' | b'+' | b'-')) {
            self.at += 1;
        }
        let Ok(number) = Number::from_bytes(&self.text[start..self.at]) else {
            self.at = start;
            return Err(self.error("not a number, or one out of range"));
        };
        Ok(Value::Number(number))
    }

    fn array(&mut self, depth: u16) -> Read<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(List::empty()));
        }
        if matches!(self.peek(), Some(b'0'..=b'9')) {
            items.reserve_exact(self.items_ahead());
        }
        loop {
            if self.integers(&mut items) {
                break;
            }
            self.blanks();
            items.push(self.value(depth + 1)?);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.error("expected `,` or `]`")),
            }
        }
        self.at += 1;
        List::new(items).map(Value::List).ok_or_else(|| self.error("nested too deep"))
    }

    /// Reads short integers with nothing but commas between, as lists mostly have them, as far as they go; whether
    /// that is the end of the list.
    fn integers(&mut self, items: &mut Vec<Value>) -> bool {
        // Values are made of many integers at once: a value that is pushed alone is made first and moved then, see
        // [`Value::assign`].
        let mut integers = [0; 64];
        loop {
            let mut count = 0;
            let mut is_last = false;
            while count < integers.len() && !is_last {
                let Some((integer, end)) = short_integer(self.text, self.at) else { break };
                match self.text.get(end) {
                    Some(b',') => self.at = end + 1,
                    Some(b']') => (self.at, is_last) = (end, true),
                    _ => break,
                }
                integers[count] = integer;
                count += 1;
            }
            items.extend(integers[..count].iter().map(|&integer| Value::from(integer)));
            if count < integers.len() || is_last {
                return is_last;
            }
        }
    }

    /// How many items there are up to the end of a list without lists in it, the next one included. Of the whole text
    /// only so much is looked at in advance as it is long, since it may open hundreds of lists before it closes one.
    fn items_ahead(&mut self) -> usize {
        let rest = &self.text[self.at..];
        let rest = &rest[..rest.len().min(self.ahead)];
        let mut count = 1;
        // Looking at a piece at once is many times faster than byte by byte, and in so short a one a byte can count.
        for piece in rest.chunks(128) {
            let of =
                |wanted: u8, bytes: &[u8]| bytes.iter().map(|&byte| u8::from(byte == wanted)).sum::<u8>();
            if of(b']', piece) > 0 {
                let end = piece.iter().take_while(|&&byte| byte != b']').count();
                self.ahead -= end;
                return count + usize::from(of(b',', &piece[..end]));
            }
            count += usize::from(of(b',', piece));
            self.ahead -= piece.len();
        }
        count
    }

    fn object(&mut self, depth: u16) -> Read<Value> {
        self.at += 1;
        let mut entries = Vec::new();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Context(Context::empty()));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a member name"));
            }
            let name = self.string()?;
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.error("expected `:`"));
            }
            self.at += 1;
            self.blanks();
            entries.push((name, self.value(depth + 1)?));
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.error("expected `,` or `}`")),
            }
        }
        self.at += 1;
        Context::new(entries).map(Value::Context).ok_or_else(|| self.error("nested too deep"))
    }

    fn string(&mut self) -> Read<Text> {
        let start = self.at + 1;
        let rest = self.text.get(start..).unwrap_or_default();
        let plain = rest.iter().position(|&byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        self.at = start + plain.unwrap_or(rest.len());
        match self.peek() {
            Some(b'"') => (),
            Some(b'\\') => return self.string_with_escapes(start),
            Some(_) => return Err(self.error("control character in a string")),
            None => return Err(self.error("string without end")),
        }
        let text = Text::from_utf8(&self.text[start..self.at]).ok_or_else(|| self.error("not UTF-8"))?;
        self.at += 1;
        Ok(text)
    }

    fn string_with_escapes(&mut self, start: usize) -> Read<Text> {
        let mut bytes = self.text[start..self.at].to_vec();
        loop {
            let byte = self.peek().ok_or_else(|| self.error("string without end"))?;
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    let character = self.escape()?;
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..=0x1f => return Err(self.error("control character in a string")),
                _ => bytes.push(byte),
            }
        }
        String::from_utf8(bytes).map(Text::from).map_err(|_| self.error("not UTF-8"))
    }

    fn escape(&mut self) -> Read<char> {
        let byte = self.peek().ok_or_else(|| self.error("string without end"))?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex()?;
                let mut code = unit;
                if (0xd800..0xdc00).contains(&unit) && self.text[self.at..].starts_with(b"\\u") {
                    let here = self.at;
                    self.at += 2;
                    let second = self.hex()?;
                    if (0xdc00..0xe000).contains(&second) {
                        code = 0x1_0000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
                    } else {
                        self.at = here;
                    }
                }
                // Half of a pair has no place in UTF-8.
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.error("unknown escape")),
        })
    }

    fn hex(&mut self) -> Read<u32> {
        let digits =
            self.text.get(self.at..self.at + 4).ok_or_else(|| self.error("expected four hex digits"))?;
        let code = digits.iter().try_fold(0, |code, &byte| Some(code * 16 + char::from(byte).to_digit(16)?));
        let code = code.ok_or_else(|| self.error("expected four hex digits"))?;
        self.at += 4;
        Ok(code)
    }
}

/// The integer of at most 18 digits that starts at a place, and where it ends.
#[inline]
fn short_integer(text: &[u8], start: usize) -> Option<(i64, usize)> {
    let (mut at, mut integer) = (start, 0i64);
    while let Some(byte @ b'0'..=b'9') = text.get(at) {
        if at - start == 18 {
            return None;
        }
        integer = integer * 10 + i64::from(byte - b'0');
        at += 1;
    }
    if at == start || at - start > 1 && text[start] == b'0' { None } else { Some((integer, at)) }
}

#[cfg(test)]
mod tests {
    use crate::Value;

    #[test]
    fn reads_lists_of_any_length_and_of_mixed_numbers() {
        let last =
            ["7", "-7", "0", " 7 ", "7.5", "123456789012345678", "1234567890123456789", "\"a,]\"", "[1,[2]]"];
        for length in (0..5).chain(60..70).chain(125..135) {
            for last in last {
                let mut items: Vec<String> = (0..length).map(|item| item.to_string()).collect();
                items.push(last.to_owned());
                let text = format!("[{}]", items.join(","));
                let value = Value::from_json(text.as_bytes()).expect("JSON");
                assert_eq!(value.to_json(), text.replace(' ', ""));
            }
        }
    }

    #[test]
    fn tells_where_a_list_is_wrong() {
        for (text, at) in [("[1,2,]", 5), ("[1,02]", 3), ("[1,2", 4), ("[1,,2]", 3), ("[1 2]", 3), ("[", 1)] {
            let error = Value::from_json(text.as_bytes()).expect_err("no JSON");
            assert_eq!(error.offset, at, "{text}: {error}");
        }
    }
}
