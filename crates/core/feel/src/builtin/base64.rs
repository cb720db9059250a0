//! Base64 of UTF-8.

use super::{Builtin, Call};
use crate::eval::Eval;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("to base64", &[&["value"]], to_base64),
    Builtin::new("from base64", &[&["value"]], from_base64),
];

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn to_base64(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::String(text)] = values else { return call.illegal(values) };
    call.charge_steps(text.as_bytes().len())?;
    let mut out = String::with_capacity(text.as_bytes().len() / 3 * 4 + 4);
    for chunk in text.as_bytes().chunks(3) {
        let bytes = [chunk[0], chunk.get(1).copied().unwrap_or(0), chunk.get(2).copied().unwrap_or(0)];
        let group = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        for place in 0..4 {
            if place <= chunk.len() {
                out.push(char::from(BASE64[(group >> (18 - 6 * place) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
    call.string(out)
}

fn from_base64(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::String(text)] = values else { return call.illegal(values) };
    call.charge_steps(text.as_bytes().len())?;
    match decode_base64(text.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(decoded) => call.string(decoded),
        None => call.fail("the text is not the base64 of a UTF-8 string"),
    }
}

fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|&&byte| byte == b'=').count();
    if padding > 2 || padding > 0 && !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = &text[..text.len() - padding];
    if digits.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.chunks(4) {
        let mut group = 0u32;
        for byte in chunk {
            let digit = BASE64.iter().position(|known| known == byte)?;
            group = group << 6 | u32::try_from(digit).ok()?;
        }
        group <<= 6 * (4 - chunk.len());
        out.extend_from_slice(&group.to_be_bytes()[1..chunk.len()]);
    }
    Some(out)
}
