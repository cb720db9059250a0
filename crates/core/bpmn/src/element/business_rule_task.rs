//! Business rule tasks: a decision, or a job for a worker.

use super::{Body, Job, activity};
use crate::compile::Draft;
use crate::diagnostic::{Code, Report};
use crate::extension::{self, CalledDecision};
use crate::model::Kind;
use crate::tree::Tree;

/// Where the rules are.
#[derive(Clone, Debug)]
pub enum Rule {
    /// With a worker, who gets a job.
    Job(Job),
    /// In a decision that was deployed.
    Decision(CalledDecision),
}

pub(super) fn compile(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Option<Body> {
    extension::judge(tree, draft.node, draft.tag, report);
    activity::check(tree, draft, report);
    let mapping = extension::io_mapping(tree, draft.node, report);
    let has = |name: &str| tree.extensions(draft.node).any(|element| tree.local(element) == name);
    let rule = match (has("calledDecision"), has("taskDefinition")) {
        (true, false) => Rule::Decision(extension::called_decision(tree, draft.node, report)?),
        (false, true) => Rule::Job(Job::read(tree, draft.node, report)?),
        (both, _) => {
            let message = if both {
                "the task names a decision and a job; only one of them can be done"
            } else {
                "the task does not say what decides"
            };
            report
                .error(Code::TaskDefinitionMissing, tree.place(draft.node), message)
                .help("have either `zeebe:calledDecision` or `zeebe:taskDefinition`");
            return None;
        }
    };
    Some(Body { kind: Kind::BusinessRuleTask(Box::new(rule)), mapping })
}
