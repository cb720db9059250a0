//! Reading the segments of one partition, also while they grow.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::disk::{Disk, DiskFile};
use crate::disk_log::Ownership;
use crate::error::Error;
use crate::file::failed;
use crate::log::{Batch, LogReader, PartitionName};
use crate::segment::{self, FRAME, Frame, HEADER, Hash, Head, LOG};

/// Reads one partition's log on a disk.
pub struct DiskReader<D: Disk> {
    disk: D,
    directory: PathBuf,
    partition: PartitionName,
    ownership: Arc<Ownership>,
    /// The sequence that comes next on the disk; those below `from` are passed over.
    next: u64,
    from: u64,
    epoch: u64,
    previous: Option<Hash>,
    segment: Option<Segment>,
}

struct Segment {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    /// Where the next frame begins in the file.
    offset: u64,
    /// Bytes of the file, those at `offset` from `used` on.
    chunk: Bytes,
    used: usize,
    /// How much is read at once: little at the end of a growing log, much when catching up.
    chunk_length: usize,
}

const CHUNK_MIN: usize = 16 << 10;
const CHUNK_MAX: usize = 1 << 20;

impl<D: Disk> DiskReader<D> {
    pub(crate) fn open(
        disk: D,
        directory: PathBuf,
        partition: PartitionName,
        ownership: Arc<Ownership>,
        from: u64,
    ) -> Result<Self, Error> {
        let from = from.max(1);
        let firsts = segment::list(&disk, &directory)?;
        let first = firsts.first().copied().unwrap_or(1);
        if from < first {
            return Err(Error::Trimmed { wanted: from, first });
        }
        let next = firsts.into_iter().rfind(|&first| first <= from).unwrap_or(1);
        Ok(Self {
            disk,
            directory,
            partition,
            ownership,
            next,
            from,
            epoch: 0,
            previous: None,
            segment: None,
        })
    }

    /// Opens the segment that begins with the next sequence, if it is there.
    fn open_segment(&mut self) -> Result<bool, Error> {
        let path = segment::path(&self.directory, self.next);
        let file = match self.disk.open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed("open", &path)(error)),
        };
        let mut header = [0; HEADER];
        let read = file.read_at(&mut header, 0).map_err(failed("read", &path))?;
        segment::check(LOG, &header[..read], &path, &self.partition, self.next)?;
        self.segment = Some(Segment {
            file,
            path,
            offset: HEADER as u64,
            chunk: Bytes::new(),
            used: 0,
            chunk_length: CHUNK_MIN,
        });
        Ok(true)
    }

    /// The next frame of the open segment, or `None` where its frames end.
    fn frame(&mut self) -> Result<Option<(Frame, Bytes)>, Error> {
        let Some(segment) = &mut self.segment else { return Ok(None) };
        if let Some(found) = segment.take() {
            return Ok(Some(found));
        }
        segment.chunk_length = match segment.used {
            _ if segment.is_at_end(self.next) => CHUNK_MIN,
            0 => segment.chunk_length,
            _ => (segment.chunk_length * 2).min(CHUNK_MAX),
        };
        segment.fill(segment.chunk_length)?;
        if let Some(head) = Head::read(&segment.chunk)
            && head.length() > segment.chunk.len()
        {
            segment.fill(head.length())?;
        }
        Ok(segment.take())
    }

    /// Why the segment with the next batch is not there.
    fn missing(&self) -> Result<Error, Error> {
        let firsts = segment::list(&self.disk, &self.directory)?;
        Ok(match firsts.first() {
            Some(&first) if first > self.next => Error::Trimmed { wanted: self.next, first },
            _ => self.corrupt("the segment is missing"),
        })
    }

    fn corrupt(&self, what: &'static str) -> Error {
        let (path, offset) = match &self.segment {
            Some(segment) => (segment.path.clone(), segment.offset),
            None => (segment::path(&self.directory, self.next), 0),
        };
        Error::Corrupt { path, offset, what, whole_until: self.next - 1 }
    }
}

impl Segment {
    /// Takes the next frame from the chunk, if it is there and whole.
    fn take(&mut self) -> Option<(Frame, Bytes)> {
        let frame = Frame::read(self.chunk.get(self.used..)?)?;
        let end = (self.used + frame.length).min(self.chunk.len());
        let bytes = self.chunk.slice(self.used..end);
        self.used = end;
        self.offset += frame.length as u64;
        Some((frame, bytes))
    }

