//! `zeebe:calledElement`: which process a call activity starts, and which variables go there and back.

use coreto_xml::NodeId;

use super::binding::{Binding, binding};
use super::{attribute_text, single};
use crate::diagnostic::{Code, Report};
use crate::element::boolean;
use crate::text::Text;
use crate::tree::Tree;

/// A process that runs as an instance of its own.
#[derive(Clone, Debug)]
pub struct CalledElement {
    /// Its id; must come to a string.
    pub process: Text,
    /// Which of its versions.
    pub binding: Binding,
    /// Whether it gets all variables that are visible; else those that input mappings make.
    pub takes_all: bool,
    /// Whether all of its variables come back; else those that output mappings take.
    pub gives_all: bool,
}

/// Reads the process that `node` calls.
pub(crate) fn called_element(tree: &Tree<'_>, node: NodeId, report: &mut Report) -> Option<CalledElement> {
    let Some(element) = single(tree, node, "calledElement", report) else {
        report
            .error(
                Code::TaskDefinitionMissing,
                tree.place(node),
                "the call activity does not say which process it calls",
            )
            .help("add `zeebe:calledElement` with a `processId`");
        return None;
    };
    let binding = binding(tree, element, report);
    let mut flag = |name: &str| boolean(tree, element, name, report).unwrap_or(true);
    let (takes_all, gives_all) = (flag("propagateAllParentVariables"), flag("propagateAllChildVariables"));
    if tree.attribute(element, "businessId").is_some() {
        report.refuse_rule(tree.place(element), "business id");
    }
    let Some(process) = tree.attribute(element, "processId").filter(|value| !value.is_empty()) else {
        report.error(Code::MissingAttribute, tree.place(element), "`zeebe:calledElement` has no `processId`");
        return None;
    };
    let process = attribute_text(tree, element, process, report)?;
    Some(CalledElement { process, binding: binding?, takes_all, gives_all })
}
