//! The durable encoding of commands, events, replies and table values.
//!
//! The wire format is that of protocol buffers: fields with hand-given numbers, defaults left out, unknown
//! fields skipped. [`message!`](crate::message) declares a struct with its encoding in one place,
//! [`union!`](crate::union) an enum of messages.
//!
//! ```
//! coreto_machine::message! {
//!     /// A point on a plane.
//!     pub struct Point {
//!         /// To the right.
//!         1 => pub x: u32,
//!         /// Up.
//!         2 => pub y: u32,
//!     }
//! }
//! use coreto_machine::Codec;
//! let point = Point { x: 3, y: 0 };
//! assert_eq!(point.to_bytes(), [0x08, 3]);
//! assert_eq!(Point::decode(&[0x08, 3])?, point);
//! # Ok::<(), coreto_machine::DecodeError>(())
//! ```

mod field;
mod macros;
mod wire;

#[doc(hidden)]
pub use field::write_message;
pub use field::{Field, put_delimited};
pub use wire::{Reader, Wire, put_tag, put_varint, varint_len};

/// Why bytes could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end inside a value.
    Truncated,
    /// A number takes more than ten bytes, or is too large for its field.
    Overflow,
    /// A field has another wire type than its number promises.
    WireType {
        /// The field's number.
        field: u32,
    },
    /// A text is not UTF-8.
    NotUtf8,
    /// A union or enumeration has a number that this program does not know.
    UnknownVariant {
        /// The number found.
        number: u64,
    },
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated => f.write_str("the bytes end inside a value"),
            Self::Overflow => f.write_str("a number is too large for its field"),
            Self::WireType { field } => write!(f, "field {field} has an unexpected wire type"),
            Self::NotUtf8 => f.write_str("a text is not UTF-8"),
            Self::UnknownVariant { number } => write!(f, "variant {number} is unknown to this program"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// A value with a durable encoding.
pub trait Codec: Sized {
    /// Appends the encoding.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads a value from exactly these bytes.
    ///
    /// # Errors
    /// When the bytes are no encoding of such a value.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError>;

    /// The encoding in bytes of its own.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

impl Codec for () {
    fn encode(&self, _out: &mut Vec<u8>) {}
    fn decode(_bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(())
    }
}

/// What is large and rare in a union stands in a box, so that the rest of it is cheap to move.
impl<T: Codec> Codec for Box<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        T::encode(self, out);
    }
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        T::decode(bytes).map(Self::new)
    }
}

impl Codec for u64 {
    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, *self);
    }
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Reader::new(bytes).varint()
    }
}

impl Codec for std::sync::Arc<str> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        std::str::from_utf8(bytes).map(Into::into).map_err(|_| DecodeError::NotUtf8)
    }
}
