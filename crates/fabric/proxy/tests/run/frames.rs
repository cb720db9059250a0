//! Frames of HTTP/2, as bytes.

#![allow(dead_code, reason = "not every test needs every kind")]

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) fn frame(to: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    to.extend_from_slice(&u32::try_from(payload.len()).expect("it is short").to_be_bytes()[1..]);
    to.extend_from_slice(&[kind, flags]);
    to.extend_from_slice(&stream.to_be_bytes());
    to.extend_from_slice(payload);
}

/// Fields as literals that are kept in no table (RFC 7541 §6.2.2).
pub(crate) fn literals(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            length(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    block
}

/// A number in the last seven bits of a byte, and in as many more as it needs (RFC 7541 §5.1).
fn length(to: &mut Vec<u8>, length: usize) {
    const PREFIX: usize = 127;
    let Some(mut more) = length.checked_sub(PREFIX) else {
        return to.push(u8::try_from(length).expect("it is short"));
    };
    to.push(127);
    while more >= 128 {
        to.push(u8::try_from(more % 128).expect("it is short") | 128);
        more /= 128;
    }
    to.push(u8::try_from(more).expect("it is short"));
}
