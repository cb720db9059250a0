//! JSON text to values and back, and looking into JSON text without reading all of it.

mod read;
mod skip;
mod write;

use std::fmt;

pub(crate) use skip::{first_value, from_member, integer, number, plain_string};

use super::Value;

/// Where and why a text is not JSON that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Position in bytes from the start of the text.
    pub offset: usize,
    /// What was wrong there.
    pub message: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.message, self.offset)
    }
}

impl std::error::Error for JsonError {}

impl Value {
    /// Reads one JSON value. Numbers are exact to 34 digits; of a member that comes twice the last value stays.
    ///
    /// # Errors
    /// When the text is not JSON, is nested deeper than [`super::VALUE_DEPTH_MAX`], or has a number that
    /// decimal128 cannot hold.
    pub fn from_json(text: &[u8]) -> Result<Self, JsonError> {
        read::value(text)
    }

    /// Appends the value as JSON: temporal values as their strings, functions and ranges as null.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let written: Result<(), std::convert::Infallible> =
            write::value(self, out, write::variable, &mut |_| Ok(()));
        let Ok(()) = written;
    }

    /// The JSON that expressions make: temporal values are written as `string()` writes them. What is written is
    /// reported as it grows, so that it can be charged.
    pub(crate) fn to_json_text<E>(
        &self,
        charge: &mut dyn FnMut(usize) -> Result<(), E>,
    ) -> Result<String, E> {
        let mut out = Vec::new();
        write::value(self, &mut out, write::text, charge)?;
        Ok(String::from_utf8(out).expect("JSON is written of strings only"))
    }

    /// The value as JSON text, see [`Self::write_json`].
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out);
        String::from_utf8(out).expect("JSON is written of strings only")
    }
}
