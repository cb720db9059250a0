//! A client of HTTP/2 that sends fields as they are: frames and literals, and just enough to read a status.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::case::Case;
use super::frames::{CONTINUATION, DATA, GOAWAY, HEADERS, RST_STREAM, SETTINGS, frame, literals};
use super::stage::Stage;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;
const FRAME_BYTES_MAX: usize = 16_384;

/// Plays a case.
pub(crate) fn play(case: &Case, stage: &Stage) -> Result<(), String> {
    let mut stream = stage.connect();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    frame(&mut bytes, SETTINGS, 0, 0, &[]);
    let bare = case.data.is_empty();
    let ends = |last: bool| if last { END_STREAM } else { 0 };
    let block = literals(&head(case, stage));
    let pieces = block.chunks(FRAME_BYTES_MAX).count();
    for (at, piece) in block.chunks(FRAME_BYTES_MAX).enumerate() {
        let (kind, ends) = if at == 0 { (HEADERS, ends(bare)) } else { (CONTINUATION, 0) };
        let whole = if at + 1 == pieces { END_HEADERS } else { 0 };
        frame(&mut bytes, kind, whole | ends, 1, piece);
    }
    for (at, data) in case.data.iter().enumerate() {
        let last = at + 1 == case.data.len() && case.trailers.is_empty();
        frame(&mut bytes, DATA, ends(last), 1, data);
    }
    if !case.trailers.is_empty() {
        frame(&mut bytes, HEADERS, END_HEADERS | END_STREAM, 1, &literals(&case.trailers));
    }
    stream.write_all(&bytes).map_err(|error| error.to_string())?;
    let outcome = outcome(&mut stream)?;
    let wanted = case.want.first().ok_or("nothing is wanted")?;
    if !wanted.split('|').any(|wanted| wanted == outcome) {
        return Err(format!("{wanted} is wanted, {outcome} came"));
    }
    let Some(up) = &case.up else { return Ok(()) };
    let up: String = up.iter().map(|byte| char::from(*byte)).collect();
    let reached = stage.reached();
    if reached == up { Ok(()) } else { Err(format!("the upstream got {reached:?}")) }
}

fn head(case: &Case, stage: &Stage) -> Vec<(Vec<u8>, Vec<u8>)> {
    let usual = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")];
    let given = |name: &str| case.fields.iter().any(|(field, _)| field == name.as_bytes());
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = usual
        .iter()
        .filter(|(name, _)| !given(name) && !case.without.iter().any(|without| without == name))
        .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect();
    // Those of the head come before all others.
    let of_head = |field: &&(Vec<u8>, Vec<u8>)| field.0.starts_with(b":");
    fields.extend(case.fields.iter().filter(of_head).cloned());
    let others = case.fields.iter().filter(|field| !of_head(field));
    fields.extend(others.map(|(name, value)| (name.clone(), stage.filled(value))));
    fields
}

/// The status of the answer, or `reset`.
fn outcome(stream: &mut TcpStream) -> Result<String, String> {
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).is_err() {
            return Ok("reset".to_owned());
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).expect("it is short")];
        stream.read_exact(&mut payload).map_err(|error| error.to_string())?;
        match (head[3], head[4]) {
            (HEADERS, _) => return status(&payload),
            (RST_STREAM | GOAWAY, _) => return Ok("reset".to_owned()),
            (SETTINGS, flags) if flags & ACK == 0 => {
                let mut answer = Vec::new();
                frame(&mut answer, SETTINGS, ACK, 0, &[]);
                // A proxy that has refused may have closed.
                let _ = stream.write_all(&answer);
            }
            _ => {}
        }
    }
}

/// The status, which is the first field (RFC 7541 appendix A; digits as appendix B has them).
fn status(block: &[u8]) -> Result<String, String> {
    let known = ["200", "204", "206", "304", "400", "404", "500"];
    match *block {
        [index @ 0x88..=0x8e, ..] => Ok(known[usize::from(index - 0x88)].to_owned()),
        [0x48 | 0x08, length, ref rest @ ..] if length & 0x80 == 0 => {
            Ok(String::from_utf8_lossy(&rest[..usize::from(length)]).into_owned())
        }
        [0x48 | 0x08, length, ref rest @ ..] => Ok(digits(&rest[..usize::from(length & 0x7f)])),
        _ => Err(format!("no status: {block:02x?}")),
    }
}

/// Three digits in Huffman's code: 0 to 2 have five bits, the others six.
fn digits(coded: &[u8]) -> String {
    let bits: Vec<u8> =
        coded.iter().flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1)).collect();
    let value = |bits: &[u8]| bits.iter().fold(0_u8, |value, bit| (value << 1) | bit);
    let (mut text, mut at) = (String::new(), 0);
    while text.len() < 3 && at + 5 <= bits.len() {
        let five = value(&bits[at..at + 5]);
        if five <= 2 {
            text.push(char::from(b'0' + five));
            at += 5;
        } else {
            text.push(char::from(b'0' + value(&bits[at..at + 6]) - 0x19 + 3));
            at += 6;
        }
    }
    text
}
