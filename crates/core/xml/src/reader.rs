//! Events out of text.

use std::borrow::Cow;
use std::fmt;

use crate::chars::{self, is_blank, is_ncname};
use crate::namespace::{self, Scope, Space};

/// Most attributes of one element, since each is compared with the others.
const ATTRIBUTES_MAX: usize = 256;

/// What the reader came upon.
#[derive(Debug)]
pub(crate) enum Event<'a, S> {
    /// A start tag; its attributes are [`Reader::attributes`] until the next event.
    Start { space: S, local: &'a str, offset: usize },
    /// The end of the innermost open element.
    End,
    /// Text between tags, in one or several pieces.
    Text(Cow<'a, str>),
    /// The end of a document whose elements are all closed.
    Eof,
}

/// An attribute that is not a namespace declaration.
#[derive(Debug)]
pub(crate) struct Attribute<'a, S> {
    /// Empty for an attribute of no namespace.
    prefix: &'a str,
    /// Its namespace, if it has one.
    pub(crate) space: Option<S>,
    pub(crate) local: &'a str,
    pub(crate) value: Cow<'a, str>,
}

/// Where and how a document cannot be read.
#[derive(Debug)]
pub struct XmlError {
    /// In bytes of the text.
    pub offset: usize,
    /// What is the matter there.
    pub kind: XmlErrorKind,
}

/// What kind of trouble an [`XmlError`] is, for the codes of diagnostics.
#[derive(Debug)]
pub enum XmlErrorKind {
    /// It is not well-formed, and why.
    Malformed(String),
    /// A document type is declared.
    DocumentType,
    /// Elements are nested deeper than allowed.
    TooDeep {
        /// How deep they may be.
        max: usize,
    },
    /// There is more of something than allowed.
    TooMuch {
        /// Of what, in the plural.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
    /// The root element is none of this kind of document.
    Root {
        /// Its name without a prefix.
        local: String,
    },
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            XmlErrorKind::Malformed(message) => f.write_str(message),
            XmlErrorKind::DocumentType => f.write_str("a document type is declared"),
            XmlErrorKind::TooDeep { max } => write!(f, "elements are nested deeper than {max}"),
            XmlErrorKind::TooMuch { what, max } => write!(f, "more than {max} {what}"),
            XmlErrorKind::Root { local } => write!(f, "the root element is `{local}`"),
        }
    }
}

impl std::error::Error for XmlError {}

struct Open<'a> {
    name: &'a str,
    offset: usize,
    bindings: usize,
}

/// Reads one document from its start to its end.
pub(crate) struct Reader<'a, S> {
    text: &'a str,
    at: usize,
    open: Vec<Open<'a>>,
    scope: Scope<S>,
    attributes: Vec<Attribute<'a, S>>,
    depth_max: usize,
    end_is_due: bool,
    had_root: bool,
}

type Result<T> = std::result::Result<T, XmlError>;

fn malformed<T>(offset: usize, message: impl Into<String>) -> Result<T> {
    Err(XmlError { offset, kind: XmlErrorKind::Malformed(message.into()) })
}

impl<'a, S: Space> Reader<'a, S> {
    /// A reader at the start of `text`; elements nested deeper than `depth_max` are an error.
    pub(crate) fn new(text: &'a str, depth_max: usize) -> Result<Self> {
        if let Some(offset) = chars::forbidden(text) {
            return malformed(offset, "a character that XML does not allow");
        }
        let mut reader = Self {
            text,
            at: 0,
            open: Vec::with_capacity(16),
            scope: Scope::new(),
            attributes: Vec::with_capacity(8),
            depth_max,
            end_is_due: false,
            had_root: false,
        };
        reader.declaration()?;
        Ok(reader)
    }

    /// Attributes of the element whose start was the last event.
    pub(crate) fn attributes(&mut self) -> std::vec::Drain<'_, Attribute<'a, S>> {
        self.attributes.drain(..)
    }

    /// The next event. After an error there is no more.
    pub(crate) fn next(&mut self) -> Result<Event<'a, S>> {
        if self.end_is_due {
            self.end_is_due = false;
            self.leave();
            return Ok(Event::End);
        }
        // Bound: every turn moves `at` forward.
        loop {
            let rest = self.rest();
            let Some(first) = rest.bytes().next() else {
                return self.end_of_document();
            };
            if first != b'<' {
                if let Some(text) = self.text()? {
                    return Ok(Event::Text(text));
                }
            } else if rest.starts_with("</") {
                return self.end_tag();
            } else if let Some(inside) = rest.strip_prefix("<!--") {
                self.comment(inside)?;
            } else if let Some(inside) = rest.strip_prefix("<![CDATA[") {
                return self.cdata(inside);
            } else if rest.starts_with("<!") {
                return self.markup_declaration();
            } else if rest.starts_with("<?") {
                self.processing_instruction()?;
            } else {
                return self.start_tag();
            }
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn declaration(&mut self) -> Result<()> {
        let Some(inside) = self.text.strip_prefix("<?xml") else {
            return Ok(());
        };
        if !inside.bytes().next().is_some_and(is_blank) {
            return Ok(());
        }
        let Some(end) = inside.find("?>") else {
            return malformed(0, "the XML declaration has no end");
        };
        let version = inside[..end].trim_start().strip_prefix("version");
        if !version.is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return malformed(0, "the XML declaration names no version");
        }
        self.at = 5 + end + 2;
        Ok(())
    }

