//! Exclusive and parallel gateways.

use super::Body;
use crate::compile::{Draft, Drafts};
use crate::diagnostic::{Code, Report};
use crate::extension::{self, IoMapping};
use crate::model::{ElementNumber, Kind};
use crate::tree::Tree;

/// One way out of several: the first whose condition is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExclusiveGateway {
    /// The flow that is taken when no condition is true; its own condition does not count.
    pub default: Option<ElementNumber>,
}

pub(super) fn exclusive(
    tree: &Tree<'_>,
    drafts: &Drafts<'_>,
    draft: &Draft<'_>,
    report: &mut Report,
) -> Body {
    extension::judge(tree, draft.node, draft.tag, report);
    let default = default_id(tree, draft).and_then(|id| {
        draft.outgoing.iter().copied().find(|flow| drafts.all[*flow as usize].id == id).map(ElementNumber)
    });
    Body { kind: Kind::ExclusiveGateway(ExclusiveGateway { default }), mapping: IoMapping::default() }
}

pub(super) fn parallel(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Body {
    extension::judge(tree, draft.node, draft.tag, report);
    if default_id(tree, draft).is_some() {
        let message = "a default flow has no effect on a parallel gateway; all its flows are taken";
        report.rule(Code::NoEffect, tree.place(draft.node), message);
    }
    Body { kind: Kind::ParallelGateway, mapping: IoMapping::default() }
}

/// The identifier of the default flow, if the gateway names one.
pub(crate) fn default_id<'t>(tree: &'t Tree<'_>, draft: &Draft<'_>) -> Option<&'t str> {
    tree.attribute(draft.node, "default").map(str::trim).filter(|id| !id.is_empty())
}
