//! Certificates that the gateway orders for itself, and renews (RFC 8555).
//!
//! **In:** the hosts of listeners and the authority of the configuration.
//! **Out:** files with a key and a chain; the plan in force reads them again whenever there is a new one.
//!
//! # Invariants
//! - A file is replaced as a whole, and only by a chain that is for its hosts and fits its key.
//! - What fails is tried again ever later, and what there is stays in use.
//! - Keys are for their owner alone.
//!
//! # Where to look
//! `settings.rs` the keys of `[acme]` · `keeper.rs` when · `order.rs` one order · `client.rs` requests to the authority ·
//! `file.rs` what is kept · `validity.rs` from when to when a certificate is good.

mod client;
mod file;
mod keeper;
mod order;
mod settings;
mod validity;

use std::io;
use std::path::PathBuf;

use coreto_proxy::listen::TlsError;

pub(crate) use file::{orders, prepare};
pub(crate) use keeper::Keeper;
pub(crate) use settings::faults;
pub use settings::{Acme, Check};

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error("cannot use `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The account's file holds none.
    #[error("`{path}` holds no account")]
    Account {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The authority cannot be spoken to safely.
    #[error("cannot speak TLS to the authority")]
    Tls(#[from] TlsError),
    /// The authority refused, or could not be asked.
    #[error("the authority does not give a certificate")]
    Authority(#[from] instant_acme::Error),
    /// The authority does not check hosts in the way that is configured.
    #[error("the authority does not check `{host}` by `{check}`")]
    NoCheck {
        /// The host.
        host: String,
        /// The way.
        check: &'static str,
    },
    /// A host was checked, and not found to be ours.
    #[error("the authority has not found that `{hosts}` is here: {reason}")]
    Unproven {
        /// The hosts of the order.
        hosts: String,
        /// What it says.
        reason: String,
    },
    /// A key or a request for a certificate cannot be made.
    #[error("cannot ask for a certificate")]
    Request(#[from] rcgen::Error),
    /// What came is not what was ordered.
    #[error("what the authority gave is no certificate for these hosts and this key: {0}")]
    Unfit(String),
}
