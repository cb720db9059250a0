//! Messages that a client has compressed.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use tonic::Status;

use super::broken;
use crate::status::Failure;

/// The message that was compressed; `encoding` is the request's `grpc-encoding`. One that would have more than
/// `bytes_max` bytes is refused without being held.
pub(super) fn inflate(compressed: &[u8], encoding: Option<&[u8]>, bytes_max: usize) -> Result<Bytes, Status> {
    match encoding {
        Some(b"gzip") => {}
        Some(b"identity") | None => {
            return Err(broken("it is compressed, and `grpc-encoding` does not say how"));
        }
        Some(_) => {
            return Err(Failure::Unbuilt { what: "messages compressed otherwise than with gzip" }.into());
        }
    }
    let mut message = Vec::new();
    GzDecoder::new(compressed)
        .take(bytes_max as u64 + 1)
        .read_to_end(&mut message)
        .map_err(|error| broken(&format!("it is no gzip: {error}")))?;
    if message.len() > bytes_max {
        return Err(Failure::TooLarge { bytes_max }.into());
    }
    Ok(message.into())
}
