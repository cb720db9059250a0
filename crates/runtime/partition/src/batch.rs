//! What the log stores: one batch of records, in the order in which they were handled.
//!
//! A batch is a header of 25 bytes (format, time, first position, key counter, all little endian) and
//! framed records: a tag, a length, a body. Commands, events and rejections count as positions; the runtime's
//! own facts do not.

use coreto_machine::codec::{Codec, Reader, put_varint};
use coreto_machine::{DecodeError, Handled, Machine, Output, Timestamp, message};

/// The format that this program writes.
pub const FORMAT: u8 = 1;

/// Bytes of a batch's header.
pub(crate) const HEADER: usize = 1 + 8 + 8 + 8;

/// Tags of records. A tag is never used for anything else again.
pub(crate) mod tag {
    /// A command that was handled.
    pub(crate) const HANDLED: u8 = 1;
    /// A fact of the machine.
    pub(crate) const EVENT: u8 = 2;
    /// A command that was rejected, with the reason.
    pub(crate) const REJECTION: u8 = 3;
    /// A follow-up that waits for a later batch.
    pub(crate) const PENDING_ADDED: u8 = 4;
    /// A waiting follow-up was handled.
    pub(crate) const PENDING_TAKEN: u8 = 5;
    /// A command was sent to another partition.
    pub(crate) const FRAME_SENT: u8 = 6;
    /// A command of another partition was handled.
    pub(crate) const FRAME_TAKEN: u8 = 7;
    /// Another partition has handled what was sent to it.
    pub(crate) const FRAME_ACKED: u8 = 8;
    /// A reply is kept for a repeated request.
    pub(crate) const REPLY_KEPT: u8 = 9;
    /// A kept reply has expired.
    pub(crate) const REPLY_DROPPED: u8 = 10;
}

/// The header of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The time of everything in the batch.
    pub now: Timestamp,
    /// The position of its first record.
    pub first_position: u64,
    /// The machine's key counter after the batch.
    pub counter: u64,
}

impl Header {
    pub(crate) fn put(self, batch: &mut [u8]) {
        batch[0] = FORMAT;
        batch[1..9].copy_from_slice(&self.now.as_millis().to_le_bytes());
        batch[9..17].copy_from_slice(&self.first_position.to_le_bytes());
        batch[17..25].copy_from_slice(&self.counter.to_le_bytes());
    }
}

/// Why a batch cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Written by a newer program.
    #[error("batch format {found} is newer than this program reads ({FORMAT})")]
    Newer {
        /// The format found.
        found: u8,
    },
    /// A record cannot be decoded.
    #[error("the record at byte {offset} of the batch cannot be decoded")]
    Record {
        /// Bytes before it.
        offset: usize,
        /// What is wrong with it.
        source: DecodeError,
    },
}

message! {
    /// A command that waits, or is on its way to another partition.
    pub(crate) struct Waiting {
        1 => pub(crate) id: u64,
        2 => pub(crate) partition: u32,
        3 => pub(crate) command: std::sync::Arc<[u8]>,
    }
}

message! {
    /// A reply that is kept for a repeated request.
    pub(crate) struct Kept {
        1 => pub(crate) tenant: coreto_machine::Tenant,
        2 => pub(crate) key: std::sync::Arc<str>,
        3 => pub(crate) expires: Timestamp,
        4 => pub(crate) command_hash: u64,
        5 => pub(crate) reply: std::sync::Arc<[u8]>,
    }
}

/// About what the tables take for a kept reply beside its key and its bytes.
const KEPT_OVERHEAD: usize = 256;

impl Kept {
    /// About how many bytes it takes in memory.
    pub(crate) fn weight(&self) -> u64 {
        (self.key.len() + self.reply.len() + KEPT_OVERHEAD) as u64
    }
}

message! {
    /// A rejected command and why.
    pub(crate) struct Rejected {
        1 => pub(crate) command: std::sync::Arc<[u8]>,
        2 => pub(crate) rejection: std::sync::Arc<[u8]>,
    }
}