    fn end_of_document(&self) -> Result<Event<'a, S>> {
        match self.open.last() {
            Some(open) => malformed(open.offset, format!("element `{}` is never closed", open.name)),
            None if self.had_root => Ok(Event::Eof),
            None => malformed(self.at, "the document has no element"),
        }
    }

    fn text(&mut self) -> Result<Option<Cow<'a, str>>> {
        let rest = self.rest();
        let raw = &rest[..rest.find('<').unwrap_or(rest.len())];
        let start = self.at;
        self.at += raw.len();
        if self.open.is_empty() {
            return match raw.bytes().position(|byte| !is_blank(byte)) {
                None => Ok(None),
                Some(at) => malformed(start + at, "text outside of the root element"),
            };
        }
        match chars::content(raw) {
            Ok(text) => Ok(Some(text)),
            Err(at) => malformed(start + at, bad_reference(&raw[at..])),
        }
    }

    fn comment(&mut self, inside: &str) -> Result<()> {
        let Some(end) = inside.find("--") else {
            return malformed(self.at, "a comment has no end");
        };
        if !inside[end..].starts_with("-->") {
            return malformed(self.at + 4 + end, "`--` inside a comment");
        }
        self.at += 4 + end + 3;
        Ok(())
    }

    fn cdata(&mut self, inside: &'a str) -> Result<Event<'a, S>> {
        if self.open.is_empty() {
            return malformed(self.at, "text outside of the root element");
        }
        let Some(end) = inside.find("]]>") else {
            return malformed(self.at, "a CDATA section has no end");
        };
        self.at += 9 + end + 3;
        Ok(Event::Text(chars::verbatim(&inside[..end])))
    }

    fn markup_declaration<T>(&self) -> Result<T> {
        if self.rest().starts_with("<!DOCTYPE") {
            return Err(XmlError { offset: self.at, kind: XmlErrorKind::DocumentType });
        }
        malformed(self.at, "`<!` begins neither a comment nor a CDATA section")
    }

    fn processing_instruction(&mut self) -> Result<()> {
        let inside = &self.rest()[2..];
        let Some(end) = inside.find("?>") else {
            return malformed(self.at, "a processing instruction has no end");
        };
        let target = inside[..end].split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
        if target.eq_ignore_ascii_case("xml") {
            return malformed(self.at, "an XML declaration that is not at the start of the document");
        }
        if !is_ncname(target) {
            return malformed(self.at, "a processing instruction without a name");
        }
        self.at += 2 + end + 2;
        Ok(())
    }

    fn end_tag(&mut self) -> Result<Event<'a, S>> {
        let offset = self.at;
        self.at += 2;
        let name = self.name();
        self.blanks();
        let Some(open) = self.open.last() else {
            return malformed(offset, format!("end tag `{name}` closes nothing"));
        };
        if open.name != name {
            return malformed(offset, format!("end tag `{name}` where `{}` is open", open.name));
        }
        if !self.rest().starts_with('>') {
            return malformed(self.at, format!("end tag `{name}` is not closed by `>`"));
        }
        self.at += 1;
        self.leave();
        Ok(Event::End)
    }

    fn leave(&mut self) {
        if let Some(open) = self.open.pop() {
            self.scope.leave(open.bindings);
        }
    }

    fn start_tag(&mut self) -> Result<Event<'a, S>> {
        let offset = self.at;
        if self.open.is_empty() && self.had_root {
            return malformed(offset, "a second root element");
        }
        if self.open.len() >= self.depth_max {
            return Err(XmlError { offset, kind: XmlErrorKind::TooDeep { max: self.depth_max } });
        }
        self.at += 1;
        let name = self.name();
        let (prefix, local) = split(name, offset)?;
        let bindings = self.scope.len();
        self.open.push(Open { name, offset, bindings });
        self.had_root = true;
        self.read_attributes(name)?;
        self.check_attributes(offset)?;
        self.find_spaces();
        let Some(space) = self.scope.space(prefix) else {
            return malformed(offset, format!("no namespace is declared for prefix `{prefix}`"));
        };
        Ok(Event::Start { space, local, offset })
    }

    fn read_attributes(&mut self, element: &str) -> Result<()> {
        self.attributes.clear();
        let first = self.scope.len();
        // Bound: every turn takes an attribute from the text, or ends.
        loop {
            let blank = self.blanks();
            let rest = self.rest();
            if rest.starts_with('>') {
                self.at += 1;
                return Ok(());
            }
            if rest.starts_with("/>") {
                self.at += 2;
                self.end_is_due = true;
                return Ok(());
            }
            if rest.is_empty() {
                return malformed(self.at, format!("start tag `{element}` has no end"));
            }
            if !blank {
                return malformed(self.at, format!("start tag `{element}` goes on without a blank"));
            }
            self.attribute(element, first)?;
        }
    }

    fn attribute(&mut self, element: &str, first_binding: usize) -> Result<()> {
        let offset = self.at;
        let name = self.name();
        let (prefix, local) = split(name, offset)?;
        self.blanks();
        if !self.rest().starts_with('=') {
            return malformed(offset, format!("attribute `{name}` of `{element}` has no value"));
        }
        self.at += 1;
        self.blanks();
        let value = self.attribute_value(name)?;
        if name == "xmlns" {
            return self.declare("", &value, offset, first_binding);
        }
        if prefix == "xmlns" {
            return self.declare(local, &value, offset, first_binding);
        }
        if self.attributes.len() >= ATTRIBUTES_MAX {
            let kind = XmlErrorKind::TooMuch { what: "attributes of one element", max: ATTRIBUTES_MAX };
            return Err(XmlError { offset, kind });
        }
        self.attributes.push(Attribute { prefix, space: None, local, value });
        Ok(())
    }

    fn attribute_value(&mut self, name: &str) -> Result<Cow<'a, str>> {
        let rest = self.rest();
        let quote = rest.chars().next().unwrap_or_default();
        if !matches!(quote, '"' | '\'') {
            return malformed(self.at, format!("the value of attribute `{name}` is not in quotes"));
        }
        let Some(length) = rest[1..].find(quote) else {
            return malformed(self.at, format!("the value of attribute `{name}` has no end"));
        };
        let raw = &rest[1..=length];
        if let Some(at) = raw.find('<') {
            return malformed(self.at + 1 + at, format!("`<` in the value of attribute `{name}`"));
        }
        let start = self.at + 1;
        self.at = start + length + 1;
        chars::attribute(raw).or_else(|at| malformed(start + at, bad_reference(&raw[at..])))
    }

    fn declare(&mut self, prefix: &str, uri: &str, offset: usize, first: usize) -> Result<()> {
        let is_xml = uri == "http://www.w3.org/XML/1998/namespace";
        if prefix == "xmlns" || (prefix == "xml") != is_xml || (uri.is_empty() && !prefix.is_empty()) {
            return malformed(offset, format!("prefix `{prefix}` cannot stand for namespace `{uri}`"));
        }
        if self.scope.declares(prefix, first) {
            return malformed(offset, format!("prefix `{prefix}` is declared twice"));
        }
        if self.scope.len() >= namespace::BINDINGS_MAX {
            let kind = XmlErrorKind::TooMuch {
                what: "namespace declarations in scope",
                max: namespace::BINDINGS_MAX,
            };
            return Err(XmlError { offset, kind });
        }
        self.scope.declare(prefix, uri);
        Ok(())
    }

    fn check_attributes(&self, offset: usize) -> Result<()> {
        for (index, attribute) in self.attributes.iter().enumerate() {
            let mut uri = None;
            if !attribute.prefix.is_empty() {
                uri = self.scope.uri(attribute.prefix);
                if uri.is_none() {
                    let prefix = attribute.prefix;
                    return malformed(offset, format!("no namespace is declared for prefix `{prefix}`"));
                }
            }
            let same = |other: &&Attribute<'_, S>| {
                other.local == attribute.local
                    && (other.prefix == attribute.prefix
                        || (!other.prefix.is_empty() && uri.is_some() && self.scope.uri(other.prefix) == uri))
            };
            if self.attributes[..index].iter().any(|other| same(&other)) {
                return malformed(offset, format!("attribute `{}` is given twice", attribute.local));
            }
        }
        Ok(())
    }

    fn find_spaces(&mut self) {
        for attribute in self.attributes.iter_mut().filter(|attribute| !attribute.prefix.is_empty()) {
            attribute.space = self.scope.space(attribute.prefix);
        }
    }

    /// Takes what may be a name; whether it is one is for the caller.
    fn name(&mut self) -> &'a str {
        let rest = self.rest();
        let ends = |byte: u8| is_blank(byte) || matches!(byte, b'/' | b'>' | b'=' | b'<' | b'"' | b'\'');
        let name = &rest[..rest.bytes().position(ends).unwrap_or(rest.len())];
        self.at += name.len();
        name
    }

    /// Skips blanks; whether there were any.
    fn blanks(&mut self) -> bool {
        let count = self.rest().bytes().take_while(|byte| is_blank(*byte)).count();
        self.at += count;
        count > 0
    }
}

fn bad_reference(text: &str) -> String {
    if text.starts_with("]]>") {
        return "`]]>` in text".to_owned();
    }
    let shown: String = text.chars().take(16).take_while(|c| !c.is_whitespace()).collect();
    format!("`{shown}` is no reference to a character; write `&amp;` for `&`")
}

fn split(name: &str, offset: usize) -> Result<(&str, &str)> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    if !is_ncname(local) || (name.contains(':') && !is_ncname(prefix)) {
        let shown: String = name.chars().take(64).collect();
        return malformed(offset, format!("`{shown}` is not a name"));
    }
    Ok((prefix, local))
}
