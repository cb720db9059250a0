//! Looking into JSON text: for one member, passing over all others, or for a short value.
//!
//! The text is taken to be valid with unique member names, since whoever stored it has checked that; invalid text
//! gives "not found" at worst.

use super::read;
use crate::value::Number;

/// The text of a member's value, if the text is an object and has it.
pub(crate) fn member<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
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
        at = string_end(text, at);
        let matches = key_is(text.get(key..at)?, name);
        at = blanks(text, at);
        if text.get(at) != Some(&b':') {
            return None;
        }
        let start = blanks(text, at + 1);
        at = value_end(text, start);
        if matches {
            return text.get(start..at);
        }
        at = blanks(text, at);
        if text.get(at) != Some(&b',') {
            return None;
        }
        at += 1;
    }
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

fn key_is(quoted: &[u8], name: &str) -> bool {
    if quoted.contains(&b'\\') {
        return read::string(quoted).is_ok_and(|key| key.as_bytes() == name.as_bytes());
    }
    quoted.len() == name.len() + 2 && &quoted[1..quoted.len() - 1] == name.as_bytes()
}

fn blanks(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// The position after a string that opens at `at`.
fn string_end(text: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    loop {
        match text.get(at) {
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return at,
        }
    }
}

/// The position after the value that starts at `at`.
fn value_end(text: &[u8], mut at: usize) -> usize {
    let mut depth = 0usize;
    loop {
        match text.get(at) {
            Some(b'"') => {
                at = string_end(text, at);
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
