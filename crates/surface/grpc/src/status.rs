//! The one place where a gRPC status is chosen.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use coreto_partition::Refused;
use coreto_record::RejectionKind;
use tonic::{Code, Status};

/// Everything that can keep a call from being answered with what it asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A field of the request is wrong.
    Invalid { field: &'static str, reason: Cow<'static, str> },
    /// The engine rejected the command.
    Rejected { intent: &'static str, kind: RejectionKind, reason: String },
    /// The partition did not take the request.
    Refused(Refused),
    /// The partition stopped before the outcome was known.
    Lost { reason: Arc<str> },
    /// The partition did not answer in time.
    NoAnswer { after: Duration },
    /// The instance did not complete in time.
    NotCompleted { after: Duration },
    /// The idempotency key was used with another command.
    KeyMisused,
    /// No more idempotency keys are taken.
    KeysFull,
    /// The request needs something that is not built.
    Unbuilt { what: &'static str },
    /// The thing asked for does not exist.
    Unknown { what: String },
    /// A watcher did not read.
    SlowWatcher { after: Duration },
    /// More polls and streams than the server holds.
    TooManyWait { waiting_max: usize },
    /// More watchers than the server holds.
    TooManyWatch { watches_max: usize },
    /// A request's message is too large.
    TooLarge { bytes_max: usize },
    /// The server shuts down.
    Draining,
    /// The engine answered a question that was not asked.
    Mismatch { call: &'static str },
}

impl Failure {
    pub(crate) fn invalid(field: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid { field, reason: reason.into() }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let (code, text) = describe(failure);
        Self::new(code, cut(text))
    }
}

/// Code and text of a failure (gateway contract, status codes in general).
fn describe(failure: Failure) -> (Code, String) {
    match failure {
        Failure::Invalid { field, reason } => (Code::InvalidArgument, format!("field `{field}`: {reason}")),
        Failure::Rejected { intent, kind, reason } => {
            (code_of(kind), format!("Command '{intent}' rejected with code '{}': {reason}", kind.name()))
        }
        Failure::Refused(refused) => (
            match refused {
                Refused::Busy { .. } | Refused::Slow { .. } | Refused::NoSpace { .. } => {
                    Code::ResourceExhausted
                }
                Refused::Closed { .. } => Code::Unavailable,
            },
            refused.to_string(),
        ),
        Failure::Lost { reason } => {
            (Code::Unavailable, format!("the partition stopped before the outcome was known: {reason}"))
        }
        Failure::NoAnswer { after } => (
            Code::DeadlineExceeded,
            format!("there was no answer within {} ms; the outcome is unknown", after.as_millis()),
        ),
        Failure::NotCompleted { after } => (
            Code::DeadlineExceeded,
            format!("the process instance did not complete within {} ms; it may go on", after.as_millis()),
        ),
        Failure::KeyMisused => (
            Code::InvalidArgument,
            "metadata `idempotency-key`: the key was used with another command; take a new one".to_owned(),
        ),
        Failure::KeysFull => (
            Code::ResourceExhausted,
            "no more idempotency keys are kept for now; try again later or without".to_owned(),
        ),
        Failure::Unbuilt { what } => (Code::Unimplemented, format!("not implemented: {what}")),
        Failure::Unknown { what } => (Code::NotFound, what),
        Failure::SlowWatcher { after } => (
            Code::ResourceExhausted,
            format!(
                "records were not read within {} ms; watch again from the last position",
                after.as_millis()
            ),
        ),
        Failure::TooManyWait { waiting_max } => (
            Code::ResourceExhausted,
            format!("{waiting_max} polls and job streams are open, which is the limit; try again later"),
        ),
        Failure::TooManyWatch { watches_max } => (
            Code::ResourceExhausted,
            format!("{watches_max} watch records, which is the limit; try again later"),
        ),
        Failure::TooLarge { bytes_max } => {
            (Code::ResourceExhausted, format!("a request may have {bytes_max} bytes, and this one has more"))
        }
        Failure::Draining => (Code::Unavailable, "the server shuts down".to_owned()),
        Failure::Mismatch { call } => {
            (Code::Internal, format!("the engine gave another kind of answer to {call}"))
        }
    }
}

/// The code of a rejection (engine contract, section 21).
const fn code_of(kind: RejectionKind) -> Code {
    match kind {
        RejectionKind::InvalidArgument | RejectionKind::ExceededBatchRecordSize => Code::InvalidArgument,
        RejectionKind::NotFound => Code::NotFound,
        RejectionKind::AlreadyExists => Code::AlreadyExists,
        RejectionKind::InvalidState => Code::FailedPrecondition,
        RejectionKind::ProcessingError => Code::Internal,
        RejectionKind::Unauthorized | RejectionKind::Forbidden => Code::PermissionDenied,
    }
}

/// Bytes that a text may take in its header. Some clients end the connection over more than 8 KiB of headers.
const TEXT_BYTES_MAX: usize = 6 << 10;

/// Cuts a text so that it fits a header, where all but printable ASCII takes three bytes each.
fn cut(mut text: String) -> String {
    let mut bytes = 0;
    let end = text.bytes().position(|byte| {
        bytes += if (b' '..=b'~').contains(&byte) && byte != b'%' { 1 } else { 3 };
        bytes > TEXT_BYTES_MAX
    });
    if let Some(end) = end {
        let left_off = text.len() - text.floor_char_boundary(end);
        text.truncate(text.floor_char_boundary(end));
        write!(text, " (and {left_off} bytes more)").expect("writing to a string does not fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejection_reads_as_clients_expect() {
        let status = Status::from(Failure::Rejected {
            intent: "COMPLETE",
            kind: RejectionKind::InvalidState,
            reason: "job 7 has no retries left".to_owned(),
        });
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(
            status.message(),
            "Command 'COMPLETE' rejected with code 'INVALID_STATE': job 7 has no retries left"
        );
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let text = cut("é".repeat(5000));
        assert!(text.starts_with('é'));
        assert!(text.ends_with("bytes more)"));
        let encoded: usize = text.bytes().map(|byte| if byte.is_ascii() { 1 } else { 3 }).sum();
        assert!(encoded < TEXT_BYTES_MAX + 64, "{encoded}");
        assert_eq!(cut("short".to_owned()), "short");
    }
}
