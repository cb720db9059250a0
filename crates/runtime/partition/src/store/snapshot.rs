//! A store as one stream of bytes. The log adds the checksum.
//!
//! Magic and format (8 bytes), then entries: table (4 bytes), length of key and of value (4 bytes each), both;
//! at the end the table number 2³²−1 and the number of entries (8 bytes). All numbers are little endian.

use std::io::{self, Read, Write};

use super::{META_TABLE, Store, StoreError, Visit};

const MAGIC: [u8; 8] = *b"CORETOS\x01";

/// Keys and values of more bytes are damage.
const LENGTH_MAX: u32 = 64 << 20;

/// Writes all entries of a store.
///
/// # Errors
/// When the store cannot be read or the writer fails.
pub fn write_snapshot(store: &dyn Store, out: &mut dyn Write) -> Result<(), StoreError> {
    let mut out = io::BufWriter::with_capacity(256 << 10, out);
    out.write_all(&MAGIC).map_err(StoreError::Io)?;
    let mut count = 0u64;
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    store.load(&mut |table, key, value| {
        count += 1;
        let parts: [&[u8]; 5] = [&table.to_le_bytes(), &length(key), &length(value), key, value];
        parts.into_iter().try_for_each(|part| out.write_all(part)).map_err(StoreError::Io)
    })?;
    out.write_all(&META_TABLE.to_le_bytes()).map_err(StoreError::Io)?;
    out.write_all(&count.to_le_bytes()).map_err(StoreError::Io)?;
    out.flush().map_err(StoreError::Io)
}

/// Visits all entries of a snapshot.
///
/// # Errors
/// When the stream is no snapshot, or ends early.
pub fn read_snapshot(input: &mut dyn Read, visit: Visit<'_>) -> Result<(), StoreError> {
    let mut input = io::BufReader::with_capacity(256 << 10, input);
    let mut magic = [0; 8];
    input.read_exact(&mut magic).map_err(StoreError::Io)?;
    if magic[..7] != MAGIC[..7] {
        return Err(StoreError::Entry { reason: "the snapshot does not begin as one".to_owned() });
    }
    if magic[7] > MAGIC[7] {
        return Err(StoreError::Newer { found: u64::from(magic[7]), known: u64::from(MAGIC[7]) });
    }
    let (mut key, mut value) = (Vec::new(), Vec::new());
    let mut count = 0u64;
    loop {
        let table = number(&mut input)?;
        if table == META_TABLE {
            break;
        }
        let (key_length, value_length) = (number(&mut input)?, number(&mut input)?);
        fill(&mut input, &mut key, key_length)?;
        fill(&mut input, &mut value, value_length)?;
        visit(table, &key, &value)?;
        count += 1;
    }
    let mut written = [0; 8];
    input.read_exact(&mut written).map_err(StoreError::Io)?;
    if u64::from_le_bytes(written) != count {
        return Err(StoreError::Entry { reason: "the snapshot holds fewer entries than it says".to_owned() });
    }
    Ok(())
}

fn number(input: &mut impl Read) -> Result<u32, StoreError> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes).map_err(StoreError::Io)?;
    Ok(u32::from_le_bytes(bytes))
}

fn fill(input: &mut impl Read, buffer: &mut Vec<u8>, length: u32) -> Result<(), StoreError> {
    if length > LENGTH_MAX {
        return Err(StoreError::Entry { reason: format!("an entry of the snapshot claims {length} bytes") });
    }
    buffer.resize(length as usize, 0);
    input.read_exact(buffer).map_err(StoreError::Io)
}
