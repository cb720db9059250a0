//! A gRPC client over one HTTP/2 connection (RFC 9113), without IO: bytes in, bytes out.
//!
//! An ordinary client spends a task, several allocations and wake-ups on each call, and on a small machine that
//! is taken from the server under test. Here a call is two frames appended to a buffer, and an answer is read
//! where it lies.

mod hpack;
mod huffman;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use hpack::{Decoder, Encoder};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEAD: usize = 9;
const MESSAGE_HEAD: usize = 5;
/// What both sides begin with.
const WINDOW: i64 = 65_535;
/// What we let the server send before it has to wait for us.
const OUR_WINDOW: u32 = 1 << 30;
const MESSAGE_MAX: usize = 64 << 20;
const BLOCK_MAX: usize = 1 << 20;

mod frame {
    pub(super) const DATA: u8 = 0;
    pub(super) const HEADERS: u8 = 1;
    pub(super) const RST_STREAM: u8 = 3;
    pub(super) const SETTINGS: u8 = 4;
    pub(super) const PUSH_PROMISE: u8 = 5;
    pub(super) const PING: u8 = 6;
    pub(super) const GOAWAY: u8 = 7;
    pub(super) const WINDOW_UPDATE: u8 = 8;
    pub(super) const CONTINUATION: u8 = 9;

    pub(super) const ACK: u8 = 0x1;
    pub(super) const END_STREAM: u8 = 0x1;
    pub(super) const END_HEADERS: u8 = 0x4;
    pub(super) const PADDED: u8 = 0x8;
    pub(super) const PRIORITY: u8 = 0x20;
}

mod setting {
    pub(super) const HEADER_TABLE_SIZE: u16 = 1;
    pub(super) const ENABLE_PUSH: u16 = 2;
    pub(super) const CONCURRENT_STREAMS_MAX: u16 = 3;
    pub(super) const INITIAL_WINDOW: u16 = 4;
    pub(super) const FRAME_SIZE_MAX: u16 = 5;
}

/// Who is told what the server answers.
pub(crate) trait Sink<C> {
    /// One message of an answer.
    fn message(&mut self, call: &mut C, message: &[u8]);
    /// The end of an answer.
    fn ended(&mut self, call: C, status: Status);
}

/// How a call ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// A gRPC status code; 0 is success.
    pub(crate) code: u32,
    pub(crate) message: String,
}

/// The server broke the protocol, or said good-bye.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A frame that makes no sense.
    #[error("the server sent what is not HTTP/2: {0}")]
    Protocol(&'static str),
    /// It will not answer more calls.
    #[error("the server closes the connection (HTTP/2 error {code}): {text}")]
    GoAway {
        /// Error code of the frame.
        code: u32,
        /// What it says.
        text: String,
    },
}

