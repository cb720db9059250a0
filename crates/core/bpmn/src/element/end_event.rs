//! End events.

use super::{Body, Job, event, mapping_only, trigger};
use crate::compile::{Draft, Drafts};
use crate::diagnostic::{Code, Report};
use crate::element::{definition_nodes, error_code};
use crate::extension;
use crate::model::Kind;
use crate::text::Text;
use crate::tree::Tree;

/// What happens where a token's way ends.
#[derive(Clone, Debug)]
pub enum EndEvent {
    /// Nothing more.
    None,
    /// Everything else in its scope ends.
    Terminate,
    /// A message, which a worker sends.
    Message(Box<Job>),
    /// A signal, by its name; must come to a string.
    Signal(Box<Text>),
    /// An error is thrown; its code must come to a string.
    Error(Box<Text>),
}

impl EndEvent {
    /// The value of `bpmnEventType` in records.
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Terminate => "TERMINATE",
            Self::Message(_) => "MESSAGE",
            Self::Signal(_) => "SIGNAL",
            Self::Error(_) => "ERROR",
        }
    }
}

pub(super) fn compile(
    tree: &Tree<'_>,
    drafts: &Drafts<'_>,
    draft: &Draft<'_>,
    report: &mut Report,
) -> Option<Body> {
    let mut mapping = mapping_only(tree, draft, report);
    let event = match event::thrown(tree, draft, &["terminate", "error", "message", "signal"], report)? {
        "message" => EndEvent::Message(Box::new(Job::read(tree, draft.node, report)?)),
        "signal" => EndEvent::Signal(Box::new(trigger::thrown_signal(tree, drafts, draft, report)?)),
        "terminate" => EndEvent::Terminate,
        "error" => EndEvent::Error(Box::new(thrown_code(tree, drafts, draft, report)?)),
        _ => EndEvent::None,
    };
    if !matches!(event, EndEvent::Message(_) | EndEvent::Signal(_)) {
        // Nothing is evaluated before it is left.
        mapping.drop_inputs(tree, draft, report);
    }
    if matches!(event, EndEvent::Terminate | EndEvent::Error(_)) {
        mapping.drop_outputs(tree, draft, report);
    }
    Some(Body { kind: Kind::EndEvent(event), mapping })
}

/// The code of the error that is thrown.
fn thrown_code(tree: &Tree<'_>, drafts: &Drafts<'_>, draft: &Draft<'_>, report: &mut Report) -> Option<Text> {
    let (definition, _) = definition_nodes(tree, draft.node).next()?;
    let Some(code) = error_code(tree, drafts, definition) else {
        report
            .error(Code::EventDefinition, tree.place(definition), "the error end event throws no error code")
            .help("refer to an `error` with an `errorCode` by `errorRef`");
        return None;
    };
    let code = extension::attribute_text(tree, definition, code, report);
    if let Some(Text::Static(code)) = &code {
        report.check_name(tree.place(definition), "an error code", code);
    }
    code
}
