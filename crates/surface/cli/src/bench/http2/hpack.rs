//! Header compression (RFC 7541): an encoder for the few headers that we send, a whole decoder.

use std::collections::VecDeque;

use super::huffman::Huffman;

/// Appendix A.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// What both sides begin with.
const TABLE_SIZE: usize = 4096;
/// What an entry costs beside its text.
const ENTRY_COST: usize = 32;

/// Writes header blocks; what was sent once is a number from then on.
pub(super) struct Encoder {
    sent: Vec<(String, String)>,
    size: usize,
    /// Whether the other side keeps what we send.
    indexes: bool,
    announce_empty: bool,
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self { sent: Vec::new(), size: 0, indexes: true, announce_empty: false }
    }

    /// Number of headers that the other side was asked to keep; blocks written before it grew are stale.
    pub(super) fn kept(&self) -> usize {
        self.sent.len()
    }

    /// Obeys the other side's table size.
    pub(super) fn limit(&mut self, size: usize) {
        if size < TABLE_SIZE && self.indexes {
            self.indexes = false;
            self.announce_empty = true;
            self.sent.clear();
        }
    }

    pub(super) fn header(&mut self, name: &str, value: &str, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.announce_empty) {
            out.push(0x20);
        }
        if let Some(at) = STATIC.iter().position(|known| *known == (name, value)) {
            return integer(0x80, 7, at + 1, out);
        }
        let newest_first = self.sent.iter().rev();
        if let Some(at) = newest_first.clone().position(|(known, kept)| known == name && kept == value) {
            return integer(0x80, 7, STATIC.len() + 1 + at, out);
        }
        let cost = name.len() + value.len() + ENTRY_COST;
        // Nothing is ever pushed out of the other side's table: what does not fit is sent each time.
        let keeps = self.indexes && self.size + cost <= TABLE_SIZE;
        let (pattern, bits) = if keeps { (0x40, 6) } else { (0x00, 4) };
        if let Some(at) = STATIC.iter().position(|known| known.0 == name) {
            integer(pattern, bits, at + 1, out);
        } else {
            integer(pattern, bits, 0, out);
            text(name, out);
        }
        text(value, out);
        if keeps {
            self.size += cost;
            self.sent.push((name.to_owned(), value.to_owned()));
        }
    }
}

