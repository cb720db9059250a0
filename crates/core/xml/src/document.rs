//! The part of a document that a model is read from: elements of the namespaces that matter, in document order.
//!
//! Elements of other namespaces (diagrams, other vendors' extensions) are checked for well-formedness and left out,
//! and so is text but where it means something.

use std::borrow::Cow;

use crate::namespace::Space;
use crate::reader::{Event, Reader, XmlError, XmlErrorKind};

/// A node's place in its document: children follow their parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// The next node of the document: the first child where there is one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

struct Node<'a, S> {
    space: S,
    local: &'a str,
    offset: u32,
    parent: NodeId,
    /// The first node behind this one's descendants.
    end: u32,
    attributes: std::ops::Range<u32>,
    text: Cow<'a, str>,
}

struct Attribute<'a, S> {
    space: Option<S>,
    local: &'a str,
    value: Cow<'a, str>,
}

/// Nodes of one document.
pub struct Document<'a, S> {
    nodes: Vec<Node<'a, S>>,
    attributes: Vec<Attribute<'a, S>>,
}

impl<'a, S: Space> Document<'a, S> {
    /// The root element.
    pub const ROOT: NodeId = NodeId(0);

    /// Reads a whole text of less than 4 GiB, with elements nested at most so deep, and at most so many that are
    /// kept.
    ///
    /// # Errors
    /// At the first place where the text is not well-formed, begins with the wrong element, or is too much.
    pub fn read(text: &'a str, depth_max: usize, nodes_max: usize) -> Result<Self, XmlError> {
        let mut builder = Builder {
            document: Self { nodes: Vec::with_capacity(text.len() / 100), attributes: Vec::new() },
            open: Vec::with_capacity(16),
            skipped: 0,
            nodes_max,
        };
        builder.read(Reader::new(text, depth_max)?)?;
        Ok(builder.document)
    }

    /// All nodes in document order.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<'a, S> {
        (0..count(self.nodes.len())).map(NodeId)
    }

    /// The name of a node, without a prefix.
    pub fn local(&self, id: NodeId) -> &'a str {
        self.node(id).local
    }

    /// The namespace of a node.
    pub fn space(&self, id: NodeId) -> S {
        self.node(id).space
    }

    /// Where the start tag of a node begins, in bytes of the text.
    pub fn offset(&self, id: NodeId) -> usize {
        self.node(id).offset as usize
    }

    /// The node that a node stands in; the root stands in itself.
    pub fn parent(&self, id: NodeId) -> NodeId {
        self.node(id).parent
    }

    /// The first node behind a node's descendants.
    pub fn end(&self, id: NodeId) -> NodeId {
        NodeId(self.node(id).end)
    }

    /// The text of a node, if its namespace holds it.
    pub fn text(&self, id: NodeId) -> &str {
        &self.node(id).text
    }

    /// An attribute of no namespace.
    pub fn attribute(&self, id: NodeId, name: &str) -> Option<&str> {
        self.find_attribute(id, None, name)
    }

    /// An attribute of a namespace.
    pub fn attribute_of(&self, id: NodeId, space: S, name: &str) -> Option<&str> {
        self.find_attribute(id, Some(space), name)
    }

    fn find_attribute(&self, id: NodeId, space: Option<S>, name: &str) -> Option<&str> {
        let range = &self.node(id).attributes;
        let attributes = &self.attributes[range.start as usize..range.end as usize];
        let found = attributes.iter().find(|attribute| attribute.local == name && attribute.space == space);
        found.map(|attribute| &*attribute.value)
    }

    /// Whether a boolean attribute is there and true.
    pub fn flag(&self, id: NodeId, name: &str) -> bool {
        matches!(self.attribute(id, name).map(str::trim), Some("true" | "1"))
    }

    /// Children in document order.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + use<'_, 'a, S> {
        let end = self.node(id).end;
        let mut next = id.0 + 1;
        std::iter::from_fn(move || {
            let child = NodeId(next);
            (next < end).then(|| {
                next = self.node(child).end;
                child
            })
        })
    }

    /// Children of one namespace and name.
    pub fn children_named(&self, id: NodeId, space: S, name: &str) -> impl Iterator<Item = NodeId> {
        self.children(id).filter(move |child| self.space(*child) == space && self.local(*child) == name)
    }

    fn node(&self, id: NodeId) -> &Node<'a, S> {
        &self.nodes[id.0 as usize]
    }
}

/// Sizes fit, since a text is at most 4 GiB.
fn count(size: usize) -> u32 {
    u32::try_from(size).expect("a text has fewer than 2^32 bytes, and each node and attribute takes some")
}

struct Builder<'a, S> {
    document: Document<'a, S>,
    open: Vec<NodeId>,
    /// Open elements that are left out.
    skipped: usize,
    nodes_max: usize,
}

impl<'a, S: Space> Builder<'a, S> {
    fn read(&mut self, mut reader: Reader<'a, S>) -> Result<(), XmlError> {
        // Bound: each event takes some of the text.
        loop {
            match reader.next()? {
                Event::Start { space, local, offset } => self.start(&mut reader, space, local, offset)?,
                Event::End => self.end(),
                Event::Text(text) => self.text(text),
                Event::Eof => return Ok(()),
            }
        }
    }

    fn start(
        &mut self,
        reader: &mut Reader<'a, S>,
        space: S,
        local: &'a str,
        offset: usize,
    ) -> Result<(), XmlError> {
        if self.document.nodes.is_empty() && !space.is_root(local) {
            return Err(XmlError { offset, kind: XmlErrorKind::Root { local: local.to_owned() } });
        }
        if self.skipped > 0 || !space.is_kept() {
            self.skipped += 1;
            return Ok(());
        }
        if self.document.nodes.len() >= self.nodes_max {
            let kind = XmlErrorKind::TooMuch { what: "elements", max: self.nodes_max };
            return Err(XmlError { offset, kind });
        }
        let first = count(self.document.attributes.len());
        let kept = reader.attributes().filter(|attribute| attribute.space.is_none_or(Space::is_kept));
        self.document.attributes.extend(kept.map(|attribute| Attribute {
            space: attribute.space,
            local: attribute.local,
            value: attribute.value,
        }));
        let id = NodeId(count(self.document.nodes.len()));
        self.document.nodes.push(Node {
            space,
            local,
            offset: count(offset),
            parent: self.open.last().copied().unwrap_or(Document::<S>::ROOT),
            end: id.0 + 1,
            attributes: first..count(self.document.attributes.len()),
            text: Cow::Borrowed(""),
        });
        self.open.push(id);
        Ok(())
    }

    fn end(&mut self) {
        if self.skipped > 0 {
            self.skipped -= 1;
        } else if let Some(id) = self.open.pop() {
            self.document.nodes[id.0 as usize].end = count(self.document.nodes.len());
        }
    }

    fn text(&mut self, text: Cow<'a, str>) {
        let Some(id) = self.open.last().filter(|_| self.skipped == 0) else {
            return;
        };
        let node = &mut self.document.nodes[id.0 as usize];
        if !node.space.holds_text(node.local) {
            return;
        }
        if node.text.is_empty() {
            node.text = text;
        } else {
            node.text.to_mut().push_str(&text);
        }
    }
}
