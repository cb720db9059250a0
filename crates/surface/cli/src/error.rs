//! Why a command failed, and the exit code that tells it.

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
    #[error("cannot connect to `{address}`; is a server running there? (`coreto dev` starts one)")]
    Connect {
        /// As given.
        address: String,
        /// What happened.
        source: tonic::transport::Error,
    },
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
    /// The server says no.
    #[error("{}", .0.message())]
    Refused(Box<tonic::Status>),
    /// The arguments do not fit together.
    #[error("{0}")]
    Usage(String),
    /// The output cannot be written.
    #[error("cannot write the output")]
    Output(#[source] std::io::Error),
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
            Self::Address { .. } | Self::Token | Self::Usage(_) => 2,
            Self::Connect { .. } => 3,
            Self::File { .. } | Self::Output(_) => 1,
            Self::Refused(status) => match status.code() {
                Code::Unavailable => 3,
                Code::NotFound => 4,
                Code::DeadlineExceeded => 5,
                _ => 1,
            },
        }
    }

    /// Whether whoever reads the output has simply gone away.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}
