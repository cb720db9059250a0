//! The part of a document that a model is read from: BPMN and Zeebe elements, in document order.

use std::ops::Deref;

use coreto_xml::{Document, NodeId, XmlError, XmlErrorKind};

use crate::diagnostic::{Code, Place, Report};
use crate::limits::Limits;
use crate::vocabulary;

/// The namespaces that a model is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// BPMN 2.0 model.
    Bpmn,
    /// The extensions of Zeebe and Camunda 8.
    Zeebe,
    /// Any other, or none.
    Other,
}

impl coreto_xml::Space for Space {
    fn of(uri: &str) -> Self {
        match uri {
            "http://www.omg.org/spec/BPMN/20100524/MODEL" => Self::Bpmn,
            "http://camunda.org/schema/zeebe/1.0" => Self::Zeebe,
            _ => Self::Other,
        }
    }

    fn is_root(self, local: &str) -> bool {
        self == Self::Bpmn && local == "definitions"
    }

    fn is_kept(self) -> bool {
        self != Self::Other
    }

    fn holds_text(self, local: &str) -> bool {
        self.is_kept()
            && matches!(
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
}

/// How far up an element is looked for that a diagnostic can name.
const ANCESTORS_MAX: usize = 64;

/// Nodes of one document.
pub(crate) struct Tree<'a>(Document<'a, Space>);

impl<'a> Deref for Tree<'a> {
    type Target = Document<'a, Space>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a> Tree<'a> {
    pub(crate) const ROOT: NodeId = Document::<Space>::ROOT;

    /// Reads a whole document; `None` when it is not well-formed BPMN, which is reported.
    pub(crate) fn read(text: &'a str, limits: &Limits, report: &mut Report) -> Option<Self> {
        match Document::read(text, limits.depth_max, limits.nodes_max) {
            Ok(document) => Some(Self(document)),
            Err(error) => {
                report_xml(&error, report);
                None
            }
        }
    }

    pub(crate) fn is_bpmn(&self, id: NodeId) -> bool {
        self.space(id) == Space::Bpmn
    }

    /// BPMN children of one name.
    pub(crate) fn children_named(&self, id: NodeId, name: &str) -> impl Iterator<Item = NodeId> {
        self.0.children_named(id, Space::Bpmn, name)
    }

    /// Zeebe's extension elements of a node.
    pub(crate) fn extensions(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.children_named(id, "extensionElements").flat_map(move |all| self.zeebe_children(all))
    }

    /// Zeebe's children of a node.
    pub(crate) fn zeebe_children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.children(id).filter(move |child| self.space(*child) == Space::Zeebe)
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
        Place { element, offset: Some(self.offset(id)) }
    }
}

fn report_xml(error: &XmlError, report: &mut Report) {
    let place = Place::at(error.offset);
    match &error.kind {
        XmlErrorKind::Malformed(_) => {
            report.error(Code::MalformedXml, place, error.to_string());
        }
        XmlErrorKind::DocumentType => {
            report
                .error(Code::DocumentType, place, error.to_string())
                .help("remove `<!DOCTYPE …>`; entities are not expanded in models");
        }
        XmlErrorKind::TooDeep { .. } | XmlErrorKind::TooMuch { .. } => {
            report.error(Code::LimitExceeded, place, error.to_string());
        }
        XmlErrorKind::Root { local } => {
            let message = format!("the root element `{local}` is not `definitions` of BPMN 2.0");
            report
                .error(Code::NotBpmn, place, message)
                .help("the namespace is `http://www.omg.org/spec/BPMN/20100524/MODEL`");
        }
    }
}
