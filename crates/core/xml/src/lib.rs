//! Reads well-formed XML with namespaces, and no more of XML than a model needs.
//!
//! **In:** the bytes of a document, and a [`Space`] that tells which namespaces matter.
//! **Out:** a [`Document`] of the elements that matter, or the first place where it is not well-formed; and the form
//! of what is wrong with a model, a [`Diagnostic`].
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
//! `encoding.rs` bytes to text · `reader.rs` text to events · `chars.rs` names, characters and references ·
//! `namespace.rs` prefixes in scope · `document.rs` events to elements · `place.rs` lines, columns and what a message
//! shows of a document · `diagnostic.rs` what is wrong with a model, whatever its kind.

mod chars;
mod diagnostic;
mod document;
mod encoding;
mod namespace;
mod place;
mod reader;

pub use chars::is_ncname;
pub use diagnostic::{Code, Diagnostic, Help, Place, Report, Severity};
pub use document::{Document, NodeId};
pub use encoding::{EncodingError, decode};
pub use namespace::Space;
pub use place::Shown;
pub use reader::{XmlError, XmlErrorKind};
