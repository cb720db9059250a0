//! `zeebe:calledDecision`: which decision a business rule task evaluates.

use std::sync::Arc;

use coreto_xml::NodeId;

use super::binding::{Binding, binding};
use super::{attribute_text, single};
use crate::diagnostic::{Code, Report};
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
