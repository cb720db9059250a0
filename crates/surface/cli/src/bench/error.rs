//! Why a measurement could not be made.

use std::io;
use std::path::PathBuf;

use super::http2::Broken;

/// Why a measurement could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not one that can be measured.
    #[error("cannot use `{address}` as an address: {why}")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The scenario is not one for a server.
    #[error("the scenario `{0}` runs with --in-process only")]
    InProcessOnly(&'static str),
    /// Nobody answers there.
    #[error("cannot connect to `{address}`")]
    Connect {
        /// Where to.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// A connection was lost while measuring.
    #[error("lost the connection to `{address}`")]
    Lost {
        /// Where to.
        address: String,
        /// What the socket says.
        source: io::Error,
    },
    /// The server ended a connection or broke the protocol.
    #[error("cannot go on with the connection to `{address}`")]
    Broken {
        /// Where to.
        address: String,
        /// What it did.
        source: Broken,
    },
    /// A call that the measurement rests on was refused.
    #[error("{call} was answered with gRPC status {code}: {message}")]
    Refused {
        /// Name of the call.
        call: &'static str,
        /// Its status code.
        code: u32,
        /// What the server says.
        message: String,
    },
    /// An answer cannot be read.
    #[error("{call} was answered with what is no such message")]
    Unreadable {
        /// Name of the call.
        call: &'static str,
    },
    /// A process cannot be looked at.
    #[error("cannot read what process {pid:?} uses")]
    Usage {
        /// The processes.
        pid: Vec<u32>,
        /// Why not.
        source: io::Error,
    },
    /// Waiting for sockets failed.
    #[error("cannot wait for the sockets")]
    Wait {
        /// Why.
        source: io::Error,
    },
    /// The bare server's file cannot be made.
    #[error("cannot prepare `{path}`")]
    CeilingFile {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The bare server did not start, or could not go on.
    #[error("cannot run the bare server")]
    CeilingStart {
        /// Why.
        source: io::Error,
    },
}
