//! How a field of a message is written and read, by its type.

use std::sync::Arc;

use super::wire::{Reader, Wire, put_tag, put_varint};
use super::{Codec, DecodeError};
use crate::head::{Tenant, Token};
use crate::time::Timestamp;

/// A type that a message's field may have. A default value is left out.
pub trait Field: Sized {
    /// Appends the field, unless it has its default value.
    fn write(&self, number: u32, out: &mut Vec<u8>);

    /// Takes the field's value from the reader.
    ///
    /// # Errors
    /// When the bytes are no such value.
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError>;
}

/// Refuses a field that comes with another wire type than its type has.
fn expect(found: Wire, wanted: Wire, field: u32) -> Result<(), DecodeError> {
    if found == wanted { Ok(()) } else { Err(DecodeError::WireType { field }) }
}

/// Most fields of most messages have their default: that is seen without a call.
#[inline]
fn write_varint(value: u64, number: u32, out: &mut Vec<u8>) {
    if value != 0 {
        put_number(value, number, out);
    }
}

fn put_number(value: u64, number: u32, out: &mut Vec<u8>) {
    put_tag(out, number, Wire::Varint);
    put_varint(out, value);
}

fn write_bytes(value: &[u8], number: u32, out: &mut Vec<u8>) {
    put_tag(out, number, Wire::Bytes);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

macro_rules! varint_field {
    ($($type:ty),*) => {$(
        impl Field for $type {
            #[inline]
            fn write(&self, number: u32, out: &mut Vec<u8>) {
                write_varint(u64::from(*self), number, out);
            }
            fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
                expect(wire, Wire::Varint, number)?;
                *self = <$type>::try_from(reader.varint()?).map_err(|_| DecodeError::Overflow)?;
                Ok(())
            }
        }
    )*};
}
varint_field!(u8, u16, u32, u64);

impl Field for bool {
    #[inline]
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        write_varint(u64::from(*self), number, out);
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        expect(wire, Wire::Varint, number)?;
        *self = reader.varint()? != 0;
        Ok(())
    }
}

/// Small magnitudes of either sign become small numbers.
const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

impl Field for i64 {
    #[inline]
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        write_varint(zigzag(*self), number, out);
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        expect(wire, Wire::Varint, number)?;
        *self = unzigzag(reader.varint()?);
        Ok(())
    }
}

impl Field for i32 {
    #[inline]
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        i64::from(*self).write(number, out);
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut value = 0i64;
        value.read(number, wire, reader)?;
        *self = Self::try_from(value).map_err(|_| DecodeError::Overflow)?;
        Ok(())
    }
}

impl Field for Timestamp {
    #[inline]
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        self.as_millis().write(number, out);
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut millis = 0i64;
        millis.read(number, wire, reader)?;
        *self = Self::from_millis(millis);
        Ok(())
    }
}

impl Field for Tenant {
    #[inline]
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        self.raw().write(number, out);
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut raw = 0u32;
        raw.read(number, wire, reader)?;
        *self = Self::from_raw(raw);
        Ok(())
    }
}

impl Field for Token {
    #[inline]
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        self.raw().write(number, out);
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut raw = 0u64;
        raw.read(number, wire, reader)?;
        *self = Self::from_raw(raw);
        Ok(())
    }
}

impl Field for Arc<str> {
    #[inline]
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            write_bytes(self.as_bytes(), number, out);
        }
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        expect(wire, Wire::Bytes, number)?;
        *self = std::str::from_utf8(reader.bytes()?).map_err(|_| DecodeError::NotUtf8)?.into();
        Ok(())
    }
}

impl Field for String {
    #[inline]
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            write_bytes(self.as_bytes(), number, out);
        }
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        expect(wire, Wire::Bytes, number)?;
        std::str::from_utf8(reader.bytes()?).map_err(|_| DecodeError::NotUtf8)?.clone_into(self);
        Ok(())
    }
}

impl Field for Arc<[u8]> {
    #[inline]
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            write_bytes(self, number, out);
        }
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        expect(wire, Wire::Bytes, number)?;
        *self = reader.bytes()?.into();
        Ok(())
    }
}

impl Field for [u8; 16] {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if self != &[0; 16] {
            write_bytes(self, number, out);
        }
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        expect(wire, Wire::Bytes, number)?;
        *self = reader.bytes()?.try_into().map_err(|_| DecodeError::Overflow)?;
        Ok(())
    }
}

/// A value that is there is written even when it is the default: as a message with the one field 1.
impl<T: Field + Default> Field for Option<T> {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if let Some(value) = self {
            write_nested(number, out, |out| value.write(1, out));
        }
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        expect(wire, Wire::Bytes, number)?;
        let mut value = T::default();
        read_single(&mut value, reader.bytes()?)?;
        *self = Some(value);
        Ok(())
    }
}

/// What is rare stands in a box, so that a message with it is cheap to move.
impl<T: Field + Default> Field for Box<T> {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        T::write(self, number, out);
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        T::read(self, number, wire, reader)
    }
}

/// Each entry is a message with the one field 1, so that default entries are kept.
impl<T: Field + Default> Field for Vec<T> {
    fn write(&self, number: u32, out: &mut Vec<u8>) {
        for value in self {
            write_nested(number, out, |out| value.write(1, out));
        }
    }
    fn read(&mut self, number: u32, wire: Wire, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        expect(wire, Wire::Bytes, number)?;
        let mut value = T::default();
        read_single(&mut value, reader.bytes()?)?;
        self.push(value);
        Ok(())
    }
}

fn read_single<T: Field>(value: &mut T, bytes: &[u8]) -> Result<(), DecodeError> {
    let mut reader = Reader::new(bytes);
    while let Some((number, wire)) = reader.field()? {
        if number == 1 {
            value.read(1, wire, &mut reader)?;
        } else {
            reader.skip(wire)?;
        }
    }
    Ok(())
}

/// Writes a message as a field. Used by the `message!` and `union!` macros.
#[doc(hidden)]
pub fn write_message<T: Codec>(value: &T, number: u32, out: &mut Vec<u8>) {
    write_nested(number, out, |out| value.encode(out));
}

fn write_nested(number: u32, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    put_tag(out, number, Wire::Bytes);
    put_delimited(out, body);
}

/// Appends a length and the body that is written meanwhile.
///
/// Room for a length of one byte is left, since nearly all are short; a longer body is moved once.
pub fn put_delimited(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let length_at = out.len();
    out.push(0);
    body(out);
    let length = out.len() - length_at - 1;
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        out[length_at] = short;
    } else {
        let mut bytes = Vec::with_capacity(10);
        put_varint(&mut bytes, length as u64);
        out.splice(length_at..=length_at, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zigzag_keeps_every_number() {
        for value in [0, 1, -1, 2, i64::MAX, i64::MIN] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
        assert_eq!((zigzag(-1), zigzag(1)), (1, 2));
    }

    #[test]
    fn long_nested_fields_get_a_long_length() {
        let text: Arc<str> = "x".repeat(300).into();
        let mut out = Vec::new();
        Some(text.clone()).write(7, &mut out);
        let mut reader = Reader::new(&out);
        let (number, wire) = reader.field().unwrap().unwrap();
        let mut back: Option<Arc<str>> = None;
        back.read(number, wire, &mut reader).unwrap();
        assert_eq!((number, back), (7, Some(text)));
    }
}
