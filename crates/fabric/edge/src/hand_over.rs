//! A gateway hands its sockets over to the one that takes its place, so that no connection is refused between them.
//!
//! **In:** the path of a Unix socket, the same for both.
//! **Out:** the sockets that listen, as [`Taken`] by the successor; the predecessor drained once that serves.
//!
//! The successor greets. The predecessor sends every socket that listens, each in a line with the address that its
//! configuration asks for, and `end`. The successor says `ready` when it serves; then the predecessor drains and says
//! `ending`.
//!
//! # Invariants
//! - At every moment one of the two accepts: the predecessor goes on until it has heard `ready`.
//! - A successor that does not get so far changes nothing.
//! - Who may connect is who may write to the socket's file: its owner alone.

mod offer;
mod taken;
mod wire;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use offer::Offer;
pub(crate) use taken::Taken;

/// Why sockets cannot be handed over.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is something at the path that is not to be connected to.
    #[error("cannot connect to `{path}` to take over from the gateway there")]
    Connect {
        /// The Unix socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is something else than a socket at the path.
    #[error("`{path}` is there and no Unix socket: it is left alone; write another path for the hand-over")]
    Occupied {
        /// What is there.
        path: PathBuf,
    },
    /// The other side broke off, or said something else than it should.
    #[error("cannot take over from the gateway at `{path}`")]
    Broken {
        /// The Unix socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It took too long to get ready; the running gateway goes on.
    #[error("the gateway at `{path}` has waited too long for this one to get ready, and goes on")]
    Late {
        /// The Unix socket.
        path: PathBuf,
    },
    /// Successors cannot be listened for.
    #[error("cannot listen on `{path}` for a gateway that takes over")]
    Offer {
        /// The Unix socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

const GREETING: &str = "coreto edge hand-over 1";
const LISTENER: &str = "listener";
const MANAGEMENT: &str = "management";
const END: &str = "end";
const READY: &str = "ready";
const ENDING: &str = "ending";

/// How long each line may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a successor may take to get ready.
const READY_WITHIN: Duration = Duration::from_mins(1);
