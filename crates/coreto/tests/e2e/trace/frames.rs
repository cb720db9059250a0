//! HTTP/2 frames in one direction of a connection (RFC 9113, section 4.1).

/// Cuts bytes into frames.
#[derive(Default)]
pub(super) struct Frames {
    waiting: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) stream: u32,
    /// Nothing follows on this stream.
    pub(super) is_last: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Headers,
    Other,
}

/// What a client sends before its first frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const HEAD: usize = 9;

impl Frames {
    /// Takes what was read or written; gives the frames that are whole by now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Frame> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.starts_with(PREFACE) {
            self.waiting.drain(..PREFACE.len());
        }
        let mut frames = Vec::new();
        while let Some(&[a, b, c, kind, flags, d, e, f, g]) = self.waiting.first_chunk::<HEAD>() {
            let length = u32::from_be_bytes([0, a, b, c]) as usize;
            if self.waiting.len() < HEAD + length {
                break;
            }
            self.waiting.drain(..HEAD + length);
            let kind = match kind {
                0 => Kind::Data,
                1 => Kind::Headers,
                _ => Kind::Other,
            };
            frames.push(Frame { kind, stream: u32::from_be_bytes([d, e, f, g]), is_last: flags & 1 == 1 });
        }
        frames
    }
}
