//! What sets off an event that waits.

use coreto_xml::NodeId;

use crate::compile::Drafts;
use crate::diagnostic::{Code, Report, Shown};
use crate::element::definition_nodes;
use crate::extension;
use crate::text::Text;
use crate::timer::{Schedule, Timer, TimerKind};
use crate::tree::Tree;

/// What an event waits for.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// Time.
    Timer(Timer),
}

impl Trigger {
    /// The value of `bpmnEventType` in records.
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::Timer(_) => "TIMER",
        }
    }

    /// The timer, if that is what it is.
    pub const fn timer(&self) -> Option<&Timer> {
        match self {
            Self::Timer(timer) => Some(timer),
        }
    }

    /// Whether it is built for what its event definition is called.
    pub(super) fn is_built(what: &str) -> bool {
        matches!(what, "timer")
    }

    /// Reads the event definition of an event that waits; what is wrong with it is reported.
    pub(super) fn read(
        tree: &Tree<'_>,
        _drafts: &Drafts<'_>,
        event: NodeId,
        report: &mut Report,
    ) -> Option<Self> {
        let (definition, what) = definition_nodes(tree, event).next()?;
        match what {
            "timer" => timer(tree, definition, report).map(Self::Timer),
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
