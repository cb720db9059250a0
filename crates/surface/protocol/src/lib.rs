//! Generated wire types of our own protos.
//!
//! **In:** `proto/gateway.proto` and `proto/inspect.proto`, at build time.
//! **Out:** messages, clients and server traits of the services `gateway_protocol.Gateway` and `coreto.v1.Inspect`.
//!
//! # Invariants
//! - Nothing here is handwritten; conversions live in the crates that need them.
//! - Field numbers of `gateway_protocol` are fixed by the clients in use.
//!
//! # Where to look
//! `proto/` what goes over the wire, with units and meaning · `build.rs` how it becomes Rust.

/// The gateway protocol, which Zeebe and Camunda 8 clients speak.
#[allow(clippy::pedantic, clippy::allow_attributes_without_reason, missing_docs, reason = "generated")]
pub mod gateway {
    tonic::include_proto!("gateway_protocol");
}

/// Reads of a running server.
#[allow(clippy::pedantic, clippy::allow_attributes_without_reason, missing_docs, reason = "generated")]
pub mod inspect {
    tonic::include_proto!("coreto.v1");
}

/// Both files as an encoded `google.protobuf.FileDescriptorSet`, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
