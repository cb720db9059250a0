//! Bodies, compressed as they pass.

use std::io::{self, Write};

use bytes::Bytes;

use crate::model::Coding;

/// What a body is written through. What comes out is taken piece by piece.
pub(crate) enum Encoder {
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gzip(_) => "Gzip",
            Self::Brotli(_) => "Brotli",
            Self::Zstd(_) => "Zstd",
        })
    }
}

/// Levels at which a byte saved costs about as much as a byte sent.
const GZIP_LEVEL: u32 = 5;
const BROTLI_LEVEL: u32 = 4;
const ZSTD_LEVEL: i32 = 3;
/// What brotli looks back at: two to the power of this, in bytes.
const BROTLI_WINDOW: u32 = 18;
const BROTLI_BUFFER_BYTES: usize = 4 << 10;

impl Encoder {
    pub(crate) fn new(coding: Coding) -> io::Result<Self> {
        let out = Vec::new();
        Ok(match coding {
            Coding::Gzip => {
                Self::Gzip(flate2::write::GzEncoder::new(out, flate2::Compression::new(GZIP_LEVEL)))
            }
            Coding::Brotli => Self::Brotli(Box::new(brotli::CompressorWriter::new(
                out,
                BROTLI_BUFFER_BYTES,
                BROTLI_LEVEL,
                BROTLI_WINDOW,
            ))),
            Coding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(out, ZSTD_LEVEL)?),
        })
    }

    /// Takes a piece of the body in, and gives what has come out so far.
    pub(crate) fn write(&mut self, data: &[u8]) -> io::Result<Bytes> {
        self.inner().write_all(data)?;
        Ok(self.take())
    }

    /// Gives all that can be read of what was taken in.
    pub(crate) fn flush(&mut self) -> io::Result<Bytes> {
        self.inner().flush()?;
        Ok(self.take())
    }

    /// Gives what is left.
    pub(crate) fn finish(self) -> io::Result<Bytes> {
        Ok(match self {
            Self::Gzip(encoder) => encoder.finish()?.into(),
            Self::Brotli(encoder) => encoder.into_inner().into(),
            Self::Zstd(encoder) => encoder.finish()?.into(),
        })
    }

    fn inner(&mut self) -> &mut dyn Write {
        match self {
            Self::Gzip(encoder) => encoder,
            Self::Brotli(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
        }
    }

    fn take(&mut self) -> Bytes {
        let out = match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        };
        std::mem::take(out).into()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn decoded(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        let read = match coding {
            Coding::Gzip => flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain),
            Coding::Brotli => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut plain),
            Coding::Zstd => {
                zstd::stream::read::Decoder::new(bytes).and_then(|mut from| from.read_to_end(&mut plain))
            }
        };
        // What was flushed can be read, though the end is not there yet.
        assert!(read.is_ok() || !plain.is_empty(), "{coding:?}");
        plain
    }

    #[test]
    fn gives_back_what_went_in_also_before_the_end() {
        let text = "a line of a page, and again a line of a page\n".repeat(500);
        let (first, rest) = text.as_bytes().split_at(7_000);
        for coding in [Coding::Gzip, Coding::Brotli, Coding::Zstd] {
            let mut encoder = Encoder::new(coding).expect("it can be had");
            let mut out = encoder.write(first).expect("it takes all").to_vec();
            out.extend(encoder.flush().expect("it takes all"));
            assert_eq!(decoded(coding, &out), first, "{coding:?}");
            out.extend(encoder.write(rest).expect("it takes all"));
            out.extend(encoder.finish().expect("it takes all"));
            assert_eq!(decoded(coding, &out), text.as_bytes(), "{coding:?}");
            assert!(out.len() < text.len() / 10, "{coding:?}: {} bytes", out.len());
        }
    }
}
