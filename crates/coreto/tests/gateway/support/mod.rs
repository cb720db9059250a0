//! What the tests stand on.

pub(crate) mod client;
pub(crate) mod load;
pub(crate) mod program;
pub(crate) mod upstream;