fn text(text: &str, out: &mut Vec<u8>) {
    integer(0x00, 7, text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

/// Section 5.1.
fn integer(pattern: u8, bits: u32, value: usize, out: &mut Vec<u8>) {
    let limit = (1usize << bits) - 1;
    if value < limit {
        out.push(pattern | low_byte(value));
        return;
    }
    out.push(pattern | low_byte(limit));
    let mut rest = value - limit;
    while rest >= 0x80 {
        out.push(low_byte(rest) | 0x80);
        rest >>= 7;
    }
    out.push(low_byte(rest));
}

fn low_byte(value: usize) -> u8 {
    u8::try_from(value & 0xff).expect("it is one byte")
}

/// Reads header blocks, all of them in the order in which they came.
pub(super) struct Decoder {
    table: VecDeque<(Vec<u8>, Vec<u8>)>,
    size: usize,
    limit: usize,
    changes: u64,
    huffman: Huffman,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self { table: VecDeque::new(), size: 0, limit: TABLE_SIZE, changes: 0, huffman: Huffman::new() }
    }

    /// Grows with each change of the table: while it stands still, equal blocks of numbers mean the same.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Hands every header of a block to `each`; `None` if the block is broken.
    pub(super) fn block(&mut self, mut block: &[u8], each: &mut impl FnMut(&[u8], &[u8])) -> Option<()> {
        while let Some(first) = block.first().copied() {
            if first & 0x80 != 0 {
                let at = read_integer(&mut block, 7)?;
                let (name, value) = self.at(at)?;
                each(name, value);
            } else if first & 0xe0 == 0x20 {
                let limit = read_integer(&mut block, 5)?;
                if limit > TABLE_SIZE {
                    return None;
                }
                self.limit = limit;
                self.changes += 1;
                self.evict();
            } else {
                let keeps = first & 0x40 != 0;
                let at = read_integer(&mut block, if keeps { 6 } else { 4 })?;
                let name = match at {
                    0 => self.text(&mut block)?,
                    at => self.at(at)?.0.to_vec(),
                };
                let value = self.text(&mut block)?;
                each(&name, &value);
                if keeps {
                    self.keep(name, value);
                }
            }
        }
        Some(())
    }

    fn at(&self, at: usize) -> Option<(&[u8], &[u8])> {
        match at.checked_sub(1)? {
            at if at < STATIC.len() => Some((STATIC[at].0.as_bytes(), STATIC[at].1.as_bytes())),
            at => self.table.get(at - STATIC.len()).map(|(name, value)| (&name[..], &value[..])),
        }
    }

    fn text(&self, block: &mut &[u8]) -> Option<Vec<u8>> {
        let coded = block.first()? & 0x80 != 0;
        let len = read_integer(block, 7)?;
        let (text, rest) = block.split_at_checked(len)?;
        *block = rest;
        if coded { self.huffman.decode(text) } else { Some(text.to_vec()) }
    }

    fn keep(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.changes += 1;
        self.size += name.len() + value.len() + ENTRY_COST;
        self.table.push_front((name, value));
        self.evict();
    }

    fn evict(&mut self) {
        while self.size > self.limit {
            let Some((name, value)) = self.table.pop_back() else { return };
            self.size -= name.len() + value.len() + ENTRY_COST;
        }
    }
}

fn read_integer(block: &mut &[u8], bits: u32) -> Option<usize> {
    let (first, mut rest) = block.split_first()?;
    let limit = (1usize << bits) - 1;
    let mut value = usize::from(*first) & limit;
    if value == limit {
        // Bound: four more bytes hold more than any block has.
        for shift in [0, 7, 14, 21] {
            let (next, after) = rest.split_first()?;
            rest = after;
            value += usize::from(next & 0x7f) << shift;
            if next & 0x80 == 0 {
                *block = rest;
                return Some(value);
            }
        }
        return None;
    }
    *block = rest;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(decoder: &mut Decoder, block: &[u8]) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        decoder.block(block, &mut |name, value| headers.push((text(name), text(value)))).unwrap();
        headers
    }

    #[test]
    fn reads_what_it_writes_and_shrinks_it_the_second_time() {
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
        let headers = [(":method", "POST"), (":path", "/a.B/C"), ("te", "trailers"), ("x", "y")];
        let mut sizes = Vec::new();
        for _ in 0..2 {
            let mut block = Vec::new();
            for (name, value) in headers {
                encoder.header(name, value, &mut block);
            }
            let expected = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(read(&mut decoder, &block), expected);
            sizes.push(block.len());
        }
        assert_eq!(sizes[1], headers.len());
    }

    #[test]
    fn keeps_nothing_where_the_other_side_has_no_table() {
        let mut encoder = Encoder::new();
        encoder.limit(0);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        encoder.header("x", "y", &mut first);
        encoder.header("x", "y", &mut second);
        assert_eq!(first, [0x20, 0x00, 1, b'x', 1, b'y']);
        assert_eq!(second, first[1..]);
    }

    #[test]
    fn reads_the_responses_of_the_rfc() {
        // Appendix C.6.1 without the size limit of its table.
        let block = [
            0x48, 0x82, 0x64, 0x02, 0x58, 0x85, 0xae, 0xc3, 0x77, 0x1a, 0x4b, 0x6e, 0x91, 0x9d, 0x29, 0xad,
            0x17, 0x18, 0x63, 0xc7, 0x8f, 0x0b, 0x97, 0xc8, 0xe9, 0xae, 0x82, 0xae, 0x43, 0xd3,
        ];
        let headers = read(&mut Decoder::new(), &block);
        assert_eq!(headers[0], (":status".into(), "302".into()));
        assert_eq!(headers[1], ("cache-control".into(), "private".into()));
        assert_eq!(headers[2], ("location".into(), "https://www.example.com".into()));
    }

    #[test]
    fn refuses_broken_blocks() {
        for block in [&[0xff][..], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[0x80], &[0xbe], &[0x40, 5, b'a']]
        {
            assert_eq!(Decoder::new().block(block, &mut |_, _| ()), None, "{block:?}");
        }
    }
}
