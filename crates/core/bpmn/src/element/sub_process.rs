//! Embedded subprocesses and event subprocesses. Where they begin is found once all elements are there.

use super::{Body, activity, mapping_only};
use crate::compile::Draft;
use crate::diagnostic::Report;
use crate::model::Kind;
use crate::tree::Tree;

pub(super) fn compile(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Body {
    let mapping = mapping_only(tree, draft, report);
    activity::check(tree, draft, report);
    let kind = if tree.flag(draft.node, "triggeredByEvent") {
        Kind::EventSubProcess { start: None, interrupting: true }
    } else {
        Kind::SubProcess { start: None }
    };
    Body { kind, mapping }
}
