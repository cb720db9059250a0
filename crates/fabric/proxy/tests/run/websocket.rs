//! As much of RFC 6455 as tests speak.

#![allow(clippy::expect_used, dead_code, reason = "it is for several tests")]

pub(crate) const TEXT: u8 = 1;
pub(crate) const CLOSE: u8 = 8;

/// What consents to a key (§4.2.2), with digits of base64 as RFC 4648 has them.
pub(crate) fn accept(key: &str) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key.as_bytes());
    context.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let digest = context.finish();
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = digest.as_ref().iter().flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1));
    let bits: Vec<u8> = bits.chain([0, 0]).collect();
    let six = |six: &[u8]| usize::from(six.iter().fold(0, |value, bit| (value << 1) | bit));
    bits.chunks(6).map(|bits| char::from(digits[six(bits)])).chain(['=']).collect()
}

/// A whole message of a client, masked by zeros; of less than 126 bytes.
pub(crate) fn masked(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("it is short");
    [&[0x80 | kind, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

/// A whole message of a server.
pub(crate) fn plain(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("it is short");
    [&[0x80 | kind, length], payload].concat()
}
