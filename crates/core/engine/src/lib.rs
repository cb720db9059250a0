//! Decides what a command does to running process instances.
//!
//! **In:** one [`Command`](coreto_record::Command), the partition's [`State`], and what the shell lends ([`Env`]).
//! **Out:** the events that happened, follow-up commands, and [`Effect`]s for after the commit; or a
//! [`Rejection`](coreto_record::Rejection).
//!
//! # Invariants
//! - Only appliers change state, and they change it the same way live and in replay.
//! - Nothing here reads a clock, a file or a random number; two runs over the same log are bit-equal.
//! - Every reason to reject a command is found before its first event.
//! - When an instance has ended, nothing of it is left ([`invariant`]).
//! - Work that grows with the number of things is done in bounded pieces by follow-ups.
//!
//! # Where to look
//! `handler/` one file per command · `element/` what each BPMN element does · `apply/` one file per subject of
//! events · `state/` tables · `query/` questions · `subscription/` what waits for something to happen · `variables.rs` scopes and
//! merging · `jobs.rs` handing jobs out ·
//! `sink.rs` streams and parked polls.
//!
//! # A process from its deployment to its end
//! ```
//! use coreto_engine::{Engine, Env, Limits, Sinks, State};
//! use coreto_machine::{Caller, Channel, Head, Machine, Output, Place, Tables, Tenant, Timestamp, Txn};
//! use coreto_record::command::{CreateInstance, Deploy, Resource};
//! use coreto_record::Command;
//!
//! let model = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="shop">
//!   <process id="order" isExecutable="true">
//!     <startEvent id="start"/><sequenceFlow id="flow" sourceRef="start" targetRef="end"/><endEvent id="end"/>
//!   </process>
//! </definitions>"#;
//! let mut state = State::create(Place { number: 1, count: 1 });
//! let mut env = Env::new(Sinks::default().into(), Limits::default(), "UTC".into());
//! let mut out = Output::default();
//! let head = Head {
//!     now: Timestamp::from_millis(0),
//!     seed: 1,
//!     caller: Caller::anonymous(Channel::Grpc),
//!     operation_reference: None,
//!     token: None,
//! };
//!
//! let file = Resource { name: "order.bpmn".into(), content: model.as_bytes().into() };
//! let deploy = Deploy { tenant: Tenant::DEFAULT, resources: vec![file] };
//! let create = CreateInstance { process: "order".into(), ..CreateInstance::default() };
//! for command in [Command::Deploy(deploy), Command::CreateInstance(create)] {
//!     let mut next = Some(command);
//!     while let Some(command) = next {
//!         let mut txn = Txn::new(&mut state, &mut env, &mut out);
//!         Engine::handle(&mut txn, &head, &command).expect("nothing is rejected here");
//!         next = out.follow_ups.pop_front();
//!     }
//!     state.commit();
//! }
//!
//! // Deployed (2), created, the process and its two events from ACTIVATING to COMPLETED (12), one flow.
//! assert_eq!(out.events, 2 + 1 + 12 + 1);
//! ```

mod apply;
mod decision;
mod distribution;
mod element;
mod engine;
mod env;
mod handler;
mod incident;
pub mod invariant;
mod jobs;
mod keys;
mod limits;
mod query;
mod sink;
mod state;
mod subscription;
mod thrown_error;
mod variables;
mod weight;

pub use engine::{Effect, Engine};
pub use env::Env;
pub use jobs::message_bytes;
pub use limits::Limits;
pub use query::{
    Answer, DefinitionFilter, DefinitionView, ElementView, IncidentFilter, IncidentView, InstanceDetails,
    InstanceFilter, InstanceView, JobFilter, JobStateView, JobView, Page, Query, StatusView, VariableView,
};
pub use sink::{SinkKind, SinkSpec, Sinks};
pub use state::{Definition, Requirements, State};
