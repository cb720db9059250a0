//! Elements that nothing leads to.

use super::start::is_event_subprocess;
use crate::compile::Drafts;
use crate::diagnostic::{Code, Report};
use crate::element::definitions;
use crate::tree::Tree;
use crate::vocabulary::Tag;

pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    for draft in drafts.all.iter().filter(|draft| draft.incoming.is_empty() && !draft.is_refused) {
        let begins = match draft.tag {
            Tag::Process | Tag::SequenceFlow | Tag::StartEvent | Tag::BoundaryEvent => true,
            Tag::IntermediateCatchEvent => definitions(tree, draft.node).any(|what| what == "link"),
            Tag::SubProcess => is_event_subprocess(tree, draft),
            _ => false,
        };
        let compensates = matches!(tree.attribute(draft.node, "isForCompensation"), Some("true" | "1"));
        let is_ad_hoc = drafts.all[draft.scope as usize].tag == Tag::AdHocSubProcess;
        if !begins && !compensates && !is_ad_hoc {
            let message = format!("nothing leads to the {}; it is never activated", draft.tag.noun());
            report.rule(Code::Unreachable, tree.place(draft.node), message);
        }
    }
}
