//! Lines of JSON, in a file or on standard output.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::{Document, Sink, SinkError};

/// Bytes that are written at once.
const CHUNK: usize = 256 << 10;

/// How each of our lines begins.
const BEGINNING: &[u8] = b"{\"position\":";

/// Writes documents as lines.
pub struct NdjsonSink {
    path: String,
    /// Standard output when there is none.
    file: Option<File>,
    /// Whether there is something to sync: pipes and devices cannot be.
    is_durable: bool,
    lines: Vec<u8>,
    /// How many bytes of the lines are written.
    written: usize,
    /// Something was written since the last sync.
    unsynced: bool,
}

impl NdjsonSink {
    /// Appends to a file, or writes to standard output for `-`. A line that a crash has torn is removed; its record
    /// comes again.
    ///
    /// # Errors
    /// When the file cannot be opened or mended.
    pub fn open(path: &str) -> Result<Self, SinkError> {
        let (file, is_durable) = match path {
            "-" => (None, false),
            path => append(path).map(|(file, is_durable)| (Some(file), is_durable)).map_err(failed(path))?,
        };
        let path = path.to_owned();
        Ok(Self { path, file, is_durable, lines: Vec::new(), written: 0, unsynced: false })
    }

    /// Goes on where the last attempt ended, which may have been within a line.
    fn write(&mut self) -> io::Result<()> {
        let (mut output, mut file) = (io::stdout(), self.file.as_ref());
        let writer: &mut dyn Write = match &mut file {
            Some(file) => file,
            None => &mut output,
        };
        while self.written < self.lines.len() {
            match writer.write(&self.lines[self.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
        writer.flush()
    }
}

impl Sink for NdjsonSink {
    fn wants_sequence(&self) -> bool {
        false
    }

    fn add(&mut self, document: &Document<'_>) {
        self.lines.extend_from_slice(document.json);
        self.lines.push(b'\n');
    }

    fn is_full(&self) -> bool {
        self.lines.len() >= CHUNK
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        if self.lines.is_empty() {
            return Ok(());
        }
        self.unsynced = true;
        self.write().map_err(failed(&self.path))?;
        self.lines.clear();
        self.written = 0;
        Ok(())
    }

    fn settle(&mut self) -> Result<(), SinkError> {
        if let Some(file) = &self.file
            && self.is_durable
            && self.unsynced
        {
            file.sync_data().map_err(failed(&self.path))?;
            self.unsynced = false;
        }
        Ok(())
    }
}

fn failed(path: &str) -> impl FnOnce(io::Error) -> SinkError {
    move |source| SinkError::File { path: path.to_owned(), source }
}

/// Opens for appending; says whether it is a file that lasts.
fn append(path: &str) -> io::Result<(File, bool)> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    // Pipes and devices have no end to mend.
    let is_file = file.metadata()?.is_file();
    if is_file {
        if file.metadata()?.len() == 0 {
            // It may be new: a cursor must not last longer than the file that it speaks of.
            sync_entry(Path::new(path))?;
        }
        mend(&mut file)?;
    }
    Ok((file, is_file))
}

/// Makes a file's name durable.
fn sync_entry(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// Removes a torn last line if it is one of ours; otherwise ends it.
fn mend(file: &mut File) -> io::Result<()> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut end = length;
    let mut chunk = vec![0; CHUNK];
    // Bound: each round looks at earlier bytes.
    let start = loop {
        let size = CHUNK.min(usize::try_from(end).unwrap_or(CHUNK));
        let begin = end - size as u64;
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(&mut chunk[..size])?;
        if let Some(at) = chunk[..size].iter().rposition(|&byte| byte == b'\n') {
            break begin + at as u64 + 1;
        }
        if begin == 0 {
            break 0;
        }
        end = begin;
    };
    if start == length {
        return Ok(());
    }
    let size = BEGINNING.len().min(usize::try_from(length - start).unwrap_or(usize::MAX));
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut chunk[..size])?;
    if BEGINNING.starts_with(&chunk[..size]) { file.set_len(start) } else { file.write_all(b"\n") }
}
