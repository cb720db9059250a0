//! JSON, written straight into bytes.

/// A member's name with what stands around it, so that it is copied at once. Names are our own and need no escapes.
macro_rules! name {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}

pub(super) use name;

/// An object that is being written; it has members when it ends.
///
/// Every member begins with a comma, and the end makes the first one a brace.
pub(super) struct Object<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Object<'a> {
    pub(super) const fn begin(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start }
    }

    /// An object as the value of a member.
    pub(super) fn open(&mut self, name: &'static str) -> Object<'_> {
        self.members(name);
        Object::begin(self.out)
    }

    pub(super) fn end(self) {
        self.out[self.start] = b'{';
        self.out.push(b'}');
    }

    /// Members that are JSON already, each with a comma before it.
    #[inline]
    pub(super) fn members(&mut self, json: &str) {
        self.out.extend_from_slice(json.as_bytes());
    }

    #[inline]
    pub(super) fn text(&mut self, name: &'static str, text: &str) {
        self.members(name);
        string(text, self.out);
    }

    /// Text that is known to need no escapes.
    #[inline]
    pub(super) fn word(&mut self, name: &'static str, word: &'static str) {
        self.members(name);
        self.out.push(b'"');
        self.out.extend_from_slice(word.as_bytes());
        self.out.push(b'"');
    }

    #[inline]
    pub(super) fn number(&mut self, name: &'static str, number: i64) {
        self.members(name);
        integer(number, self.out);
    }

    /// A key; one that was never given is −1.
    #[inline]
    pub(super) fn key(&mut self, name: &'static str, raw: u64) {
        self.number(name, if raw == 0 { -1 } else { raw.cast_signed() });
    }

    pub(super) fn boolean(&mut self, name: &'static str, value: bool) {
        self.raw(name, if value { "true" } else { "false" });
    }

    /// A value that is JSON already.
    #[inline]
    pub(super) fn raw(&mut self, name: &'static str, json: &str) {
        self.members(name);
        self.out.extend_from_slice(json.as_bytes());
    }

    /// A list of objects. Ends at the first that cannot be written.
    pub(super) fn objects<T, E>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut Object<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.members(name);
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
        self.members(name);
        list(keys, self.out);
    }

    /// A list of lists of keys, which has some when it ends.
    pub(super) fn lists(&mut self, name: &'static str) -> Lists<'_> {
        self.members(name);
        let start = self.out.len();
        Lists { out: self.out, start }
    }

    /// Bytes as base64.
    pub(super) fn base64(&mut self, name: &'static str, bytes: &[u8]) {
        self.members(name);
        self.out.push(b'"');
        base64(bytes, self.out);
        self.out.push(b'"');
    }
}

/// A list of lists of keys that is being written.
///
/// Every list begins with a comma, and the end makes the first one a bracket.
pub(super) struct Lists<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl Lists<'_> {
    pub(super) fn keys(&mut self, keys: impl IntoIterator<Item = u64>) {
        self.out.push(b',');
        list(keys, self.out);
    }

    pub(super) fn end(self) {
        self.out[self.start] = b'[';
        self.out.push(b']');
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

/// Writes a number in decimal digits.
pub(crate) fn integer(number: i64, out: &mut Vec<u8>) {
    const EIGHT: u64 = 100_000_000;
    let left = number.unsigned_abs();
    if number < 0 {
        out.push(b'-');
    }
    let (high, low) = (left / EIGHT, left % EIGHT);
    if high == 0 {
        return without_zeros(low, out);
    }
    let (top, middle) = (high / EIGHT, high % EIGHT);
    if top == 0 {
        without_zeros(middle, out);
    } else {
        without_zeros(top, out);
        out.extend_from_slice(&eight_digits(middle).to_le_bytes());
    }
    out.extend_from_slice(&eight_digits(low).to_le_bytes());
}

/// Writes a number below 10⁸ without the zeros before it.
#[inline]
fn without_zeros(number: u64, out: &mut Vec<u8>) {
    let digits = eight_digits(number);
    let zeros = ((digits - ZEROS).trailing_zeros() / 8).min(7);
    let end = out.len() + 8 - zeros as usize;
    out.extend_from_slice(&(digits >> (8 * zeros)).to_le_bytes());
    out.truncate(end);
}

const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// Eight decimal digits of a number below 10⁸, the first one in the lowest byte: lanes of four digits become lanes of two
/// and then of one, all at the same time. The products stand for divisions by 100 and 10, and are exact in these lanes.
#[inline]
const fn eight_digits(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | ((fours - 100 * hundreds) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    (tens | ((twos - 10 * tens) << 8)) + ZEROS
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
        for (name, number) in [(name!("a"), 0), (name!("b"), i64::MIN), (name!("c"), i64::MAX)] {
            object.number(name, number);
        }
        object.text(name!("d"), "plain \"quoted\"\n");
        for (name, bytes) in [
            (name!("e"), &b""[..]),
            (name!("f"), b"f"),
            (name!("g"), b"fo"),
            (name!("h"), b"foo"),
            (name!("i"), b"\xff\xfe\xfd\xfc"),
        ] {
            object.base64(name, bytes);
        }
        let mut lists = object.lists(name!("p"));
        lists.keys([1, 2]);
        lists.keys([]);
        lists.end();
        object.end();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"a":0,"b":-9223372036854775808,"c":9223372036854775807,"d":"plain \"quoted\"\n","e":"","f":"Zg==","g":"Zm8=","h":"Zm9v","i":"//79/A==","p":[[1,2],[]]}"#
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
        for number in (0..100_000_000).step_by(1_234).chain(0..20_000).chain(99_990_000..100_000_000) {
            let mut out = Vec::new();
            integer(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
