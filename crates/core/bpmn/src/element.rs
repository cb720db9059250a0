//! What each kind of element reads from the model; one file each.

mod activity;
mod boundary_event;
mod business_rule_task;
mod call_activity;
mod catch_event;
mod end_event;
mod event;
mod gateway;
mod multi_instance;
mod process;
mod receive_task;
mod script_task;
mod send_task;
mod sequence_flow;
mod service_task;
mod start_event;
mod sub_process;
mod task;
mod throw_event;
mod trigger;

pub use boundary_event::BoundaryEvent;
pub use business_rule_task::Rule;
pub use end_event::EndEvent;
pub use gateway::ExclusiveGateway;
pub use multi_instance::{LOOP_COUNTER, MultiInstance, Output};
pub use script_task::Script;
pub use service_task::Job;
pub use start_event::StartEvent;
pub use throw_event::ThrowEvent;
pub use trigger::{Message, Trigger};

pub(crate) use boundary_event::host;
pub(crate) use event::{definition_nodes, definitions, interrupts};
pub(crate) use gateway::default_id;
pub(crate) use multi_instance::repeated;
pub(crate) use process::{boolean, version_tag};
pub(crate) use sequence_flow::{condition, ends};
pub(crate) use trigger::error_code;

use crate::compile::{Draft, Drafts};
use crate::diagnostic::Report;
use crate::extension::{self, IoMapping};
use crate::model::Kind;
use crate::tree::Tree;
use crate::vocabulary::Tag;

/// What an element is made of beside its flows.
pub(crate) struct Body {
    pub(crate) kind: Kind,
    pub(crate) mapping: IoMapping,
}

/// Reads one flow node; `None` when it is wrong or not built, which is reported.
pub(crate) fn compile(
    tree: &Tree<'_>,
    drafts: &Drafts<'_>,
    draft: &Draft<'_>,
    report: &mut Report,
) -> Option<Body> {
    match draft.tag {
        Tag::StartEvent => start_event::compile(tree, drafts, draft, report),
        Tag::EndEvent => end_event::compile(tree, drafts, draft, report),
        Tag::Task => Some(task::compile(tree, draft, Kind::Task, report)),
        Tag::ManualTask => Some(task::compile(tree, draft, Kind::ManualTask, report)),
        Tag::ReceiveTask => receive_task::compile(tree, drafts, draft, report),
        Tag::ServiceTask => service_task::compile(tree, draft, report),
        Tag::SendTask => send_task::compile(tree, draft, report),
        Tag::ScriptTask => script_task::compile(tree, draft, report),
        Tag::BusinessRuleTask => business_rule_task::compile(tree, draft, report),
        Tag::CallActivity => call_activity::compile(tree, draft, report),
        Tag::ExclusiveGateway => Some(gateway::exclusive(tree, drafts, draft, report)),
        Tag::ParallelGateway => Some(gateway::parallel(tree, draft, report)),
        Tag::EventBasedGateway => gateway::event_based(tree, draft, report),
        Tag::BoundaryEvent => boundary_event::compile(tree, drafts, draft, report),
        Tag::SubProcess => Some(sub_process::compile(tree, draft, report)),
        Tag::IntermediateCatchEvent => catch_event::compile(tree, drafts, draft, report),
        Tag::IntermediateThrowEvent => throw_event::compile(tree, drafts, draft, report),
        Tag::Process
        | Tag::SequenceFlow
        | Tag::UserTask
        | Tag::AdHocSubProcess
        | Tag::Transaction
        | Tag::InclusiveGateway
        | Tag::ComplexGateway
        | Tag::Choreography => {
            report.refuse(tree.place(draft.node), draft.tag.noun());
            None
        }
    }
}

/// Judges the extension elements of an element that reads nothing from them but a mapping.
fn mapping_only(tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) -> IoMapping {
    extension::judge(tree, draft.node, draft.tag, report);
    extension::io_mapping(tree, draft.node, report)
}
