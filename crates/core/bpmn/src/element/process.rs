//! What a process says of itself.

use std::sync::Arc;

use coreto_xml::NodeId;

use crate::diagnostic::{Code, Report};
use crate::extension;
use crate::tree::Tree;

/// The version tag of a process; an empty one counts as none.
pub(crate) fn version_tag(tree: &Tree<'_>, process: NodeId, report: &mut Report) -> Option<Arc<str>> {
    let tag = extension::single(tree, process, "versionTag", report)?;
    tree.attribute(tag, "value").filter(|value| !value.is_empty()).map(Into::into)
}

/// A boolean attribute, `None` when it is absent or wrong, which is reported.
pub(crate) fn boolean(tree: &Tree<'_>, node: NodeId, name: &str, report: &mut Report) -> Option<bool> {
    let value = tree.attribute(node, name)?;
    match value.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => {
            let message = format!("attribute `{name}` is `{value}`");
            report.rule(Code::InvalidAttribute, tree.place(node), message).help("write `true` or `false`");
            None
        }
    }
}
