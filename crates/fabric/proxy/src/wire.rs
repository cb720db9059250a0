//! Messages on connections: the same few calls for HTTP/1 connections and HTTP/2 streams, for clients and upstreams.
//!
//! **In:** sockets; streams of the HTTP/2 library.
//! **Out:** a [`Channel`]: pieces of a body come out of one side and go into the other, with room asked for first.
//!
//! # Invariants
//! - Nothing is read from a side before the other side has room for it: memory per message is bounded.
//! - A body that ends too early is never made to look whole: the other side is aborted.
//! - All of it is polled by the task that owns the connection: no tasks or queues per message.
//!
//! # Where to look
//! `socket.rs` plain or TLS · `connection.rs` HTTP/1 · `stream.rs` HTTP/2 · `write.rs` heads and chunks as bytes ·
//! `guard.rs` floods of frames · `channel.rs` either · `alarm.rs` one timer for all clocks of a task.

mod alarm;
mod channel;
mod connection;
mod guard;
mod socket;
mod stream;
mod write;

pub use alarm::Alarm;
pub use channel::{Broken, Channel, Frame};
pub use connection::Connection;
pub use guard::Watched;
pub use socket::Socket;
pub use stream::Stream;
