//! Names of partitions, nodes and cursors.

use std::fmt;
use std::sync::Arc;

use crate::Error;

/// The longest name of a group or a cursor, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 64;

/// A partition: a group, as `engine` or `catalog`, and a number from 1 within it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionName {
    /// The group: 1 to 64 letters, digits, `.`, `_` or `-`, the first a letter or digit.
    pub group: Arc<str>,
    /// The number within the group.
    pub number: u32,
}

impl fmt::Display for PartitionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.group, self.number)
    }
}

/// The node that writes, noted beside the epoch for the reader of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeId(pub u32);

/// Whether `name` is fit to be part of a file name.
pub(crate) fn check(what: &'static str, name: &str) -> Result<(), Error> {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let starts_well = name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    if starts_well && name.len() <= NAME_BYTES_MAX && name.bytes().all(fit) {
        return Ok(());
    }
    Err(Error::Name { what, name: name.chars().take(NAME_BYTES_MAX).collect() })
}