/// One connection; `C` is what its user remembers of a call.
pub(crate) struct Connection<C> {
    /// Bytes to send; the user takes them.
    pub(crate) output: Vec<u8>,
    authority: String,
    headers: Vec<(String, String)>,
    encoder: Encoder,
    decoder: Decoder,
    requests: HashMap<&'static str, Block>,
    calls: HashMap<u32, Open<C>, Numbers>,
    next_stream: u32,
    window: i64,
    initial_window: i64,
    frame_max: usize,
    calls_max: usize,
    /// Calls that the server does not take yet.
    waiting: VecDeque<(C, &'static str, Vec<u8>)>,
    /// Requests that were sent in part, oldest first.
    partial: VecDeque<Partial>,
    received: u32,
    block: Option<Incoming>,
    /// Header blocks that change no table, and what they say.
    known: Vec<(Vec<u8>, Option<Status>)>,
    known_at: u64,
}

/// A header block that we sent before, as numbers.
struct Block {
    bytes: Vec<u8>,
    kept: usize,
}

struct Open<C> {
    call: C,
    /// The beginning of a message whose rest is still to come.
    message: Vec<u8>,
    status: Option<Status>,
    received: u32,
}

struct Partial {
    stream: u32,
    window: i64,
    body: Vec<u8>,
    sent: usize,
}

/// A header block that is being received.
struct Incoming {
    stream: u32,
    ends_stream: bool,
    bytes: Vec<u8>,
}

/// Stream numbers are spread enough by one multiplication.
#[derive(Default)]
struct NumberHasher(u64);

type Numbers = BuildHasherDefault<NumberHasher>;

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl<C> Connection<C> {
    /// Opens the conversation: preface, settings and a large window are in `output`.
    pub(crate) fn new(authority: &str, headers: &[(String, String)]) -> Self {
        let mut output = PREFACE.to_vec();
        let settings = [(setting::ENABLE_PUSH, 0), (setting::INITIAL_WINDOW, OUR_WINDOW)];
        frame_head(6 * settings.len(), frame::SETTINGS, 0, 0, &mut output);
        for (name, value) in settings {
            output.extend_from_slice(&name.to_be_bytes());
            output.extend_from_slice(&value.to_be_bytes());
        }
        window_update(0, OUR_WINDOW, &mut output);
        Self {
            output,
            authority: authority.to_owned(),
            headers: headers.to_vec(),
            encoder: Encoder::new(),
            decoder: Decoder::new(),
            requests: HashMap::new(),
            calls: HashMap::default(),
            next_stream: 1,
            window: WINDOW,
            initial_window: WINDOW,
            frame_max: 16_384,
            calls_max: 100,
            waiting: VecDeque::new(),
            partial: VecDeque::new(),
            received: 0,
            block: None,
            known: Vec::new(),
            known_at: 0,
        }
    }

    /// Sends a request, or keeps it until the server takes one more.
    pub(crate) fn call(&mut self, call: C, path: &'static str, message: &[u8]) {
        if self.calls.len() >= self.calls_max || !self.waiting.is_empty() {
            self.waiting.push_back((call, path, message.to_vec()));
        } else {
            self.send(call, path, message);
        }
    }

    /// Reads all whole frames, and tells how many bytes they were.
    ///
    /// # Errors
    /// After [`Broken`] the connection is of no use.
    pub(crate) fn receive(&mut self, input: &[u8], sink: &mut impl Sink<C>) -> Result<usize, Broken> {
        let mut at = 0;
        while let Some(head) = input.get(at..at + FRAME_HEAD) {
            let len = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            if len > MESSAGE_MAX {
                return Err(Broken::Protocol("a frame beyond all bounds"));
            }
            let body = at + FRAME_HEAD;
            let Some(payload) = input.get(body..body + len) else { break };
            let stream = number(&head[5..9]) & 0x7fff_ffff;
            self.frame(head[3], head[4], stream, payload, sink)?;
            at = body + len;
        }
        if self.received > OUR_WINDOW / 2 {
            window_update(0, self.received, &mut self.output);
            self.received = 0;
        }
        Ok(at)
    }

    fn send(&mut self, call: C, path: &'static str, message: &[u8]) {
        let stream = self.next_stream;
        self.next_stream += 2;
        self.calls.insert(stream, Open { call, message: Vec::new(), status: None, received: 0 });
        self.request_headers(stream, path);
        let whole = message.len() + MESSAGE_HEAD;
        let fits = i64::try_from(whole).unwrap_or(i64::MAX) <= self.window.min(self.initial_window);
        if fits && whole <= self.frame_max && self.partial.is_empty() {
            self.window -= i64::try_from(whole).unwrap_or(i64::MAX);
            frame_head(whole, frame::DATA, frame::END_STREAM, stream, &mut self.output);
            message_head(message.len(), &mut self.output);
            self.output.extend_from_slice(message);
        } else {
            let mut body = Vec::with_capacity(whole);
            message_head(message.len(), &mut body);
            body.extend_from_slice(message);
            self.partial.push_back(Partial { stream, window: self.initial_window, body, sent: 0 });
            self.send_partial();
        }
    }

    fn request_headers(&mut self, stream: u32, path: &'static str) {
        let kept = self.encoder.kept();
        if let Some(block) = self.requests.get(path).filter(|block| block.kept == kept) {
            frame_head(block.bytes.len(), frame::HEADERS, frame::END_HEADERS, stream, &mut self.output);
            self.output.extend_from_slice(&block.bytes);
            return;
        }
        let mut bytes = Vec::new();
        let fixed = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", &self.authority),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", concat!("coreto-bench/", env!("CARGO_PKG_VERSION"))),
        ];
        let own = self.headers.iter().map(|(name, value)| (&name[..], &value[..]));
        for (name, value) in fixed.into_iter().chain(own) {
            self.encoder.header(name, value, &mut bytes);
        }
        frame_head(bytes.len(), frame::HEADERS, frame::END_HEADERS, stream, &mut self.output);
        self.output.extend_from_slice(&bytes);
        // A block that made the server keep something is shorter the next time.
        if self.encoder.kept() == kept {
            self.requests.insert(path, Block { bytes, kept });
        }
    }

    fn send_partial(&mut self) {
        let mut done = Vec::new();
        for (at, partial) in self.partial.iter_mut().enumerate() {
            while partial.sent < partial.body.len() {
                let window = usize::try_from(self.window.min(partial.window)).unwrap_or(0);
                let len = (partial.body.len() - partial.sent).min(window).min(self.frame_max);
                if len == 0 {
                    break;
                }
                let next = partial.sent + len;
                let flags = if next == partial.body.len() { frame::END_STREAM } else { 0 };
                frame_head(len, frame::DATA, flags, partial.stream, &mut self.output);
                self.output.extend_from_slice(&partial.body[partial.sent..next]);
                let len = i64::try_from(len).expect("a frame is small");
                self.window -= len;
                partial.window -= len;
                partial.sent = next;
            }
            if partial.sent == partial.body.len() {
                done.push(at);
            }
        }
        for at in done.into_iter().rev() {
            self.partial.remove(at);
        }
    }

    fn frame(
        &mut self,
        kind: u8,
        flags: u8,
        stream: u32,
        payload: &[u8],
        sink: &mut impl Sink<C>,
    ) -> Result<(), Broken> {
        if self.block.is_some() && kind != frame::CONTINUATION {
            return Err(Broken::Protocol("a header block that is not continued"));
        }
        match kind {
            frame::DATA => self.data(flags, stream, payload, sink),
            frame::HEADERS => {
                let bytes = without_padding(flags, payload)?;
                let skip = if flags & frame::PRIORITY != 0 { 5 } else { 0 };
                let bytes = bytes.get(skip..).ok_or(Broken::Protocol("a short header frame"))?;
                self.headers(flags, stream, flags & frame::END_STREAM != 0, bytes, sink)
            }
            frame::CONTINUATION => self.continuation(flags, stream, payload, sink),
            frame::RST_STREAM => {
                let code = payload.get(..4).map_or(0, number);
                let message = format!("the server reset the stream (HTTP/2 error {code})");
                // 7 is REFUSED_STREAM: nothing was done, as with UNAVAILABLE.
                self.end(stream, Some(Status { code: if code == 7 { 14 } else { 13 }, message }), sink);
                Ok(())
            }
            frame::SETTINGS if flags & frame::ACK == 0 => self.settings(payload),
            frame::PING if flags & frame::ACK == 0 => {
                frame_head(payload.len(), frame::PING, frame::ACK, 0, &mut self.output);
                self.output.extend_from_slice(payload);
                Ok(())
            }
            frame::GOAWAY => {
                let (_, code) = payload.split_at_checked(4).ok_or(Broken::Protocol("a short good-bye"))?;
                let text = String::from_utf8_lossy(code.get(4..).unwrap_or_default()).into_owned();
                Err(Broken::GoAway { code: code.get(..4).map_or(0, number), text })
            }
            frame::WINDOW_UPDATE => {
                let more = payload.get(..4).ok_or(Broken::Protocol("a short window update"))?;
                let more = i64::from(number(more) & 0x7fff_ffff);
                if stream == 0 {
                    self.window += more;
                } else if let Some(partial) = self.partial.iter_mut().find(|partial| partial.stream == stream)
                {
                    partial.window += more;
                }
                self.send_partial();
                Ok(())
            }
            frame::PUSH_PROMISE => Err(Broken::Protocol("a push that was ruled out")),
            _ => Ok(()),
        }
    }

    fn data(
        &mut self,
        flags: u8,
        stream: u32,
        payload: &[u8],
        sink: &mut impl Sink<C>,
    ) -> Result<(), Broken> {
        let len = u32::try_from(payload.len()).expect("a frame is small");
        self.received = self.received.saturating_add(len);
        let data = without_padding(flags, payload)?;
        let Some(open) = self.calls.get_mut(&stream) else { return Ok(()) };
        open.received = open.received.saturating_add(len);
        if open.received > OUR_WINDOW / 2 {
            window_update(stream, open.received, &mut self.output);
            open.received = 0;
        }
        if open.message.is_empty() {
            let read = messages(data, &mut open.call, sink)?;
            open.message.extend_from_slice(&data[read..]);
        } else {
            open.message.extend_from_slice(data);
            let message = std::mem::take(&mut open.message);
            let read = messages(&message, &mut open.call, sink)?;
            open.message = message;
            open.message.drain(..read);
        }
        if flags & frame::END_STREAM != 0 {
            let status = Status { code: 13, message: "the answer ended without a status".into() };
            self.end(stream, Some(status), sink);
        }
        Ok(())
    }

    fn headers(
        &mut self,
        flags: u8,
        stream: u32,
        ends_stream: bool,
        bytes: &[u8],
        sink: &mut impl Sink<C>,
    ) -> Result<(), Broken> {
        if flags & frame::END_HEADERS != 0 {
            return self.block_read(stream, ends_stream, bytes, sink);
        }
        self.block = Some(Incoming { stream, ends_stream, bytes: bytes.to_vec() });
        Ok(())
    }

    fn continuation(
        &mut self,
        flags: u8,
        stream: u32,
        payload: &[u8],
        sink: &mut impl Sink<C>,
    ) -> Result<(), Broken> {
        let Some(mut block) = self.block.take().filter(|block| block.stream == stream) else {
            return Err(Broken::Protocol("a continuation of nothing"));
        };
        block.bytes.extend_from_slice(payload);
        if block.bytes.len() > BLOCK_MAX {
            return Err(Broken::Protocol("headers beyond all bounds"));
        }
        if flags & frame::END_HEADERS != 0 {
            return self.block_read(stream, block.ends_stream, &block.bytes, sink);
        }
        self.block = Some(block);
        Ok(())
    }

    fn block_read(
        &mut self,
        stream: u32,
        ends_stream: bool,
        bytes: &[u8],
        sink: &mut impl Sink<C>,
    ) -> Result<(), Broken> {
        let status = self.status(bytes)?;
        if ends_stream {
            self.end(stream, status, sink);
        } else if status.is_some()
            && let Some(open) = self.calls.get_mut(&stream)
        {
            open.status = status;
        }
        Ok(())
    }

    /// What a header block says of the status, if anything.
    fn status(&mut self, bytes: &[u8]) -> Result<Option<Status>, Broken> {
        let changes = self.decoder.changes();
        if self.known_at != changes {
            self.known.clear();
            self.known_at = changes;
        }
        if let Some((_, status)) = self.known.iter().find(|(known, _)| known == bytes) {
            return Ok(status.clone());
        }
        let (mut code, mut message, mut http) = (None, String::new(), None);
        let read = self.decoder.block(bytes, &mut |name, value| match name {
            b"grpc-status" => code = Some(decimal(value).unwrap_or(2)),
            b"grpc-message" => message = percent_decoded(value),
            b":status" if value != b"200" => http = Some(String::from_utf8_lossy(value).into_owned()),
            _ => (),
        });
        read.ok_or(Broken::Protocol("a broken header block"))?;
        let status = match (code, http) {
            (Some(code), _) => Some(Status { code, message }),
            (None, Some(http)) => Some(Status { code: 2, message: format!("HTTP status {http}") }),
            (None, None) => None,
        };
        // Bound: a few different blocks per second at most, else none is kept.
        if self.decoder.changes() == changes && self.known.len() < 8 {
            self.known.push((bytes.to_vec(), status.clone()));
        }
        Ok(status)
    }

    fn end(&mut self, stream: u32, status: Option<Status>, sink: &mut impl Sink<C>) {
        let Some(open) = self.calls.remove(&stream) else { return };
        if !self.partial.is_empty() {
            self.partial.retain(|partial| partial.stream != stream);
        }
        let nothing = || Status { code: 2, message: "the answer has no status".into() };
        sink.ended(open.call, open.status.or(status).unwrap_or_else(nothing));
        if let Some((call, path, message)) = self.waiting.pop_front() {
            self.send(call, path, &message);
        }
    }

    fn settings(&mut self, payload: &[u8]) -> Result<(), Broken> {
        for one in payload.chunks(6) {
            let [name_high, name_low, value @ ..] = one else {
                return Err(Broken::Protocol("a short setting"));
            };
            if value.len() < 4 {
                return Err(Broken::Protocol("a short setting"));
            }
            let value = number(value);
            match u16::from_be_bytes([*name_high, *name_low]) {
                setting::HEADER_TABLE_SIZE => {
                    self.encoder.limit(usize::try_from(value).unwrap_or(usize::MAX));
                    self.requests.clear();
                }
                setting::CONCURRENT_STREAMS_MAX => {
                    self.calls_max = usize::try_from(value).unwrap_or(usize::MAX);
                }
                setting::INITIAL_WINDOW => {
                    let more = i64::from(value) - self.initial_window;
                    self.initial_window += more;
                    self.partial.iter_mut().for_each(|partial| partial.window += more);
                }
                setting::FRAME_SIZE_MAX => {
                    // More than this at once helps nobody.
                    self.frame_max = usize::try_from(value).unwrap_or(usize::MAX).clamp(16_384, 1 << 20);
                }
                _ => (),
            }
        }
        frame_head(0, frame::SETTINGS, frame::ACK, 0, &mut self.output);
        self.send_partial();
        while self.calls.len() < self.calls_max
            && let Some((call, path, message)) = self.waiting.pop_front()
        {
            self.send(call, path, &message);
        }
        Ok(())
    }
}