    /// Whether the log ended in the chunk when that was read: the file did, or where the next frame begins there is none.
    fn is_at_end(&self, next: u64) -> bool {
        let rest = self.chunk.get(self.used..).unwrap_or_default();
        let is_none = || Head::read(rest).is_none_or(|head| head.sequence != next);
        self.chunk.len() < self.chunk_length || (rest.len() >= FRAME && is_none())
    }

    /// Reads the bytes from `offset` on, into the memory of the last chunk if nobody holds a batch of it.
    fn fill(&mut self, length: usize) -> Result<(), Error> {
        let mut chunk = std::mem::take(&mut self.chunk).try_into_mut().unwrap_or_else(|_| BytesMut::new());
        chunk.resize(length, 0);
        let read = self.file.read_at(&mut chunk, self.offset).map_err(failed("read", &self.path))?;
        chunk.truncate(read);
        self.chunk = chunk.freeze();
        self.used = 0;
        Ok(())
    }
}

impl<D: Disk> LogReader for DiskReader<D> {
    fn next(&mut self) -> Result<Option<Batch>, Error> {
        // Bound: each round passes a frame or ends.
        loop {
            if self.next > self.ownership.durable() {
                return Ok(None);
            }
            if self.segment.is_none() && !self.open_segment()? {
                return Err(self.missing()?);
            }
            let Some((frame, bytes)) = self.frame()? else {
                // The batch is durable, so it stands here or begins the next segment.
                let place = self.corrupt("a batch that was acknowledged cannot be read");
                let left = self.segment.take();
                if left.as_ref().is_some_and(|segment| segment.offset > HEADER as u64)
                    && self.open_segment()?
                {
                    continue;
                }
                let missing = self.missing()?;
                if matches!(missing, Error::Trimmed { .. }) {
                    return Err(missing);
                }
                self.segment = left;
                return Err(place);
            };
            let head = frame.head;
            if head.sequence != self.next || head.epoch < self.epoch {
                return Err(self.corrupt("a frame is not where it was written"));
            }
            if self.previous.is_some_and(|hash| hash != head.previous) {
                return Err(self.corrupt("the chain of hashes is broken"));
            }
            let wanted = head.sequence >= self.from;
            let payload = if wanted { head.payload(&bytes) } else { Some(Bytes::new()) };
            // The reader stays before a batch that it cannot give.
            let Some(payload) = payload else {
                return Err(self.corrupt("a payload cannot be decompressed"));
            };
            self.previous = Some(frame.hash);
            self.epoch = head.epoch;
            self.next += 1;
            if !wanted {
                continue;
            }
            return Ok(Some(Batch {
                sequence: head.sequence,
                epoch: head.epoch,
                previous_hash: head.previous,
                hash: frame.hash,
                barrier: head.is_barrier(),
                payload,
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::disk::SimDisk;
    use crate::disk_log::DiskLog;
    use crate::log::{LogWriter, NodeId, PartitionLog};

    #[test]
    fn reads_much_when_catching_up_and_little_at_the_end() {
        let log = DiskLog::on(SimDisk::new(7), Path::new("/data"));
        let name = PartitionName { group: "test".into(), number: 1 };
        let mut writer = log.open_writer(&name, NodeId(1), 0).unwrap();
        let payload: Vec<u8> =
            (0..4000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for _ in 0..1000 {
            writer.append(&payload).unwrap();
        }
        let mut reader = log.read(&name, 1).unwrap();
        let mut lengths = Vec::new();
        while reader.next().unwrap().is_some() {
            lengths.push(reader.segment.as_ref().unwrap().chunk_length);
        }
        assert!(lengths.iter().all(|length| (CHUNK_MIN..=CHUNK_MAX).contains(length)));
        assert!(lengths.contains(&CHUNK_MAX), "{lengths:?}");
        for _ in 0..100 {
            let appended = writer.append(&payload).unwrap();
            assert_eq!(reader.next().unwrap().unwrap().sequence, appended);
            assert!(reader.next().unwrap().is_none());
        }
        assert_eq!(reader.segment.unwrap().chunk_length, CHUNK_MIN);
    }
}
