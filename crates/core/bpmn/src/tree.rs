//! The part of a document that a model is read from: BPMN and Zeebe elements, in document order.
//!
//! Elements of other namespaces (diagrams, other vendors' extensions) are checked for well-formedness and left out,
//! and so is text but where an expression may stand.

use std::borrow::Cow;

use crate::diagnostic::{Code, Place, Report};
use crate::limits::Limits;
use crate::vocabulary;
use crate::xml::{Event, Reader, Space, XmlError, XmlErrorKind};

/// A node's place in its tree: children follow their parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

impl NodeId {
    /// The next node of the document: the first child where there is one.
    pub(crate) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

struct Node<'a> {
    space: Space,
    local: &'a str,
    offset: u32,
    parent: NodeId,
    /// The first node behind this one's descendants.
    end: u32,
    attributes: std::ops::Range<u32>,
    text: Cow<'a, str>,
}

/// How far up an element is looked for that a diagnostic can name.
const ANCESTORS_MAX: usize = 64;

/// Nodes of one document.
pub(crate) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    attributes: Vec<(&'a str, Cow<'a, str>)>,
}

impl<'a> Tree<'a> {
    pub(crate) const ROOT: NodeId = NodeId(0);

    /// Reads a whole document; `None` when it is not well-formed BPMN, which is reported.
    pub(crate) fn read(text: &'a str, limits: &Limits, report: &mut Report) -> Option<Self> {
        let mut builder = Builder {
            tree: Self { nodes: Vec::with_capacity(text.len() / 100), attributes: Vec::new() },
            open: Vec::with_capacity(16),
            skipped: 0,
        };
        match builder.read(text, limits) {
            Ok(()) => Some(builder.tree),
            Err(Stop::Xml(error)) => {
                report_xml(error, report);
                None
            }
            Err(Stop::TooMany { offset }) => {
                let message = format!("the resource has more than {} elements", limits.nodes_max);
                report.error(Code::LimitExceeded, Place::at(offset), message);
                None
            }
            Err(Stop::NotBpmn { offset, local }) => {
                let message = format!("the root element `{local}` is not `definitions` of BPMN 2.0");
                report
                    .error(Code::NotBpmn, Place::at(offset), message)
                    .help("the namespace is `http://www.omg.org/spec/BPMN/20100524/MODEL`");
                None
            }
        }
    }

    /// All nodes in document order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> + use<'a> {
        (0..count(self.nodes.len())).map(NodeId)
    }

    pub(crate) fn local(&self, id: NodeId) -> &'a str {
        self.node(id).local
    }

    pub(crate) fn is_bpmn(&self, id: NodeId) -> bool {
        self.node(id).space == Space::Bpmn
    }

    pub(crate) fn parent(&self, id: NodeId) -> NodeId {
        self.node(id).parent
    }

    pub(crate) fn end(&self, id: NodeId) -> NodeId {
        NodeId(self.node(id).end)
    }

    /// The text of a node that may hold an expression.
    pub(crate) fn text(&self, id: NodeId) -> &str {
        &self.node(id).text
    }

    /// An attribute of no namespace, as all those of BPMN and Zeebe are.
    pub(crate) fn attribute(&self, id: NodeId, name: &str) -> Option<&str> {
        let range = &self.node(id).attributes;
        let attributes = &self.attributes[range.start as usize..range.end as usize];
        attributes.iter().find(|(local, _)| *local == name).map(|(_, value)| &**value)
    }

    /// Whether a boolean attribute is there and true.
    pub(crate) fn flag(&self, id: NodeId, name: &str) -> bool {
        matches!(self.attribute(id, name).map(str::trim), Some("true" | "1"))
    }

    /// Children in document order.
    pub(crate) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + use<'_, 'a> {
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

    /// BPMN children of one name.
    pub(crate) fn children_named(&self, id: NodeId, name: &str) -> impl Iterator<Item = NodeId> {
        self.children(id).filter(move |child| self.is_bpmn(*child) && self.local(*child) == name)
    }

    /// Zeebe's extension elements of a node.
    pub(crate) fn extensions(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.children_named(id, "extensionElements").flat_map(move |all| self.zeebe_children(all))
    }

    /// Zeebe's children of a node.
    pub(crate) fn zeebe_children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.children(id).filter(move |child| self.node(*child).space == Space::Zeebe)
    }

    /// Where a diagnostic about a node points to.
    pub(crate) fn place(&self, id: NodeId) -> Place<'_> {
        let mut at = id;
        let mut element = None;
        for _ in 0..ANCESTORS_MAX {
            let may_name = self.is_bpmn(at) && !vocabulary::is_part(self.local(at));
            element = self.attribute(at, "id").filter(|id| may_name && !id.is_empty());
            if element.is_some() || at == Self::ROOT {
                break;
            }
            at = self.parent(at);
        }
        Place { element, offset: Some(self.node(id).offset as usize) }
    }

    fn node(&self, id: NodeId) -> &Node<'a> {
        &self.nodes[id.0 as usize]
    }
}

