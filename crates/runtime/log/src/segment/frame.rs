//! One batch as it lies on the disk.
//!
//! Stored length (4), CRC-32C of everything else in the frame (4), sequence (8), epoch (8), hash of the frame before
//! (16), length before compression (4), flags (4), the stored bytes, zeros up to the next multiple of eight.

use bytes::Bytes;

/// Bytes of a frame before its payload.
pub(crate) const FRAME: usize = 48;

/// A frame of more bytes than this is damage.
pub(crate) const STORED_MAX: usize = 64 << 20;

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
        let plausible =
            head.stored <= STORED_MAX && head.raw <= STORED_MAX && head.sequence > 0 && head.epoch > 0;
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
            return Some(stored);
        }
        let raw = lz4_flex::block::decompress(&stored, self.raw).ok()?;
        (raw.len() == self.raw).then(|| raw.into())
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
}

/// Appends a frame to `out` and returns its hash.
pub(crate) fn encode(
    out: &mut Vec<u8>,
    sequence: u64,
    epoch: u64,
    previous: &Hash,
    payload: &[u8],
    barrier: bool,
) -> Hash {
    let start = out.len();
    out.resize(start + FRAME, 0);
    let mut flags = if barrier { BARRIER } else { 0 };
    if payload.len() >= COMPRESS_MIN && compress(out, start + FRAME, payload) {
        flags |= COMPRESSED;
    } else {
        out.truncate(start + FRAME);
        out.extend_from_slice(payload);
    }
    let stored = out.len() - start - FRAME;
    let short = |length: usize| u32::try_from(length).expect("a batch stays far below 4 GiB").to_le_bytes();
    let head = &mut out[start..start + FRAME];
    head[0..4].copy_from_slice(&short(stored));
    head[8..16].copy_from_slice(&sequence.to_le_bytes());
    head[16..24].copy_from_slice(&epoch.to_le_bytes());
    head[24..40].copy_from_slice(previous);
    head[40..44].copy_from_slice(&short(payload.len()));
    head[44..48].copy_from_slice(&flags.to_le_bytes());
    let sum = sum(&out[start..]);
    out[start + 4..start + 8].copy_from_slice(&sum.to_le_bytes());
    let hash = hash(&out[start..]);
    out.resize(start + super::aligned(FRAME + stored), 0);
    hash
}

/// Compresses into `out` from `at` on; says whether that is shorter.
fn compress(out: &mut Vec<u8>, at: usize, payload: &[u8]) -> bool {
    out.resize(at + lz4_flex::block::get_maximum_output_size(payload.len()), 0);
    match lz4_flex::block::compress_into(payload, &mut out[at..]) {
        Ok(length) if length < payload.len() => {
            out.truncate(at + length);
            true
        }
        _ => false,
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

    #[test]
    fn a_frame_comes_back_as_it_was() {
        for payload in [&b""[..], b"short", &[7; 5000], &(0..255).collect::<Vec<u8>>()] {
            let mut out = Vec::new();
            let hash = encode(&mut out, 3, 2, &[9; 16], payload, false);
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
        let mut out = Vec::new();
        encode(&mut out, 3, 2, &[9; 16], b"a payload", false);
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
