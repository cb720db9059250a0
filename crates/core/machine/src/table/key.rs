//! Keys as bytes that sort like the keys.

use std::sync::Arc;

use crate::codec::DecodeError;
use crate::head::Tenant;
use crate::time::Timestamp;

/// A table key: its encoding sorts as it does.
pub trait Key: Clone + Ord + Send + Sync + 'static {
    /// Appends the encoding.
    fn encode_key(&self, out: &mut Vec<u8>);

    /// Takes the key from the front of `bytes`.
    ///
    /// # Errors
    /// When the bytes do not begin with such a key.
    fn decode_key(bytes: &mut &[u8]) -> Result<Self, DecodeError>;

    /// The encoding in bytes of its own.
    fn to_key_bytes(&self) -> Box<[u8]> {
        let mut out = Vec::with_capacity(16);
        self.encode_key(&mut out);
        out.into_boxed_slice()
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], DecodeError> {
    let (front, rest) = bytes.split_at_checked(length).ok_or(DecodeError::Truncated)?;
    *bytes = rest;
    Ok(front)
}

macro_rules! number_key {
    ($($type:ty),*) => {$(
        impl Key for $type {
            fn encode_key(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
            fn decode_key(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
                let front = take(bytes, size_of::<$type>())?;
                Ok(Self::from_be_bytes(front.try_into().map_err(|_| DecodeError::Truncated)?))
            }
        }
    )*};
}
number_key!(u8, u32, u64);

impl Key for Tenant {
    fn encode_key(&self, out: &mut Vec<u8>) {
        self.raw().encode_key(out);
    }
    fn decode_key(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        u32::decode_key(bytes).map(Self::from_raw)
    }
}

impl Key for Timestamp {
    fn encode_key(&self, out: &mut Vec<u8>) {
        (self.as_millis().cast_unsigned() ^ (1 << 63)).encode_key(out);
    }
    fn decode_key(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok(Self::from_millis((u64::decode_key(bytes)? ^ (1 << 63)).cast_signed()))
    }
}

/// Zero bytes are escaped as 0 255 and the end is 0 0, so that no text is a prefix of another.
impl Key for Arc<str> {
    fn encode_key(&self, out: &mut Vec<u8>) {
        for &byte in self.as_bytes() {
            out.push(byte);
            if byte == 0 {
                out.push(255);
            }
        }
        out.extend_from_slice(&[0, 0]);
    }
    fn decode_key(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        let mut text = Vec::new();
        loop {
            match take(bytes, 1)?[0] {
                0 => match take(bytes, 1)?[0] {
                    0 => break,
                    _ => text.push(0),
                },
                byte => text.push(byte),
            }
        }
        String::from_utf8(text).map(Into::into).map_err(|_| DecodeError::NotUtf8)
    }
}

impl Key for () {
    fn encode_key(&self, _out: &mut Vec<u8>) {}
    fn decode_key(_bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok(())
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    fn encode_key(&self, out: &mut Vec<u8>) {
        self.0.encode_key(out);
        self.1.encode_key(out);
    }
    fn decode_key(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok((A::decode_key(bytes)?, B::decode_key(bytes)?))
    }
}

impl<A: Key, B: Key, C: Key> Key for (A, B, C) {
    fn encode_key(&self, out: &mut Vec<u8>) {
        self.0.encode_key(out);
        self.1.encode_key(out);
        self.2.encode_key(out);
    }
    fn decode_key(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok((A::decode_key(bytes)?, B::decode_key(bytes)?, C::decode_key(bytes)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_sort_like_keys() {
        let texts = ["", "\0", "\0a", "a", "a\0", "a\0b", "ab", "b"];
        for a in texts {
            for b in texts {
                let (x, y): (Arc<str>, Arc<str>) = (a.into(), b.into());
                assert_eq!(
                    (x.clone(), 1u32).cmp(&(y.clone(), 1)),
                    (x.clone(), 1u32).to_key_bytes().cmp(&(y, 1u32).to_key_bytes())
                );
                assert_eq!(Key::decode_key(&mut &*x.to_key_bytes()), Ok(x));
            }
        }
        let times = [i64::MIN, -1, 0, 1, i64::MAX].map(Timestamp::from_millis);
        assert!(times.map(|time| time.to_key_bytes()).is_sorted());
    }
}
