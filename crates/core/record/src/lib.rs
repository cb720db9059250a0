//! The engine's vocabulary: keys, documents, commands, events, rejections and replies, with their durable encoding.
//!
//! **In:** nothing but `machine`'s codec.
//! **Out:** [`Command`] (a wish), [`Event`] (a fact), [`Rejection`] (a wish that was not granted), [`Reply`],
//! the keys and names that they speak of, and the numbers and names of Zeebe's record protocol ([`protocol`]).
//!
//! # Invariants
//! - Numbers of fields, variants and intents are given by hand and never used for anything else again.
//! - An event carries all that its exported record needs and that is not in an immutable definition.
//! - A [`Document`] is well-formed JSON without blanks outside strings and without doubled names.
//! - "Not set" is `Option` or an empty text here; the wire's −1 stays with the surfaces.
//!
//! # Where to look
//! `key.rs` the list of keys · `document/` JSON from clients · `command/` `event/` one file a subject ·
//! `rejection.rs` `reply.rs` · `protocol.rs` value types and intents as exported.

pub mod command;
pub mod document;
pub mod event;
mod incident;
mod key;
mod lifecycle;
pub mod protocol;
mod rejection;
pub mod reply;

pub use command::Command;
pub use document::{Document, DocumentError};
pub use event::Event;
pub use incident::IncidentKind;
pub use key::{
    DecisionKey, DecisionRequirementsKey, DeploymentKey, ElementInstanceKey, ElementNumber, FlowKey,
    IncidentKey, JobKey, Key, MessageKey, ProcessDefinitionKey, ProcessInstanceKey, SignalKey,
    SubscriptionKey, TimerKey, VariableKey, partition_of, partition_of_key, partition_of_text,
};
pub use lifecycle::Lifecycle;
pub use rejection::{Rejection, RejectionKind};
pub use reply::{ActivatedJob, DeployedDecision, DeployedProcess, DeployedRequirements, Reply};
