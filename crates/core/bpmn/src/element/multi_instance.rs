//! Activities that are repeated for each item of a collection.

use std::sync::Arc;

use coreto_feel::Expression;
use coreto_xml::NodeId;

use super::process::boolean;
use crate::compile::Draft;
use crate::diagnostic::{Code, Report};
use crate::extension;
use crate::mapping::name_at_head;
use crate::model::ElementNumber;
use crate::tree::Tree;

/// How an activity is repeated. It is an element of its own, around the activity.
#[derive(Clone, Debug)]
pub struct MultiInstance {
    /// The activity that is repeated.
    pub inner: ElementNumber,
    /// Whether the next one begins when one has ended; else all begin at once.
    pub sequential: bool,
    /// The items; must come to a list.
    pub items: Expression,
    /// The variable that the items are, where the expression is nothing else.
    pub variable: Option<Arc<str>>,
    /// The variable that gets the item.
    pub item: Option<Arc<str>>,
    /// What is collected.
    pub output: Option<Output>,
    /// When all is done although items are left; must come to a boolean.
    pub condition: Option<Expression>,
}

/// What is collected of each repetition.
#[derive(Clone, Debug)]
pub struct Output {
    /// The variable that gets the list of results.
    pub collection: Arc<str>,
    /// The result of one repetition.
    pub element: Expression,
    /// The variable that the result is read from, which is null at first, so that it stays inside.
    pub variable: Option<Arc<str>>,
}

/// What the repetition gives the number of the item, from 1.
pub const LOOP_COUNTER: &str = "loopCounter";

/// Something was wrong, which is reported.
pub(crate) struct Refused;

/// How the activity `draft` is repeated; `None` when it is not.
pub(crate) fn repeated(
    tree: &Tree<'_>,
    draft: &Draft<'_>,
    report: &mut Report,
) -> Result<Option<MultiInstance>, Refused> {
    let mut markers = tree.children_named(draft.node, "multiInstanceLoopCharacteristics");
    let Some(marker) = markers.next() else { return Ok(None) };
    if !draft.tag.is_activity() {
        return Ok(None);
    }
    if let Some(second) = markers.next() {
        report.rule(Code::DuplicateExtension, tree.place(second), "a second multi-instance marker");
    }
    if tree.flag(draft.node, "triggeredByEvent") {
        report.rule(
            Code::UnknownElement,
            tree.place(marker),
            "an event subprocess begins when something happens and cannot be repeated",
        );
    }
    read(tree, marker, report).map(Some).ok_or(Refused)
}

fn read(tree: &Tree<'_>, marker: NodeId, report: &mut Report) -> Option<MultiInstance> {
    let place = tree.place(marker);
    for child in tree.children(marker).filter(|child| tree.is_bpmn(*child)) {
        let local = tree.local(child);
        if !matches!(local, "completionCondition" | "extensionElements" | "documentation") {
            let message =
                format!("`{local}` has no effect; `zeebe:loopCharacteristics` says what is repeated");
            report.rule(Code::NoEffect, tree.place(child), message);
        }
    }
    let sequential = boolean(tree, marker, "isSequential", report).unwrap_or(false);
    let condition = tree.children_named(marker, "completionCondition").next();
    let condition = match condition.map(|node| (node, tree.text(node).trim())) {
        Some((node, text)) if !text.is_empty() => {
            Some(extension::expression(tree, node, "a completion condition", text, report)?)
        }
        _ => None,
    };
    let Some(characteristics) = extension::single(tree, marker, "loopCharacteristics", report) else {
        report
            .error(
                Code::TaskDefinitionMissing,
                place,
                "the multi-instance marker does not say what is repeated",
            )
            .help("add `zeebe:loopCharacteristics` with an `inputCollection`");
        return None;
    };
    let named = |name: &str| tree.attribute(characteristics, name).filter(|value| !value.is_empty());
    let Some(items) = named("inputCollection") else {
        let message = "`zeebe:loopCharacteristics` has no `inputCollection`";
        report.error(Code::MissingAttribute, tree.place(characteristics), message);
        return None;
    };
    let items = extension::expression(tree, characteristics, "the input collection", items, report);
    let item: Option<Arc<str>> = named("inputElement").map(Into::into);
    let output = output(tree, characteristics, item.as_deref(), report);
    for name in [item.as_deref(), named("outputCollection")].into_iter().flatten() {
        report.check_name(tree.place(characteristics), "a variable of a multi-instance activity", name);
    }
    let items = items?;
    let variable = name_at_head(items.source()).filter(|name| *name == items.source().trim());
    Some(MultiInstance {
        inner: ElementNumber::PROCESS,
        sequential,
        variable: variable.map(Into::into),
        items,
        item,
        output: output.ok()?,
        condition,
    })
}

/// What is collected, if anything is.
fn output(
    tree: &Tree<'_>,
    characteristics: NodeId,
    item: Option<&str>,
    report: &mut Report,
) -> Result<Option<Output>, Refused> {
    let named = |name: &str| tree.attribute(characteristics, name).filter(|value| !value.is_empty());
    match (named("outputCollection"), named("outputElement")) {
        (None, None) => Ok(None),
        (Some(collection), Some(element)) => {
            let element = extension::expression(tree, characteristics, "the output element", element, report)
                .ok_or(Refused)?;
            let variable = name_at_head(element.source())
                .filter(|name| Some(*name) != item && *name != LOOP_COUNTER)
                .map(Into::into);
            Ok(Some(Output { collection: collection.into(), element, variable }))
        }
        (collection, _) => {
            let missing = if collection.is_some() { "outputElement" } else { "outputCollection" };
            let message = format!("`zeebe:loopCharacteristics` has no `{missing}`");
            report
                .error(Code::MissingAttribute, tree.place(characteristics), message)
                .help("have both `outputCollection` and `outputElement`, or none of them");
            Err(Refused)
        }
    }
}
