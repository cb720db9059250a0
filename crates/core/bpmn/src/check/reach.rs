//! Elements that nothing leads to.

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
            Tag::SubProcess => tree.flag(draft.node, "triggeredByEvent"),
            _ => false,
        };
        let compensates = tree.flag(draft.node, "isForCompensation");
        let is_ad_hoc = drafts.all[draft.scope as usize].tag == Tag::AdHocSubProcess;
        if !begins && !compensates && !is_ad_hoc {
            let message = format!("nothing leads to the {}; it is never activated", draft.tag.noun());
            report.rule(Code::Unreachable, tree.place(draft.node), message);
        }
    }
}
