//! `coreto dmn`: decisions without a server.

pub(crate) mod check;
pub(crate) mod evaluate;
pub(crate) mod files;
