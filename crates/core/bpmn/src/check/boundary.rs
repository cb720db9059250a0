//! How boundary events are attached.

use crate::compile::Drafts;
use crate::diagnostic::{Code, Report};
use crate::element::definitions;
use crate::tree::Tree;
use crate::vocabulary::Tag;

pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    for draft in drafts.all.iter().filter(|draft| draft.tag == Tag::BoundaryEvent) {
        let place = tree.place(draft.node);
        let id = tree.attribute(draft.node, "attachedToRef").map_or("", str::trim);
        // The reference is a qualified name, whose prefix says nothing inside one file.
        let local = id.rsplit(':').next().unwrap_or_default();
        let host = drafts
            .ids
            .get(local)
            .and_then(|node| drafts.index_of(node))
            .map(|index| &drafts.all[index as usize]);
        match host {
            _ if id.is_empty() => {
                report.rule(Code::BoundaryEvent, place, "the boundary event is attached to nothing");
            }
            None => {
                report.rule(
                    Code::UnknownReference,
                    place,
                    format!("`attachedToRef` is `{id}`, which is not in the process"),
                );
            }
            Some(host) if !host.tag.is_activity() || host.scope != draft.scope => {
                let message =
                    format!("the boundary event is attached to `{id}`, which is no activity of its scope");
                report.rule(Code::BoundaryEvent, place, message);
            }
            Some(_) => (),
        }
        if !draft.incoming.is_empty() {
            report.rule(Code::BoundaryEvent, place, "a sequence flow leads to the boundary event");
        }
        let compensates = definitions(tree, draft.node).any(|what| what == "compensation");
        if compensates != draft.outgoing.is_empty() {
            let message = if compensates {
                "a sequence flow leaves the compensation boundary event"
            } else {
                "no sequence flow leaves the boundary event"
            };
            report.rule(Code::BoundaryEvent, place, message);
        }
    }
}
