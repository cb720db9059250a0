//! Script tasks: an expression that is evaluated in place, or a job for a worker.

use std::sync::Arc;

use coreto_feel::Expression;

use super::{Body, Job, activity};
use crate::compile::Draft;
use crate::diagnostic::{Code, Report};
use crate::extension;
use crate::model::Kind;
use crate::tree::Tree;

/// What a script task runs.
#[derive(Clone, Debug)]
pub enum Script {
    /// What a worker makes of a job.
    Job(Job),
    /// An expression.
    Expression {
        /// What is evaluated.
        expression: Expression,
        /// The variable that gets the result.
        result_variable: Arc<str>,
    },
}

pub(super) fn compile(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Option<Body> {
    extension::judge(tree, draft.node, draft.tag, report);
    activity::check(tree, draft, report);
    let mapping = extension::io_mapping(tree, draft.node, report);
    let has = |name: &str| tree.extensions(draft.node).any(|element| tree.local(element) == name);
    let script = match (has("script"), has("taskDefinition")) {
        (true, false) => expression(tree, draft, report)?,
        (false, true) => Script::Job(Job::read(tree, draft.node, report)?),
        (both, _) => {
            let message = if both {
                "the task has a script and a job; only one of them can be done"
            } else {
                "the task does not say what it runs"
            };
            report
                .error(Code::TaskDefinitionMissing, tree.place(draft.node), message)
                .help("have either `zeebe:script` or `zeebe:taskDefinition`");
            return None;
        }
    };
    Some(Body { kind: Kind::ScriptTask(Box::new(script)), mapping })
}

fn expression(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> Option<Script> {
    let element = extension::single(tree, draft.node, "script", report)?;
    let result = tree.attribute(element, "resultVariable").filter(|name| !name.is_empty());
    if result.is_none() {
        report.error(Code::MissingAttribute, tree.place(element), "`zeebe:script` has no `resultVariable`");
    }
    let value = tree.attribute(element, "expression").unwrap_or_default();
    let expression = extension::expression(tree, element, "the script", value, report)?;
    Some(Script::Expression { expression, result_variable: result?.into() })
}
