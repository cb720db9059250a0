//! What sets off an event that waits.

use std::sync::Arc;

use coreto_xml::NodeId;

use crate::compile::Drafts;
use crate::diagnostic::{Code, Report, Shown};
use crate::element::definition_nodes;
use crate::extension;
use crate::text::{Text, expression_of};
use crate::timer::{Schedule, Timer, TimerKind};
use crate::tree::Tree;

/// What an event waits for.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// Time.
    Timer(Timer),
    /// An error with this code, or any error.
    Error(Option<Arc<str>>),
}

impl Trigger {
    /// The value of `bpmnEventType` in records.
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::Timer(_) => "TIMER",
            Self::Error(_) => "ERROR",
        }
    }

    /// The timer, if that is what it is.
    pub const fn timer(&self) -> Option<&Timer> {
        match self {
            Self::Timer(timer) => Some(timer),
            Self::Error(_) => None,
        }
    }

    /// Reads the event definition of an event that waits; what is wrong with it is reported.
    pub(super) fn read(
        tree: &Tree<'_>,
        drafts: &Drafts<'_>,
        event: NodeId,
        report: &mut Report,
    ) -> Option<Self> {
        let (definition, what) = definition_nodes(tree, event).next()?;
        match what {
            "timer" => timer(tree, definition, report).map(Self::Timer),
            "error" => error(tree, drafts, definition, report),
            _ => None,
        }
    }
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
        let message =
            format!("the {kind} of the timer is `{}`, which is not {}", Shown(static_text), kind.wanted());
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
    Some(Trigger::Error(Some(code.into())))
}

/// The code of the error that an event definition refers to; `None` when there is none, or an empty one.
pub(crate) fn error_code<'t>(tree: &'t Tree<'_>, drafts: &Drafts<'_>, definition: NodeId) -> Option<&'t str> {
    let reference = tree.attribute(definition, "errorRef")?.trim();
    // The reference is a qualified name, whose prefix says nothing inside one file.
    let error = drafts.ids.get(reference.rsplit(':').next()?)?;
    tree.attribute(error, "errorCode").filter(|code| !code.is_empty())
}
