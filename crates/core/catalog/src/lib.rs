//! Decides what a command does to services, their health, keys and sessions.
//!
//! **In:** one [`Command`], the partition's [`State`], and what the shell lends ([`Env`]).
//! **Out:** the events that happened, and follow-up commands; or a [`Rejection`](coreto_record::Rejection).
//!
//! # Invariants
//! - Only appliers change state, and they change it the same way live, in replay and on a replica.
//! - Nothing here reads a clock, a file or a random number; two runs over the same log are bit-equal.
//! - Each fact has a number that grows; a service, a node and a key know the number of their last change, over restarts.
//! - What changes nothing writes no event: telling again what is known is cheap.
//! - Who renews, and when, is not known here: the shell keeps such clocks and tells of transitions.
//!
//! # Where to look
//! `model.rs` what things are · `command.rs` `event.rs` `reply.rs` the vocabulary, numbered by hand · `handler/` what commands do ·
//! `apply/` what events change · `state.rs` tables and how they are read · `topic.rs` what watchers wait for ·
//! `invariant.rs` what always holds.
//!
//! # An instance that is registered and found
//! ```
//! use coreto_catalog::{Catalog, Command, Env, Instance, Node, State};
//! use coreto_catalog::command::{RegisterInstance, RegisterNode};
//! use coreto_machine::{Caller, Channel, Head, Machine, Output, Place, Tables, Tenant, Timestamp, Txn};
//!
//! let mut state = State::create(Place { number: 1, count: 1 });
//! let (mut env, mut out) = (Env::default(), Output::default());
//! let head = Head {
//!     now: Timestamp::from_millis(0),
//!     seed: 1,
//!     caller: Caller::anonymous(Channel::Http),
//!     operation_reference: None,
//!     token: None,
//! };
//! let node = Node { address: "10.0.0.1".into(), ..Node::default() };
//! let instance = Instance { id: "web-1".into(), service: "web".into(), port: 80, ..Instance::default() };
//! for command in [
//!     Command::RegisterNode(RegisterNode { name: "a".into(), node, ..RegisterNode::default() }),
//!     Command::RegisterInstance(RegisterInstance { node: "a".into(), instance, ..RegisterInstance::default() }),
//! ] {
//!     Catalog::handle(&mut Txn::new(&mut state, &mut env, &mut out), &head, &command).expect("nothing is rejected");
//!     state.commit();
//! }
//! let web = (Tenant::DEFAULT, "web".into());
//! assert_eq!(state.instances_of(&web).count(), 1);
//! assert_eq!(state.service_index(&web), 2);
//! ```

mod apply;
mod catalog;
pub mod command;
mod env;
pub mod event;
mod handler;
pub mod invariant;
mod limits;
mod model;
mod query;
mod reply;
mod state;
mod topic;

pub use catalog::Catalog;
pub use command::Command;
pub use env::Env;
pub use event::Event;
pub use limits::Limits;
pub use model::{
    Behavior, Check, CheckKind, Definition, Instance, Node, Pair, Session, Stamp, Status, TaggedAddress,
    Weights,
};
pub use query::{Answer, Query};
pub use reply::{Done, Reply, SessionCreated};
pub use state::{
    CheckEntry, Entry, InstanceEntry, LockDelay, Marks, Name, NodeEntry, Place, Service, SessionEntry, State,
    folded,
};
pub use topic::Subject;
