//! Exclusive, parallel and event-based gateways.

use super::{Body, boolean};
use crate::compile::{Draft, Drafts};
use crate::diagnostic::{Code, Report};
use crate::extension::{self, IoMapping};
use crate::model::{ElementNumber, Kind};
use crate::tree::Tree;
use crate::vocabulary::Tag;

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

pub(super) fn event_based(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Option<Body> {
    extension::judge(tree, draft.node, draft.tag, report);
    if boolean(tree, draft.node, "instantiate", report) == Some(true) {
        report.refuse(tree.place(draft.node), "event-based gateway that starts instances");
        return None;
    }
    Some(Body { kind: Kind::EventBasedGateway, mapping: IoMapping::default() })
}

/// Whether an event-based gateway leads to an element.
pub(super) fn is_behind(drafts: &Drafts<'_>, draft: &Draft<'_>) -> bool {
    let mut sources = draft.incoming.iter().filter_map(|flow| drafts.all[*flow as usize].ends);
    sources.any(|(source, _)| drafts.all[source as usize].tag == Tag::EventBasedGateway)
}

/// The identifier of the default flow, if the gateway names one.
pub(crate) fn default_id<'t>(tree: &'t Tree<'_>, draft: &Draft<'_>) -> Option<&'t str> {
    tree.attribute(draft.node, "default").map(str::trim).filter(|id| !id.is_empty())
}
