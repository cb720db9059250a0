//! What sets off an event that waits.

use std::sync::Arc;

use coreto_feel::Expression;
use coreto_xml::NodeId;

use crate::compile::{Draft, Drafts};
use crate::diagnostic::{Code, Report, Shown};
use crate::element::definition_nodes;
use crate::extension;
use crate::text::{Text, expression_of};
use crate::timer::{Schedule, Timer, TimerKind};
use crate::tree::Tree;
use crate::vocabulary::Tag;

/// What an event waits for.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// Time.
    Timer(Timer),
    /// An error with this code, or any error.
    Error(Option<Arc<str>>),
    /// A message.
    Message(Message),
    /// A signal, by its name; must come to a string.
    Signal(Text),
}

/// What a message must be like.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its name; must come to a string.
    pub name: Text,
    /// What it must be about; must come to a string or number. `None` where any message will do.
    pub correlation_key: Option<Expression>,
}

impl Trigger {
    /// The value of `bpmnEventType` in records.
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::Timer(_) => "TIMER",
            Self::Error(_) => "ERROR",
            Self::Message(_) => "MESSAGE",
            Self::Signal(_) => "SIGNAL",
        }
    }

    /// Reads the event definition of an event that waits; what is wrong with it is reported.
    pub(super) fn read(
        tree: &Tree<'_>,
        drafts: &Drafts<'_>,
        draft: &Draft<'_>,
        report: &mut Report,
    ) -> Option<Self> {
        let (definition, what) = definition_nodes(tree, draft.node).next()?;
        match what {
            "timer" => timer(tree, definition, report).map(Self::Timer),
            "error" => error(tree, drafts, definition, report),
            "signal" => signal(tree, drafts, definition, report).map(Self::Signal),
            "message" => {
                let starts_instances = draft.tag == Tag::StartEvent && draft.scope == 0;
                message(tree, drafts, definition, !starts_instances, report).map(Self::Message)
            }
            _ => None,
        }
    }
}

/// Reads the name of the signal that an event throws.
pub(super) fn thrown_signal(
    tree: &Tree<'_>,
    drafts: &Drafts<'_>,
    draft: &Draft<'_>,
    report: &mut Report,
) -> Option<Text> {
    let (definition, _) = definition_nodes(tree, draft.node).next()?;
    signal(tree, drafts, definition, report)
}

/// Reads the name of the signal that an event definition refers to.
fn signal(tree: &Tree<'_>, drafts: &Drafts<'_>, node: NodeId, report: &mut Report) -> Option<Text> {
    let root = referenced(tree, drafts, node, ("signalRef", "signal"), report)?;
    name(tree, node, root, "signal", report)
}

/// Reads the message that an element or event definition refers to.
pub(super) fn message(
    tree: &Tree<'_>,
    drafts: &Drafts<'_>,
    node: NodeId,
    correlates: bool,
    report: &mut Report,
) -> Option<Message> {
    let root = referenced(tree, drafts, node, ("messageRef", "message"), report)?;
    let name = name(tree, node, root, "message", report);
    let key = if correlates { correlation_key(tree, root, report).map(Some) } else { Some(None) };
    Some(Message { name: name?, correlation_key: key? })
}

/// The root element that an attribute refers to. A reference that leads nowhere is refused by the rules of deployment.
fn referenced(
    tree: &Tree<'_>,
    drafts: &Drafts<'_>,
    node: NodeId,
    (attribute, element): (&str, &str),
    report: &mut Report,
) -> Option<NodeId> {
    let Some(reference) = tree.attribute(node, attribute).map(str::trim).filter(|id| !id.is_empty()) else {
        report
            .error(Code::MissingAttribute, tree.place(node), format!("it does not say which {element}"))
            .help(format!("refer to it by `{attribute}`"));
        return None;
    };
    drafts.ids.referenced(reference).filter(|found| tree.local(*found) == element)
}

/// The name of a root element, by which what is sent and what waits meet.
fn name(tree: &Tree<'_>, node: NodeId, root: NodeId, element: &str, report: &mut Report) -> Option<Text> {
    let Some(name) = tree.attribute(root, "name").filter(|name| !name.is_empty()) else {
        report.error(Code::MissingAttribute, tree.place(node), format!("the {element} has no `name`"));
        return None;
    };
    let name = extension::attribute_text(tree, root, name, report);
    if let Some(Text::Static(name)) = &name {
        report.check_name(tree.place(root), &format!("the name of the {element}"), name);
        if name.trim().is_empty() {
            report.rule(
                Code::MissingAttribute,
                tree.place(root),
                format!("the `name` of the {element} is blank"),
            );
        }
    }
    name
}

fn correlation_key(tree: &Tree<'_>, message: NodeId, report: &mut Report) -> Option<Expression> {
    let subscription = extension::single(tree, message, "subscription", report);
    let key = subscription.and_then(|node| tree.attribute(node, "correlationKey"));
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        report
            .error(Code::CorrelationKey, tree.place(message), "the message has no correlation key")
            .help("add `zeebe:subscription` with a `correlationKey` to the message");
        return None;
    };
    extension::expression(tree, message, "the correlation key", key, report)
}

fn timer(tree: &Tree<'_>, definition: NodeId, report: &mut Report) -> Option<Timer> {
    let mut all = tree.children(definition).filter(|child| tree.is_bpmn(*child)).filter_map(|child| {
        let kind = match tree.local(child) {
            "timeDate" => TimerKind::Date,
            "timeDuration" => TimerKind::Duration,
            "timeCycle" => TimerKind::Cycle,
            _ => return None,
        };
        Some((child, kind, tree.text(child).trim())).filter(|(.., text)| !text.is_empty())
    });
    // A timer that does not say exactly one of them is refused by the rules of deployment.
    let (Some((node, kind, text)), None) = (all.next(), all.next()) else { return None };
    let text = extension::attribute_text(tree, node, text, report)?;
    if let Text::Static(static_text) = &text
        && Schedule::parse(kind, static_text).is_none()
    {
        let wanted = kind.wanted_of(static_text);
        let message = format!("the {kind} of the timer is `{}`, which is not {wanted}", Shown(static_text));
        report.error(Code::TimerDefinition, tree.place(node), message);
        return None;
    }
    Some(Timer { kind, text })
}

/// The code of the error that is caught; without one, every error is.
fn error(tree: &Tree<'_>, drafts: &Drafts<'_>, definition: NodeId, report: &mut Report) -> Option<Trigger> {
    let Some(code) = error_code(tree, drafts, definition) else { return Some(Trigger::Error(None)) };
    if expression_of(code).is_some() {
        let message = format!("the code of an error that is caught is an expression: `{}`", Shown(code));
        report
            .error(Code::EventDefinition, tree.place(definition), message)
            .help("write the code itself; only a thrown code may be computed");
        return None;
    }
    report.check_name(tree.place(definition), "an error code", code);
    Some(Trigger::Error(Some(code.into())))
}

/// The code of the error that an event definition refers to; `None` when there is none, or an empty one.
pub(crate) fn error_code<'t>(tree: &'t Tree<'_>, drafts: &Drafts<'_>, definition: NodeId) -> Option<&'t str> {
    let error = drafts.ids.referenced(tree.attribute(definition, "errorRef")?)?;
    tree.attribute(error, "errorCode").filter(|code| !code.is_empty())
}
