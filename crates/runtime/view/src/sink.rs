//! Where documents go.

mod elasticsearch;
mod http;
mod ndjson;

pub use elasticsearch::{ElasticsearchConfig, ElasticsearchSink, OnRefusal};
pub use ndjson::NdjsonSink;

use coreto_machine::Timestamp;
use coreto_record::protocol::ValueType;

/// A rendered record.
pub struct Document<'a> {
    /// Its partition.
    pub partition: u32,
    /// Its position.
    pub position: u64,
    /// What it is about.
    pub value_type: ValueType,
    /// When.
    pub timestamp: Timestamp,
    /// The JSON object.
    pub json: &'a [u8],
}

/// Why documents were not taken. They are tried again.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The address is none, or not one that this program can talk to.
    #[error("{0}")]
    Address(String),
    /// The server cannot be reached or does not answer as one.
    #[error("cannot reach `{address}`")]
    Connection {
        /// The address.
        address: String,
        /// What happened.
        source: std::io::Error,
    },
    /// The server did not take the request.
    #[error("`{address}` answered {status}: {body}")]
    Refused {
        /// The address.
        address: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said.
        body: String,
    },
    /// The server took the request, but not every document.
    #[error("`{address}` did not take {count} documents, the first being `{first}`: {reason}")]
    Documents {
        /// The address.
        address: String,
        /// How many.
        count: usize,
        /// How many of them it refused for what is in them.
        refused: usize,
        /// The first one's id.
        first: String,
        /// What it said of it.
        reason: String,
    },
    /// A file cannot be written.
    #[error("cannot write `{path}`")]
    File {
        /// The file.
        path: String,
        /// What happened.
        source: std::io::Error,
    },
}

/// Takes documents, and at times makes sure that they arrived. Calls block the exporter's thread and nobody else.
pub trait Sink: Send + 'static {
    /// Whether documents carry the per-type `sequence`.
    fn wants_sequence(&self) -> bool;

    /// Adds a document to what goes out next.
    fn add(&mut self, document: &Document<'_>);

    /// Whether so much has been added that it should go out at once.
    fn is_full(&self) -> bool;

    /// Sends what was added; it has arrived when this returns.
    ///
    /// # Errors
    /// When it may not have arrived. What was added stays, and is sent again by the next call.
    fn flush(&mut self) -> Result<(), SinkError>;

    /// How many documents were left out since the start because they were refused.
    fn left_out(&self) -> u64 {
        0
    }

    /// Makes what has arrived survive a crash. Called before a cursor names it, so not for every flush.
    ///
    /// # Errors
    /// When it may not survive.
    fn settle(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}
