//! `zeebe:calledDecision`: which decision a business rule task evaluates.

use std::fmt;
use std::sync::Arc;

use coreto_xml::NodeId;

use super::{attribute_text, single};
use crate::diagnostic::{Code, Report, Shown};
use crate::text::Text;
use crate::tree::Tree;

/// A decision that is evaluated in place.
#[derive(Clone, Debug)]
pub struct CalledDecision {
    /// Its id; must come to a string.
    pub decision: Text,
    /// The variable that gets the result.
    pub result_variable: Arc<str>,
    /// Which of its versions.
    pub binding: Binding,
}

/// Which version of something is meant. It shows itself as what follows the name in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The latest one when it is needed.
    Latest,
    /// The one that was deployed together with the process.
    Deployment,
    /// The latest one with this version tag.
    VersionTag(Arc<str>),
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => Ok(()),
            Self::Deployment => f.write_str(" of the same deployment"),
            Self::VersionTag(tag) => write!(f, " with version tag `{tag}`"),
        }
    }
}

/// Reads the decision that `node` calls.
pub(crate) fn called_decision(tree: &Tree<'_>, node: NodeId, report: &mut Report) -> Option<CalledDecision> {
    let element = single(tree, node, "calledDecision", report)?;
    let mut required = |name: &str| {
        let value = tree.attribute(element, name).filter(|value| !value.is_empty());
        if value.is_none() {
            let message = format!("`zeebe:calledDecision` has no `{name}`");
            report.error(Code::MissingAttribute, tree.place(element), message);
        }
        value
    };
    let (decision, result_variable) = (required("decisionId"), required("resultVariable"));
    report.check_name(tree.place(element), "a result variable", result_variable.unwrap_or_default());
    let binding = binding(tree, element, report);
    let decision = attribute_text(tree, element, decision?, report)?;
    Some(CalledDecision { decision, result_variable: result_variable?.into(), binding: binding? })
}

fn binding(tree: &Tree<'_>, element: NodeId, report: &mut Report) -> Option<Binding> {
    let place = tree.place(element);
    match tree.attribute(element, "bindingType").unwrap_or("latest") {
        "latest" => Some(Binding::Latest),
        "deployment" => Some(Binding::Deployment),
        "versionTag" => {
            let tag = tree.attribute(element, "versionTag").filter(|tag| !tag.trim().is_empty());
            if tag.is_none() {
                report
                    .error(Code::MissingAttribute, place, "the binding needs a `versionTag`")
                    .help("name the tag, or bind to `latest` or `deployment`");
            }
            tag.map(|tag| Binding::VersionTag(tag.into()))
        }
        other => {
            report
                .error(
                    Code::InvalidAttribute,
                    place,
                    format!("attribute `bindingType` is `{}`", Shown(other)),
                )
                .help("write `latest`, `deployment` or `versionTag`");
            None
        }
    }
}
