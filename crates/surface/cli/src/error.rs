//! Why a command failed, and the exit code that tells it.

use std::error::Error;
use std::path::PathBuf;

use tonic::Code;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The address is no address, or the TLS settings do not fit.
    #[error("`{address}` cannot be used as an address")]
    Address {
        /// As given.
        address: String,
        /// What is wrong with it.
        source: tonic::transport::Error,
    },
    /// Nobody answers.
    #[error("cannot connect to `{address}`; {}", advice(address))]
    Connect {
        /// As given.
        address: String,
        /// What happened.
        source: tonic::transport::Error,
    },
    /// The connection broke before the answer was there.
    #[error(
        "the connection to `{address}` broke: {reason}; does a server run there, is this its gRPC address, and does it want TLS (https://)?"
    )]
    Lost {
        /// As given.
        address: String,
        /// What happened, by the cause behind all others.
        reason: String,
    },
    /// Nobody answers where the catalog is to be.
    #[error(
        "cannot reach the catalog at `{address}`: {reason}; is a server running there? (`coreto dev` starts one)"
    )]
    NoCatalog {
        /// Host and port.
        address: String,
        /// What happened.
        reason: String,
    },
    /// The catalog has not answered in time.
    #[error("the catalog at `{address}` has not answered within {millis} ms")]
    CatalogLate {
        /// Host and port.
        address: String,
        /// How long it had.
        millis: u128,
    },
    /// The catalog says no.
    #[error("the catalog says no: {reason}")]
    CatalogRefused {
        /// The status of HTTP.
        status: u16,
        /// Its sentence.
        reason: String,
    },
    /// The server ended what was to go on.
    #[error("the server shuts down and has ended the watch")]
    Ended,
    /// What tells of changes has broken off.
    #[error("the watch has broken off: {0}")]
    BrokenOff(String),
    /// The token has characters that a header cannot carry.
    #[error("the token holds characters that cannot be sent")]
    Token,
    /// A file cannot be read or written.
    #[error("cannot {doing} `{path}`")]
    File {
        /// Which.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What happened.
        source: std::io::Error,
    },
    /// A program cannot be run.
    #[error("cannot run `{program}`")]
    Program {
        /// Which.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// The server says no.
    #[error("{}", reason(.0.message()))]
    Refused(Box<tonic::Status>),
    /// The arguments do not fit together.
    #[error("{0}")]
    Usage(String),
    /// What an argument names is not there.
    #[error("{0}")]
    Missing(String),
    /// The output cannot be written.
    #[error("cannot write the output")]
    Output(#[source] std::io::Error),
}

/// What may help where nobody answers.
fn advice(address: &str) -> &'static str {
    if address.starts_with("https://") {
        "does a server with TLS run there, with a certificate that --ca-certificate or the system trusts?"
    } else {
        "is a server running there? (`coreto dev` starts one)"
    }
}

/// A rejection's reason, without the command and the code that Zeebe's clients expect before it.
fn reason(message: &str) -> &str {
    let rest = message.strip_prefix("Command '").and_then(|rest| rest.split_once("' rejected with code '"));
    rest.and_then(|(_, rest)| rest.split_once("': ")).map_or(message, |(_, reason)| reason)
}

/// The word for a status in gRPC's specification.
pub(crate) const fn word(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

impl From<tonic::Status> for CliError {
    fn from(status: tonic::Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

impl CliError {
    /// The exit code: 1 refused or failed, 2 wrong use, 3 no server, 4 not found, 5 time-out.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Address { .. } | Self::Token | Self::Usage(_) | Self::File { .. } => 2,
            Self::Connect { .. }
            | Self::Lost { .. }
            | Self::NoCatalog { .. }
            | Self::CatalogRefused { status: 500.., .. }
            | Self::BrokenOff(_)
            | Self::Ended => 3,
            Self::Missing(_) | Self::CatalogRefused { status: 404, .. } => 4,
            Self::CatalogLate { .. } => 5,
            Self::CatalogRefused { .. } | Self::Output(_) | Self::Program { .. } => 1,
            Self::Refused(status) => match status.code() {
                Code::Unavailable => 3,
                Code::NotFound => 4,
                Code::DeadlineExceeded => 5,
                _ => 1,
            },
        }
    }

    /// What the server says no with, if it does: the word of gRPC's specification.
    pub fn code(&self) -> Option<&'static str> {
        let Self::Refused(status) = self else { return None };
        Some(word(status.code()))
    }

    /// The same, where a status tells of the connection to this address and not of the server's mind.
    pub(crate) fn at(self, address: &str) -> Self {
        match self {
            Self::Refused(status) => match status.source() {
                Some(mut cause) => {
                    while let Some(deeper) = cause.source() {
                        cause = deeper;
                    }
                    Self::Lost { address: address.to_owned(), reason: cause.to_string() }
                }
                None => Self::Refused(status),
            },
            other => other,
        }
    }

    /// Whether whoever reads the output has simply gone away.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_reasons_without_what_goes_before_them() {
        for (message, told) in [
            ("Command 'CREATE' rejected with code 'NOT_FOUND': no `a': b` here", "no `a': b` here"),
            ("the server shuts down", "the server shuts down"),
            ("Command 'CREATE' is late", "Command 'CREATE' is late"),
        ] {
            assert_eq!(CliError::from(tonic::Status::not_found(message)).to_string(), told);
        }
    }
}
