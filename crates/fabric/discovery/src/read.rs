//! JSON of clients as things of the catalog.
//!
//! Names are taken in any case and with or without `_`: clients mix them within one object. What is not known is passed
//! over, as the protocol wants.

mod check;
mod fields;
mod node;
mod service;
mod session;
mod target;

pub(crate) use check::{MAINTENANCE_CHECK, STREAM_CHECK, check, not_reserved, status};
pub(crate) use fields::{Fields, object};
pub(crate) use node::node;
pub(crate) use service::service;
pub(crate) use session::{NODE_CHECK, session};
pub(crate) use target::without_user;
