//! The calls that are answered once, by subject.

pub(crate) mod decision;
pub(crate) mod delete;
pub(crate) mod deploy;
pub(crate) mod incident;
pub(crate) mod instance;
pub(crate) mod job;
pub(crate) mod message;
pub(crate) mod migration;
pub(crate) mod modification;
pub(crate) mod topology;
