//! Looking into JSON text: for one member, passing over all others, or for a short value.
//!
//! The text is taken to be valid with unique member names, since whoever stored it has checked that; invalid text
//! gives "not found" at worst.

use super::read;
use crate::value::Number;

/// The text from a member's value on, if the text starts with an object that has it.
pub(crate) fn from_member<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut at = blanks(text, 0);
    if text.get(at) != Some(&b'{') {
        return None;
    }
    at += 1;
    loop {
        at = blanks(text, at);
        if text.get(at) != Some(&b'"') {
            return None;
        }
        let key = at;
        let escaped;
        (at, escaped) = string_end(text, at);
        let matches = key_is(text.get(key..at)?, escaped, name);
        at = blanks(text, at);
        if text.get(at) != Some(&b':') {
            return None;
        }
        let start = blanks(text, at + 1);
        if matches {
            return text.get(start..);
        }
        at = blanks(text, value_end(text, start));
        if text.get(at) != Some(&b',') {
            return None;
        }
        at += 1;
    }
}

/// The first value of a text that goes on after it.
pub(crate) fn first_value(text: &[u8]) -> &[u8] {
    text.get(..value_end(text, 0)).unwrap_or(text)
}

/// The integer that the whole text is, if it is one of at most 18 digits without blanks around it.
#[inline]
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut integer = 0i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        integer = integer * 10 + i64::from(digit);
    }
    Some(if negative { -integer } else { integer })
}

/// The number that the whole text is, if it is one without blanks around it.
pub(crate) fn number(text: &[u8]) -> Option<Number> {
    if let Some(integer) = integer(text) {
        return Some(Number::from_i64(integer));
    }
    matches!(text.first(), Some(b'-' | b'0'..=b'9')).then(|| Number::from_bytes(text).ok())?
}

/// The string that the whole text is, if it is one without escapes and blanks around it.
pub(crate) fn plain_string(text: &[u8]) -> Option<&[u8]> {
    let [b'"', inner @ .., b'"'] = text else { return None };
    (!inner.iter().any(|&byte| byte == b'\\' || byte == b'"')).then_some(inner)
}

fn key_is(quoted: &[u8], escaped: bool, name: &[u8]) -> bool {
    if escaped {
        return read::string(quoted).is_ok_and(|key| key.as_bytes() == name);
    }
    quoted.len() == name.len() + 2 && &quoted[1..quoted.len() - 1] == name
}

fn blanks(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// The position after a string that opens at `at`, and whether there are escapes in it.
fn string_end(text: &[u8], at: usize) -> (usize, bool) {
    let (mut at, mut escaped) = (at + 1, false);
    loop {
        let rest = text.get(at..).unwrap_or_default();
        match rest.iter().position(|&byte| byte == b'"' || byte == b'\\') {
            Some(length) if rest[length] == b'"' => return (at + length + 1, escaped),
            Some(length) => {
                escaped = true;
                at += length + 2;
            }
            None => return (text.len(), escaped),
        }
    }
}

/// The position after the value that starts at `at`.
fn value_end(text: &[u8], mut at: usize) -> usize {
    let mut depth = 0usize;
    loop {
        match text.get(at) {
            Some(b'"') => {
                at = string_end(text, at).0;
                if depth == 0 {
                    return at;
                }
            }
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b'}' | b']') => {
                if depth == 0 {
                    return at;
                }
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return at;
                }
            }
            Some(b',' | b' ' | b'\n' | b'\r' | b'\t') if depth == 0 => return at,
            Some(_) => at += 1,
            None => return at,
        }
    }
}
