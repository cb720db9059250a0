//! What stands inside flow elements.

use crate::compile::Drafts;
use crate::diagnostic::{Code, Report};
use crate::tree::Tree;
use crate::vocabulary::{self, Role, Tag};

/// Checks the children of elements that are built; a refused one is judged when it is.
pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    for draft in drafts.all.iter().filter(|draft| !draft.is_refused && !draft.tag.is_scope()) {
        for child in tree.children(draft.node).filter(|child| tree.is_bpmn(*child)) {
            let local = tree.local(child);
            if !may_contain(draft.tag, local) {
                let message = format!("`{local}` is not an element that may stand in {}", draft.tag.a_noun());
                report.rule(Code::UnknownElement, tree.place(child), message);
            }
        }
    }
}

fn may_contain(tag: Tag, local: &str) -> bool {
    match local {
        "incoming" | "outgoing" => tag != Tag::SequenceFlow,
        "conditionExpression" => tag == Tag::SequenceFlow,
        "eventDefinitionRef" | "dataInput" | "dataOutput" | "inputSet" | "outputSet" => tag.is_event(),
        _ if vocabulary::trigger(local).is_some() => tag.is_event(),
        _ => match vocabulary::role(local) {
            Role::Passive => true,
            Role::Marker => tag.is_activity(),
            Role::Flow(_) | Role::Foreign => false,
        },
    }
}
