//! `bindingType` and `versionTag`: which version of something is meant.

use std::fmt;
use std::sync::Arc;

use coreto_xml::NodeId;

use crate::diagnostic::{Code, Report, Shown};
use crate::tree::Tree;

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

/// Reads which version an extension element means.
pub(super) fn binding(tree: &Tree<'_>, element: NodeId, report: &mut Report) -> Option<Binding> {
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
