//! What clients do, once: requests that are short, and such as last for a while in one direction or in both.

use std::io;
use std::time::Duration;

use super::client::{Answer, Caller};
use super::websocket::{CLOSE, TEXT, masked, plain};

/// One thing that a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An answer of this path.
    Get(&'static str),
    /// An answer to a body whose length is told.
    Upload,
    /// An answer to a body in chunks.
    Chunks,
    /// A stream of events.
    Events,
    /// A WebSocket whose messages come back.
    Socket,
    /// A call of gRPC that is answered by a stream; of HTTP/2 alone.
    Call,
}

/// What lasts, on connections of HTTP/1 and HTTP/2.
pub(crate) const LASTING: [Kind; 4] = [Kind::Upload, Kind::Chunks, Kind::Events, Kind::Socket];

/// Pieces of what lasts, and the time between two.
pub(crate) const PIECES: usize = 16;
pub(crate) const PAUSE: Duration = Duration::from_millis(3);
/// Of a body that is sent.
const PIECE_BYTES: usize = 8 << 10;

impl Kind {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Kind::Get(path) => path,
            Kind::Upload | Kind::Chunks => "/shop/upload",
            Kind::Events => "/shop/events",
            Kind::Socket => "/shop/socket",
            Kind::Call => "/calls/list",
        }
    }
}

/// A piece of a body; no two are the same.
pub(crate) fn piece(at: usize) -> Vec<u8> {
    let digit = |byte: usize| b'0' + u8::try_from((at + byte) % 10).unwrap();
    (0..PIECE_BYTES).map(digit).collect()
}

/// What is answered to a body that came.
pub(crate) fn receipt(body: &[u8]) -> String {
    let sum = body.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    format!("{} bytes, {sum:x}", body.len())
}

/// What is answered to all the pieces.
pub(crate) fn receipt_of_all() -> String {
    receipt(&(0..PIECES).flat_map(piece).collect::<Vec<_>>())
}

pub(crate) fn event(at: usize) -> String {
    format!("data: {at}\n\n")
}

/// All the events of a stream.
pub(crate) fn all_events() -> String {
    (0..PIECES).map(event).collect()
}

/// Fails with what was to be and what is.
pub(crate) fn is_same(found: &[u8], expected: &[u8]) -> io::Result<()> {
    if found == expected {
        return Ok(());
    }
    let [found, expected] = [found, expected].map(String::from_utf8_lossy);
    Err(io::Error::other(format!("it is `{found}` and not `{expected}`")))
}

/// Does it on a connection of HTTP/1.
pub(crate) fn once(caller: &mut Caller, kind: Kind) -> io::Result<Answer> {
    let path = kind.path();
    let answer = match kind {
        Kind::Get(_) | Kind::Call => return caller.ask(&format!("GET {path}"), ""),
        Kind::Upload | Kind::Chunks => {
            let chunked = kind == Kind::Chunks;
            let framing = if chunked {
                "transfer-encoding: chunked\r\n".to_owned()
            } else {
                format!("content-length: {}\r\n", PIECES * PIECE_BYTES)
            };
            caller.send_head(&format!("POST {path}"), &framing)?;
            for at in 0..PIECES {
                let piece = piece(at);
                let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat();
                caller.put(if chunked { &chunk } else { &piece })?;
                std::thread::sleep(PAUSE);
            }
            if chunked {
                caller.put(b"0\r\n\r\n")?;
            }
            let answer = caller.receive()?;
            is_same(answer.body.as_bytes(), receipt_of_all().as_bytes())?;
            answer
        }
        Kind::Events => {
            let answer = caller.ask(&format!("GET {path}"), "")?;
            is_same(answer.body.as_bytes(), all_events().as_bytes())?;
            answer
        }
        Kind::Socket => {
            open(caller, path)?;
            for at in 0..PIECES {
                echoed(caller, &at.to_string())?;
                std::thread::sleep(PAUSE);
            }
            caller.put(&masked(CLOSE, &[3, 232]))?;
            is_same(&caller.rest()?, &plain(CLOSE, &[3, 232]))?;
            Answer { status: 200, body: String::new(), last: true }
        }
    };
    Ok(answer)
}

/// Opens a WebSocket.
pub(crate) fn open(caller: &mut Caller, path: &str) -> io::Result<()> {
    let key = "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let fields = format!("connection: upgrade\r\nupgrade: websocket\r\n{key}");
    caller.send_head(&format!("GET {path}"), &fields)?;
    let answer = caller.receive()?;
    if answer.status == 101 { Ok(()) } else { Err(io::Error::other(format!("no WebSocket: {answer:?}"))) }
}

/// Sends a message, and waits for it to come back.
pub(crate) fn echoed(caller: &mut Caller, text: &str) -> io::Result<()> {
    caller.put(&masked(TEXT, text.as_bytes()))?;
    let expected = plain(TEXT, text.as_bytes());
    is_same(&caller.bytes(expected.len())?, &expected)
}
