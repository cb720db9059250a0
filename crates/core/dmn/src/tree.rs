//! The part of a document that a model is read from: DMN elements of any version, and Zeebe's extensions.

use std::ops::Deref;

use coreto_xml::{Document, NodeId, XmlError, XmlErrorKind};

use crate::diagnostic::{Code, Place, Report};
use crate::limits::Limits;

/// The namespaces that a model is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// DMN 1.1 to 1.5; what one of them has and another lacks is read in all.
    Dmn,
    /// The extensions of Zeebe and Camunda 8.
    Zeebe,
    /// The extensions of Camunda for DMN.
    Camunda,
    /// Any other, or none.
    Other,
}

/// Namespaces of the models of DMN 1.1 (which tools wrote in three ways), 1.2, 1.3, 1.4 and 1.5.
const DMN: [&str; 7] = [
    "http://www.omg.org/spec/DMN/20151101",
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20151101/dmn11.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
];

/// Whether a URI names the language of a DMN model of any version.
pub(crate) fn is_dmn(uri: &str) -> bool {
    DMN.contains(&uri)
}

impl coreto_xml::Space for Space {
    fn of(uri: &str) -> Self {
        match uri {
            "http://camunda.org/schema/zeebe/1.0" => Self::Zeebe,
            "http://camunda.org/schema/1.0/dmn" => Self::Camunda,
            _ if is_dmn(uri) => Self::Dmn,
            _ => Self::Other,
        }
    }

    fn is_root(self, local: &str) -> bool {
        self == Self::Dmn && local == "definitions"
    }

    fn is_kept(self) -> bool {
        self != Self::Other
    }

    fn holds_text(self, local: &str) -> bool {
        self == Self::Dmn && matches!(local, "text" | "typeRef")
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

    /// Reads a whole document; `None` when it is not well-formed DMN, which is reported.
    pub(crate) fn read(text: &'a str, limits: &Limits, report: &mut Report) -> Option<Self> {
        match Document::read(text, limits.depth_max, limits.nodes_max) {
            Ok(document) => Some(Self(document)),
            Err(error) => {
                report_xml(&error, report);
                None
            }
        }
    }

    /// DMN children in document order.
    pub(crate) fn parts(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.children(id).filter(|child| self.space(*child) == Space::Dmn)
    }

    /// DMN children of one name.
    pub(crate) fn all<'t>(
        &'t self,
        id: NodeId,
        name: &'static str,
    ) -> impl Iterator<Item = NodeId> + use<'t, 'a> {
        self.children(id).filter(move |child| self.space(*child) == Space::Dmn && self.local(*child) == name)
    }

    /// The first DMN child of one name.
    pub(crate) fn one(&self, id: NodeId, name: &'static str) -> Option<NodeId> {
        self.all(id, name).next()
    }

    /// The text of the first DMN child of one name, without blanks around it.
    pub(crate) fn text_of(&self, id: NodeId, name: &'static str) -> Option<&str> {
        self.one(id, name).map(|child| self.text(child).trim())
    }

    /// An attribute that is there and not empty.
    pub(crate) fn filled(&self, id: NodeId, name: &str) -> Option<&str> {
        self.attribute(id, name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// Where a diagnostic about a node points to.
    pub(crate) fn place(&self, id: NodeId) -> Place<'_> {
        let mut at = id;
        let mut element = None;
        for _ in 0..ANCESTORS_MAX {
            element = self.filled(at, "id").or_else(|| self.filled(at, "name"));
            if is_named(self.local(at)) && element.is_some() || at == Self::ROOT {
                break;
            }
            element = None;
            at = self.parent(at);
        }
        Place { element, offset: Some(self.offset(id)) }
    }
}

/// Elements that people know by their identifiers.
fn is_named(local: &str) -> bool {
    matches!(
        local,
        "decision" | "inputData" | "businessKnowledgeModel" | "decisionService" | "itemDefinition" | "rule"
    )
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
            let message = format!("the root element `{local}` is not `definitions` of DMN 1.1 to 1.5");
            let help = format!("the namespace of DMN 1.3 is `{}`", DMN[4]);
            report.error(Code::NotDmn, place, message).help(help);
        }
    }
}
