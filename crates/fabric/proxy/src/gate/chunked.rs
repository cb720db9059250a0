//! Chunked bodies of HTTP/1.1, from bytes (RFC 9112 §7.1).

use bytes::{Buf, Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Fault, Limits, Step, trailers};

/// Reads a chunked body that comes little by little.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    /// So many bytes of chunk extensions are still allowed in this body.
    extension_bytes_left: usize,
}

#[derive(Debug)]
enum State {
    /// A line with a chunk's size.
    Size,
    /// So many bytes of a chunk.
    Data(u64),
    /// The line's end after a chunk.
    DataEnd,
    /// Trailers, of which so many bytes have been searched for their end.
    Trailers(usize),
    Ended,
}

const EXTENSION_BYTES_MAX: usize = 8 << 10;
/// The longest line with a chunk's size: 16 digits and some extensions.
const SIZE_LINE_BYTES_MAX: usize = 1 << 10;
const TRAILERS_MAX: usize = 64;

impl Default for Chunked {
    fn default() -> Self {
        Self { state: State::Size, extension_bytes_left: EXTENSION_BYTES_MAX }
    }
}

impl Chunked {
    /// Takes the next piece off `buffer`.
    ///
    /// # Errors
    /// When the chunks are not as RFC 9112 §7.1 says. Lines end in CR LF, nothing else.
    pub(super) fn read(&mut self, buffer: &mut BytesMut, limits: &Limits) -> Result<Step, Fault> {
        // Bound: each turn takes bytes off the buffer or returns.
        loop {
            match &mut self.state {
                State::Size => match self.read_size(buffer)? {
                    None => return Ok(Step::More),
                    Some(0) => self.state = State::Trailers(0),
                    Some(size) => self.state = State::Data(size),
                },
                State::Data(_) if buffer.is_empty() => return Ok(Step::More),
                State::Data(left) => {
                    let take = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                    *left -= take as u64;
                    if *left == 0 {
                        self.state = State::DataEnd;
                    }
                    return Ok(Step::Data(buffer.split_to(take).freeze()));
                }
                State::DataEnd => match buffer[..] {
                    [b'\r', b'\n', ..] => {
                        buffer.advance(2);
                        self.state = State::Size;
                    }
                    [] | [b'\r'] => return Ok(Step::More),
                    _ => return Err(Fault::ChunkEnd),
                },
                State::Trailers(searched) => {
                    let Some(end) = trailers_end(buffer, searched, limits)? else { return Ok(Step::More) };
                    let section = buffer.split_to(end).freeze();
                    self.state = State::Ended;
                    return Ok(Step::End(read_trailers(&section)?));
                }
                State::Ended => return Ok(Step::End(HeaderMap::new())),
            }
        }
    }

    /// Whether the end was read.
    pub(super) fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    fn read_size(&mut self, buffer: &mut BytesMut) -> Result<Option<u64>, Fault> {
        let digits = buffer.iter().take(17).take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits > 16 || (digits == 0 && !buffer.is_empty()) {
            return Err(Fault::ChunkSize);
        }
        let Some(line_bytes) = line(&buffer[digits..])? else {
            return if buffer.len() > SIZE_LINE_BYTES_MAX { Err(Fault::ChunkExtension) } else { Ok(None) };
        };
        self.extension_bytes_left =
            self.extension_bytes_left.checked_sub(line_bytes).ok_or(Fault::ChunkExtension)?;
        let size = buffer[..digits].iter().fold(0_u64, |size, digit| (size << 4) | hexadecimal(*digit));
        // A size above this is no size of anything, and would overflow someone's signed number.
        if size > i64::MAX.unsigned_abs() {
            return Err(Fault::ChunkSize);
        }
        buffer.advance(digits + line_bytes + 2);
        Ok(Some(size))
    }
}

/// How many bytes of extensions there are before the line's CR LF, once that is there.
fn line(rest: &[u8]) -> Result<Option<usize>, Fault> {
    if let Some(first) = rest.first()
        && !b";\r".contains(first)
    {
        return Err(Fault::ChunkSize);
    }
    let is_text = |byte: u8| byte == b'\t' || (byte >= 0x20 && byte != 0x7f);
    match rest.iter().position(|byte| !is_text(*byte)) {
        None => Ok(None),
        Some(at) => match rest[at..] {
            [b'\r', b'\n', ..] => Ok(Some(at)),
            [b'\r'] => Ok(None),
            _ => Err(Fault::ChunkExtension),
        },
    }
}

fn hexadecimal(digit: u8) -> u64 {
    u64::from(match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    })
}

/// Where the trailers end, behind their empty line.
fn trailers_end(buffer: &[u8], searched: &mut usize, limits: &Limits) -> Result<Option<usize>, Fault> {
    if buffer.starts_with(b"\r\n") {
        return Ok(Some(2));
    }
    let from = searched.saturating_sub(3);
    let end = buffer[from..].windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|at| from + at + 4);
    *searched = buffer.len();
    if end.unwrap_or(buffer.len()) > limits.head_bytes_max {
        return Err(Fault::Trailers);
    }
    Ok(end)
}

fn read_trailers(section: &Bytes) -> Result<HeaderMap, Fault> {
    let mut fields = HeaderMap::new();
    let bare =
        section.iter().enumerate().any(|(at, byte)| *byte == b'\n' && (at == 0 || section[at - 1] != b'\r'));
    if bare {
        return Err(Fault::Trailers);
    }
    let mut parsed = [httparse::EMPTY_HEADER; TRAILERS_MAX];
    let Ok(httparse::Status::Complete((length, parsed))) = httparse::parse_headers(section, &mut parsed)
    else {
        return Err(Fault::Trailers);
    };
    if length != section.len() {
        return Err(Fault::Trailers);
    }
    for field in parsed {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Fault::Trailers)?;
        let value =
            HeaderValue::from_maybe_shared(section.slice_ref(field.value)).map_err(|_| Fault::Trailers)?;
        fields.append(name, value);
    }
    Ok(trailers(fields))
}