/// How a command stands among the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HandledRecord {
    pub(crate) handled: Handled,
    /// It began a transaction: what follows has it as source.
    pub(crate) initial: bool,
    pub(crate) operation_reference: Option<u64>,
}

/// The counter half of a key first, so that young keys are short.
const KEY_TURN: u32 = 51;

impl HandledRecord {
    pub(crate) fn write<M: Machine>(self, out: &mut Output<M>) {
        out.frame(tag::HANDLED, |body| {
            let flags = u64::from(self.initial) | u64::from(self.operation_reference.is_some()) << 1;
            put_varint(body, flags);
            put_varint(body, u64::from(self.handled.value_type));
            put_varint(body, u64::from(self.handled.intent));
            put_varint(body, self.handled.key.rotate_left(64 - KEY_TURN));
            if let Some(reference) = self.operation_reference {
                put_varint(body, reference);
            }
        });
    }

    fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let flags = reader.varint()?;
        let number = |value: u64| u32::try_from(value).map_err(|_| DecodeError::Overflow);
        let handled = Handled {
            value_type: number(reader.varint()?)?,
            intent: number(reader.varint()?)?,
            key: reader.varint()?.rotate_right(64 - KEY_TURN),
        };
        let operation_reference = if flags & 2 == 0 { None } else { Some(reader.varint()?) };
        Ok(Self { handled, initial: flags & 1 == 1, operation_reference })
    }
}

/// Any record of a batch, decoded.
pub(crate) enum Entry<M: Machine> {
    Handled(HandledRecord),
    Event(M::Event),
    Rejection { command: M::Command, rejection: M::Rejection },
    PendingAdded(Waiting),
    PendingTaken { id: u64 },
    FrameSent(Waiting),
    FrameTaken { from: u32, sequence: u64 },
    FrameAcked { to: u32, sequence: u64 },
    ReplyKept(Kept),
    ReplyDropped(Kept),
}

/// Where the first position stands in a header.
const FIRST_POSITION: usize = 9;

/// Reads a batch's header.
///
/// # Errors
/// When the batch is too short or of another format.
pub fn header(batch: &[u8]) -> Result<Header, BatchError> {
    let torn = BatchError::Record { offset: 0, source: DecodeError::Truncated };
    let format = *batch.first().ok_or(torn)?;
    if format != FORMAT {
        return Err(BatchError::Newer { found: format });
    }
    let word = |at: usize| -> Result<u64, BatchError> {
        let bytes = batch.get(at..at + 8).ok_or(torn)?;
        Ok(u64::from_le_bytes(bytes.try_into().expect("eight bytes")))
    };
    let first_position = word(FIRST_POSITION)?;
    // Each record takes a byte at least, so all positions of the batch are numbers then.
    if first_position.checked_add(batch.len() as u64).is_none() {
        return Err(BatchError::Record { offset: FIRST_POSITION, source: DecodeError::Overflow });
    }
    Ok(Header { now: Timestamp::from_millis(word(1)?.cast_signed()), first_position, counter: word(17)? })
}

/// Visits every record of a batch.
///
/// # Errors
/// When a record cannot be decoded; nothing behind it is visited.
pub(crate) fn visit<M: Machine>(batch: &[u8], mut each: impl FnMut(Entry<M>)) -> Result<Header, BatchError> {
    let header = header(batch)?;
    let mut reader = Reader::new(&batch[HEADER..]);
    while let [tag, rest @ ..] = reader.rest() {
        let offset = batch.len() - reader.rest().len();
        let at = |source| BatchError::Record { offset, source };
        let mut framed = Reader::new(rest);
        let body = framed.bytes().map_err(at)?;
        each(entry(*tag, body).map_err(at)?);
        reader = framed;
    }
    Ok(header)
}

