//! JSON, written straight into bytes.

/// An object that is being written. Names of members are our own and need no escapes.
pub(super) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    #[inline]
    pub(super) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// An object as the value of a member.
    pub(super) fn open(&mut self, name: &'static str) -> Object<'_> {
        self.name(name);
        Object::begin(self.out)
    }

    #[inline]
    pub(super) fn end(self) {
        self.out.push(b'}');
    }

    #[inline]
    fn comma(&mut self) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
    }

    /// A member's name; the value follows.
    #[inline]
    fn name(&mut self, name: &'static str) {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// Members that are JSON already: at least one, separated by commas.
    #[inline]
    pub(super) fn members(&mut self, json: &str) {
        self.comma();
        self.out.extend_from_slice(json.as_bytes());
    }

    pub(super) fn text(&mut self, name: &'static str, text: &str) {
        self.name(name);
        string(text, self.out);
    }

    /// Text that is known to need no escapes.
    #[inline]
    pub(super) fn word(&mut self, name: &'static str, word: &'static str) {
        self.name(name);
        self.out.push(b'"');
        self.out.extend_from_slice(word.as_bytes());
        self.out.push(b'"');
    }

    pub(super) fn number(&mut self, name: &'static str, number: i64) {
        self.name(name);
        integer(number, self.out);
    }

    /// A key; one that was never given is −1.
    pub(super) fn key(&mut self, name: &'static str, raw: u64) {
        self.number(name, if raw == 0 { -1 } else { raw.cast_signed() });
    }

    pub(super) fn boolean(&mut self, name: &'static str, value: bool) {
        self.raw(name, if value { "true" } else { "false" });
    }

    /// A value that is JSON already.
    #[inline]
    pub(super) fn raw(&mut self, name: &'static str, json: &str) {
        self.name(name);
        self.out.extend_from_slice(json.as_bytes());
    }

    /// A list of objects. Ends at the first that cannot be written.
    pub(super) fn objects<T, E>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut Object<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.name(name);
        self.out.push(b'[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            let mut object = Object::begin(self.out);
            write(item, &mut object)?;
            object.end();
        }
        self.out.push(b']');
        Ok(())
    }

    /// A list of objects that can all be written.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut Object<'_>),
    ) {
        let Ok(()) = self.objects(name, items, |item, object| {
            write(item, object);
            Ok::<(), std::convert::Infallible>(())
        });
    }

    /// A list of keys.
    pub(super) fn keys(&mut self, name: &'static str, keys: impl IntoIterator<Item = u64>) {
        self.name(name);
        list(keys, self.out);
    }

    /// A list with one list of keys in it.
    pub(super) fn path(&mut self, name: &'static str, keys: impl IntoIterator<Item = u64>) {
        self.name(name);
        self.out.push(b'[');
        list(keys, self.out);
        self.out.push(b']');
    }

    /// Bytes as base64.
    pub(super) fn base64(&mut self, name: &'static str, bytes: &[u8]) {
        self.name(name);
        self.out.push(b'"');
        base64(bytes, self.out);
        self.out.push(b'"');
    }
}

fn list(keys: impl IntoIterator<Item = u64>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, key) in keys.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        integer(key.cast_signed(), out);
    }
    out.push(b']');
}

/// The numbers from 00 to 99, two digits each.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0u8;
    while number < 100 {
        pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    pairs
};

/// Writes a number in decimal digits.
pub(crate) fn integer(number: i64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut left = number.unsigned_abs();
    while left >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[(left % 100) as usize]);
        left /= 100;
    }
    if left > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + u8::try_from(left).expect("one digit");
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    let plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    coreto_record::document::write_string(text, &mut escaped);
    out.extend_from_slice(escaped.as_bytes());
}

fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, &byte| word << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit =
                if place <= chunk.len() { DIGITS[(word >> (18 - 6 * place)) as usize & 63] } else { b'=' };
            out.push(digit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers_strings_and_bytes() {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        for (name, number) in [("a", 0), ("b", i64::MIN), ("c", i64::MAX)] {
            object.number(name, number);
        }
        object.text("d", "plain \"quoted\"\n");
        for (name, bytes) in
            [("e", &b""[..]), ("f", b"f"), ("g", b"fo"), ("h", b"foo"), ("i", b"\xff\xfe\xfd\xfc")]
        {
            object.base64(name, bytes);
        }
        object.path("p", [1, 2]);
        object.end();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"a":0,"b":-9223372036854775808,"c":9223372036854775807,"d":"plain \"quoted\"\n","e":"","f":"Zg==","g":"Zm8=","h":"Zm9v","i":"//79/A==","p":[[1,2]]}"#
        );
    }

    #[test]
    fn writes_numbers_of_every_length() {
        let mut number = 1i64;
        for _ in 0..19 {
            for near in [number - 1, number, number + 1, -number] {
                let mut out = Vec::new();
                integer(near, &mut out);
                assert_eq!(String::from_utf8(out).unwrap(), near.to_string());
            }
            number = number.saturating_mul(10);
        }
    }
}
