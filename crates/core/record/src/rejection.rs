//! The answer to a command that does not fit the state.

use std::fmt::Write;

use coreto_machine::{Fault, message, numbered};

numbered! {
    /// Why a command was rejected, as exported in `rejectionType`.
    pub enum RejectionKind {
        /// The command itself is wrong.
        InvalidArgument = 0,
        /// What it is about does not exist for the caller.
        NotFound = 1,
        /// What it would make exists.
        AlreadyExists = 2,
        /// What it is about is in a state that forbids it.
        InvalidState = 3,
        /// The engine failed inside.
        ProcessingError = 4,
        /// What it would write does not fit into a batch.
        ExceededBatchRecordSize = 5,
        /// The caller is not known.
        Unauthorized = 6,
        /// The caller may not do it.
        Forbidden = 7,
    }
}

impl RejectionKind {
    /// The name in records and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::InvalidState => "INVALID_STATE",
            Self::ProcessingError => "PROCESSING_ERROR",
            Self::ExceededBatchRecordSize => "EXCEEDED_BATCH_RECORD_SIZE",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Forbidden => "FORBIDDEN",
        }
    }
}

message! {
    /// A rejection: its kind, and a sentence for the caller.
    pub struct Rejection {
        /// Why, for programs.
        1 => pub kind: RejectionKind,
        /// Why, for people: what was tried, what was found, what to do.
        2 => pub reason: String,
    }
}

/// Bytes of a reason that are kept: all that is wrong with a large model, mostly.
const REASON_BYTES_MAX: usize = 64 << 10;

impl Rejection {
    /// A rejection of this kind; a reason that would fill the log is cut.
    pub fn new(kind: RejectionKind, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        let end = reason.floor_char_boundary(REASON_BYTES_MAX);
        let left_off = reason.len() - end;
        if left_off > 0 {
            reason.truncate(end);
            write!(reason, " (and {left_off} bytes more)").expect("writing to a string does not fail");
        }
        Self { kind, reason }
    }

    /// What a client gets whose command failed inside `machine`.
    pub fn of_fault(machine: &str, fault: &Fault) -> Self {
        match fault {
            Fault::Panicked(message) => Self::new(
                RejectionKind::ProcessingError,
                format!("the {machine} failed while it handled the command: {message}"),
            ),
            Fault::TooLarge { bytes, bytes_max } => Self::new(
                RejectionKind::ExceededBatchRecordSize,
                format!("the command would write {bytes} bytes, at most {bytes_max} are possible"),
            ),
        }
    }

    /// The command itself is wrong.
    pub fn invalid_argument(reason: impl Into<String>) -> Self {
        Self::new(RejectionKind::InvalidArgument, reason)
    }

    /// What the command is about does not exist for the caller.
    pub fn not_found(reason: impl Into<String>) -> Self {
        Self::new(RejectionKind::NotFound, reason)
    }

    /// What the command is about is in a state that forbids it.
    pub fn invalid_state(reason: impl Into<String>) -> Self {
        Self::new(RejectionKind::InvalidState, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_reasons_are_cut_between_characters() {
        let Rejection { reason, .. } = Rejection::not_found("é".repeat(REASON_BYTES_MAX));
        assert_eq!(
            reason,
            format!("{} (and {REASON_BYTES_MAX} bytes more)", "é".repeat(REASON_BYTES_MAX / 2))
        );
        assert_eq!(Rejection::not_found("short").reason, "short");
    }
}
