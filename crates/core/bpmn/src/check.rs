//! Rules that a deployment must keep, also for elements that are not built yet.
//!
//! They are not checked when a model that was accepted before is loaded.

mod boundary;
mod caught;
mod content;
mod flow;
mod gateway;
mod link;
mod reach;
mod reference;
mod start;
mod straight_through;
mod timer;
mod trigger;

use crate::compile::Drafts;
use crate::diagnostic::Report;
use crate::tree::Tree;

/// Checks one process and the subprocesses in it.
pub(crate) fn process(tree: &Tree<'_>, drafts: &Drafts<'_>, report: &mut Report) {
    content::check(tree, drafts, report);
    start::check(tree, drafts, report);
    flow::check(tree, drafts, report);
    gateway::check(tree, drafts, report);
    boundary::check(tree, drafts, report);
    caught::check(tree, drafts, report);
    reference::check(tree, drafts, report);
    timer::check(tree, drafts, report);
    trigger::check(tree, drafts, report);
    link::check(tree, drafts, report);
    reach::check(tree, drafts, report);
    straight_through::check(tree, drafts, report);
}
