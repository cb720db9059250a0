//! Suites that run the program.

pub(crate) mod clients;
pub(crate) mod conform;
pub(crate) mod corpus;
pub(crate) mod edge_tools;
pub(crate) mod tck;
