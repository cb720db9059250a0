//! Suites that run the program.

pub(crate) mod clients;
pub(crate) mod conform;
pub(crate) mod corpus;
pub(crate) mod tck;