fn entry<M: Machine>(tag: u8, body: &[u8]) -> Result<Entry<M>, DecodeError> {
    Ok(match tag {
        tag::HANDLED => Entry::Handled(HandledRecord::read(body)?),
        tag::EVENT => Entry::Event(M::Event::decode(body)?),
        tag::REJECTION => {
            let rejected = Rejected::decode(body)?;
            Entry::Rejection {
                command: M::Command::decode(&rejected.command)?,
                rejection: M::Rejection::decode(&rejected.rejection)?,
            }
        }
        tag::PENDING_ADDED => Entry::PendingAdded(Waiting::decode(body)?),
        tag::PENDING_TAKEN => Entry::PendingTaken { id: Waiting::decode(body)?.id },
        tag::FRAME_SENT => Entry::FrameSent(Waiting::decode(body)?),
        tag::FRAME_TAKEN => {
            let frame = Waiting::decode(body)?;
            Entry::FrameTaken { from: frame.partition, sequence: frame.id }
        }
        tag::FRAME_ACKED => {
            let frame = Waiting::decode(body)?;
            Entry::FrameAcked { to: frame.partition, sequence: frame.id }
        }
        tag::REPLY_KEPT => Entry::ReplyKept(Kept::decode(body)?),
        tag::REPLY_DROPPED => Entry::ReplyDropped(Kept::decode(body)?),
        number => return Err(DecodeError::UnknownVariant { number: u64::from(number) }),
    })
}

/// A record as exporters see it.
pub struct Record<M: Machine> {
    /// Its place in the partition's history of records.
    pub position: u64,
    /// The position of the command that caused it; none for that command itself.
    pub source_position: Option<u64>,
    /// When.
    pub timestamp: Timestamp,
    /// The caller's number for the operation.
    pub operation_reference: Option<u64>,
    /// What happened.
    pub body: Body<M>,
}

/// What a record says.
pub enum Body<M: Machine> {
    /// A command was handled.
    Command(Handled),
    /// A fact.
    Event(M::Event),
    /// A command was rejected.
    Rejection {
        /// The command, its documents abridged.
        command: M::Command,
        /// Why.
        rejection: M::Rejection,
    },
}

/// Hands the exported records of a batch to `each`, in order.
///
/// # Errors
/// When the batch cannot be decoded.
pub fn records<M: Machine>(batch: &[u8], mut each: impl FnMut(Record<M>)) -> Result<Header, BatchError> {
    let first = header(batch)?;
    let mut position = first.first_position;
    let mut source = None;
    let mut operation_reference = None;
    visit::<M>(batch, |entry| {
        let body = match entry {
            Entry::Handled(record) => {
                if record.initial {
                    source = None;
                    operation_reference = record.operation_reference;
                }
                Body::Command(record.handled)
            }
            Entry::Event(event) => Body::Event(event),
            Entry::Rejection { command, rejection } => Body::Rejection { command, rejection },
            Entry::PendingAdded(_)
            | Entry::PendingTaken { .. }
            | Entry::FrameSent(_)
            | Entry::FrameTaken { .. }
            | Entry::FrameAcked { .. }
            | Entry::ReplyKept(_)
            | Entry::ReplyDropped(_) => return,
        };
        each(Record { position, source_position: source, timestamp: first.now, operation_reference, body });
        source.get_or_insert(position);
        position += 1;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_headers_that_are_none() {
        let mut batch = vec![FORMAT];
        batch.extend_from_slice(&[0; 8]);
        batch.extend_from_slice(&[0xff; 8]);
        assert!(matches!(
            header(&batch),
            Err(BatchError::Record { offset: FIRST_POSITION, source: DecodeError::Overflow })
        ));
        assert!(matches!(
            header(&batch[..12]),
            Err(BatchError::Record { source: DecodeError::Truncated, .. })
        ));
        assert!(matches!(header(&[FORMAT + 1]), Err(BatchError::Newer { .. })));
        assert!(header(&[]).is_err());
    }
}
