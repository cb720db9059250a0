//! Commands that run a part of the program.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod dmn;
pub(crate) mod edge;
pub(crate) mod feel;
pub(crate) mod serve;
