//! What a deterministic state machine is, and how its state is kept.
//!
//! **In:** nothing; every other crate of the core builds on this one.
//! **Out:** [`Machine`] (commands in, events out), [`Txn`] (what a handler may do), tables with undo and
//! change lists ([`table`]), and the durable encoding of commands, events and table values ([`codec`]).
//!
//! # Invariants
//! - Only [`Machine::apply`] sees `&mut State`; handlers read state and emit events.
//! - A transaction that is undone leaves every table, index, cell and the environment as they were.
//! - Nothing here reads a clock, a file, a random number or the environment of the process.
//! - Encodings are numbered by hand: a reader skips fields that it does not know.
//!
//! # Where to look
//! `machine.rs` the trait · `txn.rs` a handler's view · `head.rs` what comes with a command · `time.rs` points in time ·
//! `table/` ordered, hashed, index and cell · `codec/` wire format and the `message!` and `union!` macros.

pub mod codec;
mod fingerprint;
mod head;
mod machine;
pub mod table;
mod time;
mod txn;

pub use codec::{Codec, DecodeError};
pub use fingerprint::Fingerprint;
pub use head::{Caller, Channel, Head, Place, Principal, Tenant, Token};
pub use machine::{Admission, Env, Fault, Handled, Machine, Outcome, Topic};
pub use table::{Cell, Changed, Changes, HashTable, Index, Key, Table, Tables};
pub use time::{Date, Timestamp};
pub use txn::{Output, Sent, Txn};
