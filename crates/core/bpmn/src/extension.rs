//! Zeebe's extension elements: which are built, refused, or without effect at their place; one file each.

mod binding;
mod called_decision;
mod called_element;
mod header;
mod io_mapping;
mod task_definition;

pub use binding::Binding;
pub use called_decision::CalledDecision;
pub use called_element::CalledElement;

pub(crate) use called_decision::called_decision;
pub(crate) use called_element::called_element;
pub(crate) use header::{headers_json, task_headers};
pub(crate) use io_mapping::{IoMapping, io_mapping};
pub(crate) use task_definition::task_definition;

use coreto_feel::Expression;
use coreto_xml::NodeId;

use crate::diagnostic::{Code, Report, Shown};
use crate::text::{Text, expression_of};
use crate::tree::Tree;
use crate::vocabulary::Tag;

/// What an extension element does at its place.
enum Verdict {
    /// Something that is built, or that a built element may carry without being changed by it.
    Fine,
    /// Something that is not built.
    Refused(&'static str),
    /// Nothing, here.
    NoEffect,
    /// Nothing anywhere.
    Unknown,
}

/// Goes through the extension elements of a node of an executable process.
pub(crate) fn judge(tree: &Tree<'_>, node: NodeId, tag: Tag, report: &mut Report) {
    if !report.checks_rules() {
        return;
    }
    for element in tree.extensions(node) {
        let place = tree.place(element);
        let local = tree.local(element);
        match verdict(tree, element, local, tag) {
            Verdict::Fine => (),
            Verdict::Refused(what) => report.refuse_rule(place, what),
            Verdict::NoEffect => {
                report.rule(
                    Code::NoEffect,
                    place,
                    format!("`zeebe:{local}` has no effect on {}", tag.a_noun()),
                );
            }
            Verdict::Unknown => {
                report.rule(Code::NoEffect, place, format!("`zeebe:{local}` is not known and ignored"));
            }
        }
        if local == "userTaskForm" && tag == Tag::Process && tree.text(element).trim().is_empty() {
            report.rule(Code::EmptyForm, place, "the embedded form has no body");
        }
    }
    for misplaced in tree.zeebe_children(node) {
        let message = format!("`zeebe:{}` stands outside of `extensionElements`", tree.local(misplaced));
        report.rule(Code::MisplacedExtension, tree.place(misplaced), message).help("move it inside");
    }
}

fn verdict(tree: &Tree<'_>, element: NodeId, local: &str, tag: Tag) -> Verdict {
    let is_empty = tree.children(element).next().is_none();
    match (local, tag) {
        ("properties", _)
        | (
            "ioMapping" | "taskDefinition" | "taskHeaders",
            Tag::ServiceTask
            | Tag::BusinessRuleTask
            | Tag::SendTask
            | Tag::ScriptTask
            | Tag::IntermediateThrowEvent
            | Tag::EndEvent,
        )
        | ("script", Tag::ScriptTask)
        | ("calledDecision", Tag::BusinessRuleTask)
        | ("calledElement", Tag::CallActivity)
        // What of it has no effect is said where it is read.
        | (
            "ioMapping",
            Tag::StartEvent
            | Tag::IntermediateCatchEvent
            | Tag::ReceiveTask
            | Tag::BoundaryEvent
            | Tag::SubProcess
            | Tag::CallActivity
            | Tag::Task
            | Tag::ManualTask,
        )
        | ("versionTag" | "userTaskForm", Tag::Process) => Verdict::Fine,
        ("executionListeners" | "taskListeners" | "linkedResources", _) if is_empty => Verdict::Fine,
        ("executionListeners", _) => Verdict::Refused("execution listeners"),
        ("taskListeners", _) => Verdict::Refused("task listeners"),
        ("linkedResources", Tag::ServiceTask) => Verdict::Refused("linked resources"),
        ("formDefinition", Tag::StartEvent) => Verdict::Refused("start form"),
        ("jobPriorityDefinition", Tag::Process | Tag::ServiceTask | Tag::BusinessRuleTask) => Verdict::Refused("job priority"),
        ("agentDefinition", Tag::ServiceTask | Tag::BusinessRuleTask) => Verdict::Refused("agent definition"),
        (
            "taskDefinition" | "ioMapping" | "taskHeaders" | "subscription" | "loopCharacteristics"
            | "calledElement" | "calledDecision" | "script" | "userTask" | "assignmentDefinition"
            | "taskSchedule" | "priorityDefinition" | "formDefinition" | "userTaskForm" | "linkedResources"
            | "versionTag" | "adHoc" | "conditionalFilter" | "jobPriorityDefinition" | "agentDefinition"
            | "publishMessage",
            _,
        ) => Verdict::NoEffect,
        _ => Verdict::Unknown,
    }
}

/// The only extension element of this name; a second one is reported.
pub(crate) fn single(tree: &Tree<'_>, node: NodeId, name: &str, report: &mut Report) -> Option<NodeId> {
    let mut all = tree.extensions(node).filter(|element| tree.local(*element) == name);
    let first = all.next();
    if let Some(second) = all.next() {
        let message = format!("a second `zeebe:{name}`; there may be only one");
        report.rule(Code::DuplicateExtension, tree.place(second), message);
    }
    first
}

/// The value of an attribute, which may be an expression.
pub(crate) fn attribute_text(
    tree: &Tree<'_>,
    node: NodeId,
    value: &str,
    report: &mut Report,
) -> Option<Text> {
    if report.is_too_long(tree.place(node), "an expression", value.len()) {
        return None;
    }
    Text::parse(value).map_err(|error| wrong_expression(tree, node, value, &error, report)).ok()
}

/// A value that must be an expression; what is wrong with it is reported.
pub(crate) fn expression(
    tree: &Tree<'_>,
    node: NodeId,
    what: &str,
    value: &str,
    report: &mut Report,
) -> Option<Expression> {
    match attribute_text(tree, node, value, report)? {
        Text::Expression(expression) => Some(expression),
        Text::Static(text) => {
            let found = if text.is_empty() { "empty" } else { "not an expression" };
            let message = format!("{what} is {found}: `{}`", Shown(&text));
            report.error(Code::ExpressionRequired, tree.place(node), message).help("begin it with `=`");
            None
        }
    }
}

/// Reports an expression that cannot be parsed.
fn wrong_expression(
    tree: &Tree<'_>,
    node: NodeId,
    value: &str,
    error: &coreto_feel::ParseError,
    report: &mut Report,
) {
    let source = expression_of(value).unwrap_or_default();
    report
        .error(
            Code::Expression,
            tree.place(node),
            format!("expression `{}` cannot be parsed: {error}", Shown(value)),
        )
        .help(error.caret(source));
}