/// Sizes fit, since a text is at most 4 GiB.
fn count(size: usize) -> u32 {
    u32::try_from(size).expect("a text has fewer than 2^32 bytes, and each node and attribute takes some")
}

enum Stop<'a> {
    Xml(XmlError),
    TooMany { offset: usize },
    NotBpmn { offset: usize, local: &'a str },
}

struct Builder<'a> {
    tree: Tree<'a>,
    open: Vec<NodeId>,
    /// Open elements that are left out.
    skipped: usize,
}

impl<'a> Builder<'a> {
    fn read(&mut self, text: &'a str, limits: &Limits) -> Result<(), Stop<'a>> {
        let mut reader = Reader::new(text, limits.depth_max).map_err(Stop::Xml)?;
        // Bound: each event takes some of the text.
        loop {
            match reader.next().map_err(Stop::Xml)? {
                Event::Start { space, local, offset } => {
                    self.start(&mut reader, space, local, offset, limits)?;
                }
                Event::End => self.end(),
                Event::Text(text) => self.text(text),
                Event::Eof => return Ok(()),
            }
        }
    }

    fn start(
        &mut self,
        reader: &mut Reader<'a>,
        space: Space,
        local: &'a str,
        offset: usize,
        limits: &Limits,
    ) -> Result<(), Stop<'a>> {
        if self.tree.nodes.is_empty() && (space != Space::Bpmn || local != "definitions") {
            return Err(Stop::NotBpmn { offset, local });
        }
        if self.skipped > 0 || space == Space::Other {
            self.skipped += 1;
            return Ok(());
        }
        if self.tree.nodes.len() >= limits.nodes_max {
            return Err(Stop::TooMany { offset });
        }
        let first = count(self.tree.attributes.len());
        let plain = reader.attributes().filter(|attribute| attribute.prefix.is_empty());
        self.tree.attributes.extend(plain.map(|attribute| (attribute.local, attribute.value)));
        let id = NodeId(count(self.tree.nodes.len()));
        self.tree.nodes.push(Node {
            space,
            local,
            offset: count(offset),
            parent: self.open.last().copied().unwrap_or(Tree::ROOT),
            end: id.0 + 1,
            attributes: first..count(self.tree.attributes.len()),
            text: Cow::Borrowed(""),
        });
        self.open.push(id);
        Ok(())
    }

    fn end(&mut self) {
        if self.skipped > 0 {
            self.skipped -= 1;
        } else if let Some(id) = self.open.pop() {
            self.tree.nodes[id.0 as usize].end = count(self.tree.nodes.len());
        }
    }

    fn text(&mut self, text: Cow<'a, str>) {
        let Some(id) = self.open.last().filter(|_| self.skipped == 0) else {
            return;
        };
        let node = &mut self.tree.nodes[id.0 as usize];
        if !may_hold_text(node.local) {
            return;
        }
        if node.text.is_empty() {
            node.text = text;
        } else {
            node.text.to_mut().push_str(&text);
        }
    }
}

fn may_hold_text(local: &str) -> bool {
    matches!(
        local,
        "conditionExpression"
            | "condition"
            | "completionCondition"
            | "timeDate"
            | "timeDuration"
            | "timeCycle"
            | "userTaskForm"
    )
}

fn report_xml(error: XmlError, report: &mut Report) {
    let place = Place::at(error.offset);
    match error.kind {
        XmlErrorKind::Malformed(message) => {
            report.error(Code::MalformedXml, place, message);
        }
        XmlErrorKind::DocumentType => {
            report
                .error(Code::DocumentType, place, "a document type is declared")
                .help("remove `<!DOCTYPE …>`; entities are not expanded in models");
        }
        XmlErrorKind::TooDeep { max } => {
            report.error(Code::LimitExceeded, place, format!("elements are nested deeper than {max}"));
        }
        XmlErrorKind::TooMuch { what, max } => {
            report.error(Code::LimitExceeded, place, format!("more than {max} {what}"));
        }
    }
}
