//! One batch as it lies on the disk.
//!
//! Stored length (4), CRC-32C of everything else in the frame (4), sequence (8), epoch (8), hash of the frame before
//! (16), length before compression (4), flags (4), the stored bytes, zeros up to the next multiple of eight.

use bytes::Bytes;
use lz4_flex::block::{CompressTable, compress_into_with_table, decompress_into, get_maximum_output_size};

/// Bytes of a frame before its payload.
pub(crate) const FRAME: usize = 48;

/// The longest payload of a batch, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 32 << 20;

/// The longest frame. (A payload is not stored compressed if that is longer.)
pub(crate) const FRAME_MAX: usize = super::aligned(FRAME + PAYLOAD_BYTES_MAX);

const COMPRESSED: u32 = 1;
const BARRIER: u32 = 2;

/// Payloads shorter than this are not worth compressing.
const COMPRESS_MIN: usize = 64;

/// The hash of a frame, which the next frame names: a broken chain shows a frame that is not where it was written.
pub(crate) type Hash = [u8; 16];

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) stored: usize,
    sum: u32,
    pub(crate) sequence: u64,
    pub(crate) epoch: u64,
    pub(crate) previous: Hash,
    raw: usize,
    flags: u32,
}

/// A whole frame, its checksum verified.
pub(crate) struct Frame {
    pub(crate) head: Head,
    pub(crate) hash: Hash,
    pub(crate) length: usize,
}

impl Head {
    /// Reads a head; `None` when the bytes can be none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; FRAME] = bytes.first_chunk()?;
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let head = Self {
            stored: number(0) as usize,
            sum: number(4),
            sequence: long(8),
            epoch: long(16),
            previous: bytes[24..40].try_into().expect("sixteen bytes"),
            raw: number(40) as usize,
            flags: number(44),
        };
        let plausible = head.stored <= PAYLOAD_BYTES_MAX
            && head.raw <= PAYLOAD_BYTES_MAX
            && head.sequence > 0
            && head.epoch > 0;
        (plausible && head.flags & !(COMPRESSED | BARRIER) == 0).then_some(head)
    }

    /// Bytes that the frame takes on the disk.
    pub(crate) const fn length(&self) -> usize {
        super::aligned(FRAME + self.stored)
    }

    pub(crate) const fn is_barrier(&self) -> bool {
        self.flags & BARRIER != 0
    }

    /// The payload as it was appended, from the frame's bytes.
    pub(crate) fn payload(&self, frame: &Bytes) -> Option<Bytes> {
        let stored = frame.slice(FRAME..FRAME + self.stored);
        if self.flags & COMPRESSED == 0 {
            return (self.raw == self.stored).then_some(stored);
        }
        // Bound: `Head::read` lets no length pass that is above the largest payload's.
        let mut raw = vec![0; self.raw];
        let length = decompress_into(&stored, &mut raw).ok()?;
        (length == raw.len()).then(|| raw.into())
    }
}

impl Frame {
    /// Verifies the frame at the beginning of `bytes`; `None` when it is not there or not whole.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let head = Head::read(bytes)?;
        let body = bytes.get(..FRAME + head.stored)?;
        if sum(body) != head.sum {
            return None;
        }
        Some(Self { head, hash: hash(body), length: head.length() })
    }

    /// Whether a head, which may differ from what lies on the disk, and a payload belong together.
    pub(crate) fn is_whole(head: &[u8; FRAME], payload: &[u8]) -> bool {
        let start = crc32c::crc32c_append(crc32c::crc32c(&head[..4]), &head[8..]);
        Head::read(head).is_some_and(|read| read.sum == crc32c::crc32c_append(start, payload))
    }
}

/// What a frame says beside its payload.
#[derive(Clone, Copy)]
pub(crate) struct Label {
    pub(crate) sequence: u64,
    pub(crate) epoch: u64,
    pub(crate) previous: Hash,
    pub(crate) barrier: bool,
}

/// Makes frames in memory that it keeps.
pub(crate) struct Encoder {
    buffer: Vec<u8>,
    /// How much of the buffer is the last frame.
    length: usize,
    table: Option<CompressTable>,
}

impl Encoder {
    pub(crate) const fn new() -> Self {
        Self { buffer: Vec::new(), length: 0, table: None }
    }

