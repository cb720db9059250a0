//! Declarations of messages and unions with their encodings.

/// Declares a struct and its encoding: each field with its number.
///
/// See [the module's example](crate::codec).
#[macro_export]
macro_rules! message {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$field_meta:meta])* $number:literal => $field_vis:vis $field:ident : $type:ty ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $vis struct $name {
            $( $(#[$field_meta])* $field_vis $field: $type, )*
        }

        impl $crate::codec::Codec for $name {
            #[allow(unused_variables, reason = "a message may have no fields")]
            fn encode(&self, out: &mut Vec<u8>) {
                $( $crate::codec::Field::write(&self.$field, $number, out); )*
            }

            #[allow(unused_mut, unreachable_code, reason = "a message may have no fields")]
            fn decode(bytes: &[u8]) -> Result<Self, $crate::codec::DecodeError> {
                let mut value = Self::default();
                let mut reader = $crate::codec::Reader::new(bytes);
                while let Some((number, wire)) = reader.field()? {
                    match number {
                        $( $number => $crate::codec::Field::read(&mut value.$field, number, wire, &mut reader)?, )*
                        _ => reader.skip(wire)?,
                    }
                }
                Ok(value)
            }
        }

        $crate::message_field!($name);
    };
}

/// Lets a type with a [`Codec`](crate::Codec) and a `Default` stand as a field of other messages.
#[macro_export]
macro_rules! message_field {
    ($name:ty) => {
        impl $crate::codec::Field for $name {
            fn write(&self, number: u32, out: &mut Vec<u8>) {
                $crate::codec::write_message(self, number, out);
            }
            fn read(
                &mut self,
                number: u32,
                wire: $crate::codec::Wire,
                reader: &mut $crate::codec::Reader<'_>,
            ) -> Result<(), $crate::codec::DecodeError> {
                if wire != $crate::codec::Wire::Bytes {
                    return Err($crate::codec::DecodeError::WireType { field: number });
                }
                *self = $crate::codec::Codec::decode(reader.bytes()?)?;
                Ok(())
            }
        }
    };
}

/// Declares an enum whose variants are messages, each with its number: the number, then the message.
#[macro_export]
macro_rules! union {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $( $(#[$variant_meta:meta])* $number:literal => $variant:ident($type:ty) ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis enum $name {
            $( $(#[$variant_meta])* $variant($type), )*
        }

        impl $crate::codec::Codec for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $( Self::$variant(value) => {
                        $crate::codec::put_varint(out, $number);
                        $crate::codec::Codec::encode(value, out);
                    } )*
                }
            }

            fn decode(bytes: &[u8]) -> Result<Self, $crate::codec::DecodeError> {
                let mut reader = $crate::codec::Reader::new(bytes);
                match reader.varint()? {
                    $( $number => Ok(Self::$variant($crate::codec::Codec::decode(reader.rest())?)), )*
                    number => Err($crate::codec::DecodeError::UnknownVariant { number }),
                }
            }
        }
    };
}

/// Declares an enum of plain variants with their numbers, for use as a field. The first is the default.
#[macro_export]
macro_rules! numbered {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(#[$first_meta:meta])* $first:ident = $first_number:literal
            $(, $(#[$variant_meta:meta])* $variant:ident = $number:literal )* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $(#[$first_meta])*
            #[default]
            $first = $first_number,
            $( $(#[$variant_meta])* $variant = $number, )*
        }

        impl $name {
            /// The number that stands for it in the log.
            pub const fn number(self) -> u32 {
                self as u32
            }

            /// The variant with this number.
            pub const fn from_number(number: u32) -> Option<Self> {
                match number {
                    $first_number => Some(Self::$first),
                    $( $number => Some(Self::$variant), )*
                    _ => None,
                }
            }
        }

        impl $crate::codec::Field for $name {
            fn write(&self, number: u32, out: &mut Vec<u8>) {
                $crate::codec::Field::write(&self.number(), number, out);
            }
            fn read(
                &mut self,
                number: u32,
                wire: $crate::codec::Wire,
                reader: &mut $crate::codec::Reader<'_>,
            ) -> Result<(), $crate::codec::DecodeError> {
                let mut raw = 0u32;
                $crate::codec::Field::read(&mut raw, number, wire, reader)?;
                *self = Self::from_number(raw)
                    .ok_or($crate::codec::DecodeError::UnknownVariant { number: u64::from(raw) })?;
                Ok(())
            }
        }
    };
}
