//! Which flows a gateway needs.

use crate::compile::{Draft, Drafts};
use crate::diagnostic::{Code, Report, Shown};
use crate::element::{default_id, definitions};
use crate::tree::Tree;
use crate::vocabulary::Tag;

pub(super) fn check(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    for draft in &drafts.all {
        match draft.tag {
            Tag::ExclusiveGateway | Tag::InclusiveGateway => conditional(tree, drafts, draft, report),
            Tag::EventBasedGateway => event_based(tree, drafts, draft, report),
            _ => (),
        }
    }
}

fn conditional(tree: &Tree<'_>, drafts: &Drafts<'_>, gateway: &Draft<'_>, report: &mut Report) {
    let default = default_id(tree, gateway);
    let outgoing = || gateway.outgoing.iter().map(|flow| &drafts.all[*flow as usize]);
    if let Some(default) = default
        && !outgoing().any(|flow| flow.id == default)
    {
        let message = format!("the default flow `{default}` does not leave the gateway");
        report.rule(Code::DefaultFlow, tree.place(gateway.node), message);
    }
    if gateway.outgoing.len() < 2 {
        return;
    }
    for flow in outgoing().filter(|flow| Some(flow.id) != default) {
        if tree.children_named(flow.node, "conditionExpression").next().is_none() {
            let message =
                format!("the flow leaves {} `{}` without a condition", gateway.tag.noun(), Shown(gateway.id));
            report
                .rule(Code::ConditionMissing, tree.place(flow.node), message)
                .help("add a condition, or make it the default flow of the gateway");
        }
    }
}

fn event_based(tree: &Tree<'_>, drafts: &Drafts<'_>, gateway: &Draft<'_>, report: &mut Report) {
    let place = tree.place(gateway.node);
    if gateway.outgoing.len() < 2 {
        report.rule(
            Code::EventBasedGateway,
            place,
            "the event-based gateway needs two outgoing flows or more",
        );
    }
    for flow in &gateway.outgoing {
        let Some((_, target)) = drafts.all[*flow as usize].ends else {
            continue;
        };
        let target = &drafts.all[target as usize];
        let waits = target.tag == Tag::IntermediateCatchEvent
            && definitions(tree, target.node)
                .all(|what| matches!(what, "message" | "timer" | "signal" | "conditional"));
        if !waits {
            let message = format!("the event-based gateway leads to `{}`", Shown(target.id));
            report
                .rule(Code::EventBasedGateway, place, message)
                .help("it may lead to message, timer, signal and conditional intermediate catch events only");
        } else if target.incoming.len() > 1 {
            let message =
                format!("`{}` has another incoming flow beside that of the gateway", Shown(target.id));
            report.rule(Code::EventBasedGateway, place, message);
        }
    }
}