/// Hands out the whole messages of `data`, and tells how many bytes they were.
fn messages<C>(data: &[u8], call: &mut C, sink: &mut impl Sink<C>) -> Result<usize, Broken> {
    let mut at = 0;
    while let Some(head) = data.get(at..at + MESSAGE_HEAD) {
        if head[0] != 0 {
            return Err(Broken::Protocol("a compressed message, which was not asked for"));
        }
        let len = number(&head[1..]) as usize;
        if len > MESSAGE_MAX {
            return Err(Broken::Protocol("a message beyond all bounds"));
        }
        let Some(message) = data.get(at + MESSAGE_HEAD..at + MESSAGE_HEAD + len) else { break };
        sink.message(call, message);
        at += MESSAGE_HEAD + len;
    }
    Ok(at)
}

fn without_padding(flags: u8, payload: &[u8]) -> Result<&[u8], Broken> {
    if flags & frame::PADDED == 0 {
        return Ok(payload);
    }
    let cut = payload.split_first().and_then(|(padding, rest)| {
        let len = rest.len().checked_sub(usize::from(*padding))?;
        rest.get(..len)
    });
    cut.ok_or(Broken::Protocol("more padding than frame"))
}

fn frame_head(len: usize, kind: u8, flags: u8, stream: u32, out: &mut Vec<u8>) {
    let len = u32::try_from(len).expect("a frame is small").to_be_bytes();
    let stream = stream.to_be_bytes();
    out.extend_from_slice(&[len[1], len[2], len[3], kind, flags, stream[0], stream[1], stream[2], stream[3]]);
}

fn message_head(len: usize, out: &mut Vec<u8>) {
    out.push(0);
    out.extend_from_slice(&u32::try_from(len).expect("a message is below 4 GiB").to_be_bytes());
}

fn window_update(stream: u32, more: u32, out: &mut Vec<u8>) {
    frame_head(4, frame::WINDOW_UPDATE, 0, stream, out);
    out.extend_from_slice(&more.to_be_bytes());
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn decimal(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn percent_decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| text[at] == b'%');
        bytes.push(byte.unwrap_or(text[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
