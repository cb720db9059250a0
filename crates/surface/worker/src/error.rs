//! What can go wrong between a client and a server.

use tonic::{Code, Status};

/// Why a call of the client did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not one.
    #[error("cannot use `{address}` as the address of a gateway; write it like `http://127.0.0.1:26500`")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        source: tonic::transport::Error,
    },
    /// The certificates cannot be used.
    #[error("cannot set up TLS for `{address}`")]
    Tls {
        /// Where the client was to connect to.
        address: String,
        /// What is wrong.
        source: tonic::transport::Error,
    },
    /// The text for the `authorization` header holds what a header cannot carry.
    #[error("cannot send the authorization given: it is not visible ASCII")]
    Authorization {
        /// What is wrong with it.
        source: tonic::metadata::errors::InvalidMetadataValue,
    },
    /// Nobody answers there.
    #[error("cannot connect to `{address}`")]
    Connect {
        /// Where the client tried to connect to.
        address: String,
        /// Why it could not.
        source: tonic::transport::Error,
    },
    /// The variables to send are not a JSON object.
    #[error("cannot send these variables: they do not make a JSON object")]
    Variables {
        /// What serde says, if it could not write them at all.
        source: Option<serde_json::Error>,
    },
    /// The variables received do not fit the type that was asked for.
    #[error("cannot read the variables of process instance {process_instance_key}")]
    Result {
        /// The instance that answered.
        process_instance_key: i64,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// The server refused the call, or could not be reached.
    #[error("{call} was answered with {code:?}: {}", .status.message())]
    Refused {
        /// Name of the call.
        call: &'static str,
        /// Its status code.
        code: Code,
        /// All that the server said.
        status: Box<Status>,
    },
}

impl Error {
    pub(crate) fn refused(call: &'static str) -> impl Fn(Status) -> Self {
        move |status| Self::Refused { call, code: status.code(), status: Box::new(status) }
    }

    /// The status code, where a server gave one.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Address { .. }
            | Self::Tls { .. }
            | Self::Authorization { .. }
            | Self::Connect { .. }
            | Self::Variables { .. }
            | Self::Result { .. } => None,
        }
    }
}
