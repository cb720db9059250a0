//! JSON, written straight into bytes.

/// An object that is being written.
pub(super) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    pub(super) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    pub(super) fn end(self) {
        self.out.push(b'}');
    }

    /// A member's name; the value follows. Names are our own and need no escapes.
    fn name(&mut self, name: &str) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        string(text, self.out);
    }

    pub(super) fn number(&mut self, name: &str, number: i64) {
        self.name(name);
        integer(number, self.out);
    }

    /// A key; one that was never given is −1.
    pub(super) fn key(&mut self, name: &str, raw: u64) {
        self.number(name, if raw == 0 { -1 } else { raw.cast_signed() });
    }

    pub(super) fn boolean(&mut self, name: &str, value: bool) {
        self.raw(name, if value { "true" } else { "false" });
    }

    /// A value that is JSON already.
    pub(super) fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.out.extend_from_slice(json.as_bytes());
    }

    /// A nested object.
    pub(super) fn object(&mut self, name: &str, write: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        let mut object = Object::begin(self.out);
        write(&mut object);
        object.end();
    }

    /// A list of objects.
    pub(super) fn objects<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut Object<'_>),
    ) {
        self.name(name);
        self.out.push(b'[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            let mut object = Object::begin(self.out);
            write(item, &mut object);
            object.end();
        }
        self.out.push(b']');
    }

    /// A list of numbers.
    pub(super) fn numbers(&mut self, name: &str, numbers: impl IntoIterator<Item = u64>) {
        self.name(name);
        list(numbers, self.out);
    }

    /// A list with one list of numbers in it.
    pub(super) fn path(&mut self, name: &str, numbers: impl IntoIterator<Item = u64>) {
        self.name(name);
        self.out.push(b'[');
        list(numbers, self.out);
        self.out.push(b']');
    }

    /// Bytes as base64.
    pub(super) fn base64(&mut self, name: &str, bytes: &[u8]) {
        self.name(name);
        self.out.push(b'"');
        base64(bytes, self.out);
        self.out.push(b'"');
    }
}

fn list(numbers: impl IntoIterator<Item = u64>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, number) in numbers.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        integer(number.cast_signed(), out);
    }
    out.push(b']');
}

fn integer(number: i64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut left = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(left % 10).expect("one digit");
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

fn string(text: &str, out: &mut Vec<u8>) {
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
}
