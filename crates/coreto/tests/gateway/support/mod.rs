//! What the tests stand on.

pub(crate) mod calls;
pub(crate) mod client;
pub(crate) mod kind;
pub(crate) mod load;
pub(crate) mod program;
pub(crate) mod stream;
pub(crate) mod upstream;
pub(crate) mod way;
#[path = "../../../../fabric/proxy/tests/run/websocket.rs"]
pub(crate) mod websocket;
