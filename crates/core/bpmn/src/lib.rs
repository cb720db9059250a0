//! Reads BPMN 2.0 models into executable graphs.
//!
//! **In:** the bytes of a `.bpmn` file.
//! **Out:** a [`Resource`] with one compact [`Process`] per executable process, or all [`Diagnostic`]s.
//!
//! # Invariants
//! - What is valid but not built is refused as "not implemented: …"; nothing that would change what a process does is
//!   left out silently. Documentation, data, diagrams and other vendors' extensions are.
//! - A model that was accepted once is always read again ([`Purpose::Load`]), with the same element numbers.
//! - No input panics, recurses without bound, or takes more than linear time and memory (times the bounds of
//!   [`Limits`]).
//! - Expressions, mappings and headers are compiled and rendered here, once, and never when a process runs.
//!
//! # Where to look
//! `tree.rs` from text to elements · `vocabulary.rs` names of BPMN · `element/` one file per
//! kind of element · `extension/` one per extension element · `mapping/` input and output mappings · `check/` rules
//! of deployment · `compile.rs` how it comes together · `model.rs` the result · `diagnostic.rs` all codes · `timer/` when timers are due.
//!
//! ```
//! use coreto_bpmn::{Kind, Limits, Purpose};
//!
//! let xml = br#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">
//!   <process id="greet" isExecutable="true">
//!     <startEvent id="start"/>
//!     <sequenceFlow id="flow" sourceRef="start" targetRef="wave"/>
//!     <manualTask id="wave"/>
//!   </process>
//! </definitions>"#;
//! let (resource, diagnostics) = coreto_bpmn::read(xml, Purpose::Deploy, &Limits::default());
//! assert!(diagnostics.is_empty());
//! let process = &resource.expect("the model is sound").processes[0];
//! let wave = process.element_by_id("wave").and_then(|number| process.element(number));
//! assert!(wave.is_some_and(|element| matches!(element.kind, Kind::ManualTask)));
//! ```

mod check;
mod compile;
mod diagnostic;
mod element;
mod extension;
mod ids;
mod json;
mod limits;
mod mapping;
mod model;
mod text;
mod timer;
mod tree;
mod vocabulary;

pub use diagnostic::{Code, Diagnostic, Severity};
pub use element::{
    BoundaryEvent, EndEvent, ExclusiveGateway, Job, LOOP_COUNTER, Message, MultiInstance, Output, Rule,
    Script, StartEvent, ThrowEvent, Trigger,
};
pub use extension::{Binding, CalledDecision, CalledElement};
pub use limits::{Limits, Purpose};
pub use mapping::{Mapped, Mapping, MappingError};
pub use model::{Element, ElementNumber, Kind, Process, Resource};
pub use text::Text;
pub use timer::{FOR_EVER, Schedule, Tick, Timer, TimerKind};

use coreto_xml::EncodingError;
use diagnostic::{Place, Report};
use tree::Tree;

/// Reads one BPMN resource.
///
/// A resource comes back exactly when no diagnostic is an error. Diagnostics come in the order of the text.
pub fn read(xml: &[u8], purpose: Purpose, limits: &Limits) -> (Option<Resource>, Vec<Diagnostic>) {
    let limits = match purpose {
        Purpose::Deploy => *limits,
        Purpose::Load => Limits::UNBOUNDED,
    };
    let mut report = Report::new(purpose, &limits);
    if xml.len() > limits.bytes_max {
        too_large(xml.len(), &limits, &mut report);
        return (None, report.finish(""));
    }
    let text = match coreto_xml::decode(xml) {
        Ok(text) => text,
        Err(error) => return (None, not_text(xml, &error, report)),
    };
    // A byte of ISO-8859-1 may take two here, and places in the text are 32 bits wide.
    if u32::try_from(text.len()).is_err() {
        too_large(text.len(), &limits, &mut report);
        return (None, report.finish(""));
    }
    let resource =
        Tree::read(&text, &limits, &mut report).and_then(|tree| compile::resource(&tree, &mut report));
    (resource, report.finish(&text))
}

fn too_large(bytes: usize, limits: &Limits, report: &mut Report) {
    let message = format!("the resource has {bytes} bytes, more than {}", limits.bytes_max);
    report.error(Code::LimitExceeded, Place::RESOURCE, message);
}

fn not_text(xml: &[u8], error: &EncodingError, mut report: Report) -> Vec<Diagnostic> {
    let before = error.readable(xml);
    let place = if before.is_empty() { Place::RESOURCE } else { Place::at(before.len()) };
    report.error(Code::NotText, place, error.to_string()).help("save the model as UTF-8");
    report.finish(before)
}
