//! A streaming reader of well-formed XML with namespaces, and no more of XML than a model needs.
//!
//! **In:** decoded text.
//! **Out:** start, end and text events that borrow from it; or the first place where it is not well-formed.
//!
//! # Invariants
//! - There is no document type: a declaration of one is an error, so no entity is ever expanded but the five of XML
//!   and numbered characters, and a text never grows.
//! - Nothing recurses; the stack of open elements is on the heap and bounded by the caller's depth.
//! - Time is linear in the text: attributes of one element and namespace declarations in scope are bounded, since
//!   both are searched one by one.
//!
//! Source: Extensible Markup Language 1.0 (fifth edition); Namespaces in XML 1.0 (third edition).
//!
//! # Where to look
//! `reader.rs` events · `chars.rs` names, characters and references · `namespace.rs` prefixes in scope.

mod chars;
mod namespace;
mod reader;

pub(crate) use chars::is_ncname;
pub(crate) use namespace::Space;
pub(crate) use reader::{Event, Reader, XmlError, XmlErrorKind};