    /// The last frame with the zeros that fill it up.
    pub(crate) fn frame(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    /// Makes a frame and returns its hash. The payload has [`PAYLOAD_BYTES_MAX`] bytes at most.
    pub(crate) fn encode(&mut self, label: &Label, payload: &[u8]) -> Hash {
        let room = super::aligned(FRAME + get_maximum_output_size(payload.len()));
        // Never made smaller, so that nothing is filled with zeros only to be overwritten.
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        let (stored, compressed) = self.store(payload);
        let end = FRAME + stored;
        self.length = super::aligned(end);
        let flags = if label.barrier { BARRIER } else { 0 } | if compressed { COMPRESSED } else { 0 };
        let short =
            |length: usize| u32::try_from(length).expect("a payload is far below 4 GiB").to_le_bytes();
        let frame = &mut self.buffer[..self.length];
        frame[0..4].copy_from_slice(&short(stored));
        frame[8..16].copy_from_slice(&label.sequence.to_le_bytes());
        frame[16..24].copy_from_slice(&label.epoch.to_le_bytes());
        frame[24..40].copy_from_slice(&label.previous);
        frame[40..44].copy_from_slice(&short(payload.len()));
        frame[44..48].copy_from_slice(&flags.to_le_bytes());
        frame[end..].fill(0);
        let sum = sum(&frame[..end]);
        frame[4..8].copy_from_slice(&sum.to_le_bytes());
        hash(&frame[..end])
    }

    /// Puts the payload behind the head; returns how long it is there and whether it was compressed.
    fn store(&mut self, payload: &[u8]) -> (usize, bool) {
        let space = &mut self.buffer[FRAME..];
        if payload.len() >= COMPRESS_MIN {
            let table = self.table.get_or_insert_with(CompressTable::large);
            if let Ok(length) = compress_into_with_table(payload, space, table)
                && length < payload.len()
            {
                return (length, true);
            }
        }
        space[..payload.len()].copy_from_slice(payload);
        (payload.len(), false)
    }
}

/// The checksum of a frame without the checksum's own four bytes.
fn sum(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[..4]), &frame[8..])
}

/// A fast hash of 128 bits: two lanes of multiply and rotate over sixteen bytes at a time. It is no defence against
/// an adversary; it tells accidents.
fn hash(frame: &[u8]) -> Hash {
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xc2b2_ae3d_27d4_eb4f;
    let (mut a, mut b) = (A ^ frame.len() as u64, B);
    let mut mix = |x: u64, y: u64| {
        a = (a ^ x).wrapping_mul(B).rotate_left(29);
        b = (b ^ y).wrapping_mul(A).rotate_left(31) ^ a;
    };
    let (chunks, rest) = frame.as_chunks::<16>();
    for chunk in chunks {
        let wide = u128::from_le_bytes(*chunk);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves are meant")]
        mix(wide as u64, (wide >> 64) as u64);
    }
    let mut last = [0; 16];
    last[..rest.len()].copy_from_slice(rest);
    let wide = u128::from_le_bytes(last);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are meant")]
    mix(wide as u64, (wide >> 64) as u64);
    mix(A, B);
    (u128::from(a) << 64 | u128::from(b)).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL: Label = Label { sequence: 3, epoch: 2, previous: [9; 16], barrier: false };

    #[test]
    fn a_frame_comes_back_as_it_was() {
        let mut encoder = Encoder::new();
        for payload in [&b""[..], b"short", &[7; 5000], &(0..255).collect::<Vec<u8>>()] {
            let hash = encoder.encode(&LABEL, payload);
            let out = encoder.frame().to_vec();
            let frame = Frame::read(&out).unwrap();
            assert_eq!(
                (frame.length, frame.hash, frame.head.sequence, frame.head.epoch),
                (out.len(), hash, 3, 2)
            );
            assert_eq!(frame.head.payload(&Bytes::from(out)).unwrap(), payload);
        }
    }

    #[test]
    fn every_flipped_bit_shows() {
        let mut encoder = Encoder::new();
        encoder.encode(&LABEL, b"a payload");
        let out = encoder.frame().to_vec();
        let stored = FRAME + b"a payload".len();
        for at in 0..stored {
            for bit in 0..8 {
                let mut bad = out.clone();
                bad[at] ^= 1 << bit;
                assert!(Frame::read(&bad).is_none(), "byte {at} bit {bit}");
            }
        }
    }
}
