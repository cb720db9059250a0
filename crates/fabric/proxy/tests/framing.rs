//! Where messages of HTTP/1 end: the gate and an independent reader of the same rules agree on made-up streams of
//! requests, whole, split anywhere, and changed at random.
//!
//! `FRAMING_SEED=n` repeats a failure, `FRAMING_ROUNDS=n` looks longer.

#[path = "framing/make.rs"]
mod make;
#[path = "framing/plain.rs"]
mod plain;
#[path = "framing/random.rs"]
mod random;

use bytes::BytesMut;
use coreto_proxy::gate::{Decoder, Limits, Reader, Step, read_request};

use random::Random;

/// What a reader makes of a stream: whole messages, then how it ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    messages: Vec<Message>,
    end: End,
}

/// One whole request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    method: String,
    target: String,
    host: String,
    body: Vec<u8>,
    trailers: usize,
}

/// How a stream ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Behind a whole message.
    Whole,
    /// Inside a message, as far as can be told.
    Unfinished,
    /// At something malformed.
    Refused,
}

/// Feeds the gate with `pieces`, as a connection would.
fn gate(pieces: &[&[u8]]) -> Reading {
    let limits = Limits::default();
    let (mut buffer, mut reader) = (BytesMut::new(), Reader::default());
    let mut messages: Vec<Message> = Vec::new();
    let mut open: Option<(Message, Decoder)> = None;
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            if let Some((message, decoder)) = &mut open {
                match decoder.read(&mut buffer, false, &limits) {
                    Ok(Step::More) => break,
                    Ok(Step::Data(data)) => message.body.extend_from_slice(&data),
                    Ok(Step::End(trailers)) => {
                        message.trailers = trailers.len();
                        messages.extend(open.take().map(|(message, _)| message));
                    }
                    Err(_) => return Reading { messages, end: End::Refused },
                }
                continue;
            }
            let head = match reader.request(&mut buffer, &limits) {
                Ok(Some(head)) => head,
                Ok(None) => break,
                Err(_) => return Reading { messages, end: End::Refused },
            };
            let Ok(request) = read_request(&head, false, &limits) else {
                return Reading { messages, end: End::Refused };
            };
            let message = Message {
                method: request.method.to_string(),
                target: request.target.as_str().to_owned(),
                host: request.authority.as_str().to_owned(),
                body: Vec::new(),
                trailers: 0,
            };
            open = Some((message, Decoder::new(request.body)));
        }
    }
    let end = if open.is_none() && buffer.is_empty() { End::Whole } else { End::Unfinished };
    Reading { messages, end }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn the_gate_and_a_plain_reader_find_the_same_messages() {
    let seed = number("FRAMING_SEED", 1);
    let mut found = [0_u32; 3];
    for round in seed..seed + number("FRAMING_ROUNDS", 60_000) {
        let mut random = Random::new(round);
        let stream = make::stream(&mut random);
        let whole = gate(&[&stream]);
        let plain = plain::read(&stream);
        // A stream that ends inside a message may be refused early or late: both are no message.
        let same = whole.messages == plain.messages
            && (whole.end == plain.end || (plain.end != End::Whole && whole.end != End::Whole));
        assert!(same, "FRAMING_SEED={round}\n{}\ngate {whole:?}\nplain {plain:?}", stream.escape_ascii());
        let pieces = split(&stream, &mut random);
        let split = gate(&pieces);
        assert_eq!(split.messages, whole.messages, "FRAMING_SEED={round} {}", stream.escape_ascii());
        assert_eq!(split.end == End::Whole, whole.end == End::Whole, "FRAMING_SEED={round}");
        found[match plain.end {
            End::Whole => 0,
            End::Unfinished => 1,
            End::Refused => 2,
        }] += 1;
    }
    let rare = found.iter().min().copied().unwrap_or_default();
    assert!(rare > 500, "every way to end is met often: whole, unfinished, refused {found:?}");
}

fn split<'a>(stream: &'a [u8], random: &mut Random) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let longest = if random.one_in(3) { 3 } else { 40 };
        let size = 1 + random.below(longest);
        let (piece, after) = rest.split_at(size.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}
