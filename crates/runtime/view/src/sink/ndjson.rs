//! Lines of JSON, in a file or on standard output.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::{Document, Sink, SinkError};

/// Bytes that are written at once.
const CHUNK: usize = 256 << 10;

/// Writes documents as lines.
pub struct NdjsonSink {
    path: String,
    /// Standard output when there is none.
    file: Option<File>,
    lines: Vec<u8>,
}

impl NdjsonSink {
    /// Appends to a file, or writes to standard output for `-`.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &str) -> Result<Self, SinkError> {
        let file = if path == "-" {
            None
        } else {
            let opened = OpenOptions::new().create(true).append(true).open(Path::new(path));
            Some(opened.map_err(|source| SinkError::File { path: path.to_owned(), source })?)
        };
        Ok(Self { path: path.to_owned(), file, lines: Vec::new() })
    }

    fn write(&mut self) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(&self.lines)?;
            return file.sync_data();
        }
        let mut out = io::stdout().lock();
        out.write_all(&self.lines)?;
        out.flush()
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
        self.write().map_err(|source| SinkError::File { path: self.path.clone(), source })?;
        self.lines.clear();
        Ok(())
    }
}
