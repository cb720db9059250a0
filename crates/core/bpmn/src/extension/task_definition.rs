//! `zeebe:taskDefinition`: what job an element creates.

use super::{attribute_text, single};
use coreto_xml::NodeId;

use crate::diagnostic::{Code, Report};
use crate::text::Text;
use crate::tree::Tree;

/// How often a job may be tried when the model does not say.
const RETRIES_DEFAULT: &str = "3";

pub(crate) struct TaskDefinition {
    pub(crate) job_type: Text,
    pub(crate) retries: Text,
}

/// Reads the definition of the job that `node` creates.
pub(crate) fn task_definition(tree: &Tree<'_>, node: NodeId, report: &mut Report) -> Option<TaskDefinition> {
    let Some(definition) = single(tree, node, "taskDefinition", report) else {
        let what = if tree.local(node).ends_with("Event") { "event" } else { "task" };
        let message = format!("the {what} does not say what job it creates");
        report
            .error(Code::TaskDefinitionMissing, tree.place(node), message)
            .help("add `zeebe:taskDefinition` with a `type`");
        return None;
    };
    let retries = tree.attribute(definition, "retries").unwrap_or(RETRIES_DEFAULT);
    let retries = attribute_text(tree, definition, retries, report);
    if let Some(Text::Static(retries)) = &retries
        && retries.parse::<coreto_feel::Number>().is_err()
    {
        let message = format!("retries `{retries}` are not a number; creating the job will fail");
        report.rule(Code::Retries, tree.place(definition), message);
    }
    let Some(job_type) = tree.attribute(definition, "type").filter(|value| !value.is_empty()) else {
        report.error(Code::MissingAttribute, tree.place(definition), "`zeebe:taskDefinition` has no `type`");
        return None;
    };
    let job_type = attribute_text(tree, definition, job_type, report);
    if let Some(Text::Static(job_type)) = &job_type {
        report.check_name(tree.place(definition), "a job type", job_type);
        if job_type.trim().is_empty() {
            report.rule(Code::MissingAttribute, tree.place(definition), "the `type` of the job is blank");
        }
    }
    Some(TaskDefinition { job_type: job_type?, retries: retries? })
}
