//! What is wrong with a model, where, and what to do.

pub use coreto_xml::Severity;
pub(crate) use coreto_xml::{Place, Shown};

use crate::limits::{Limits, Purpose};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal $severity:ident,)+) => {
        /// What kind of trouble a diagnostic is; each has a page in `docs/errors/`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// All codes, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable name, such as `BPMN-0014`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("BPMN-", $number),)+
                }
            }

            /// How much it weighs.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)+
                }
            }
        }
    };
}

codes! {
    /// The bytes are not text in an encoding that is read.
    NotText = "0001" Error,
    /// The XML is not well-formed.
    MalformedXml = "0002" Error,
    /// The XML declares a document type.
    DocumentType = "0003" Error,
    /// The resource is larger or deeper than allowed.
    LimitExceeded = "0004" Error,
    /// The root element is not that of a BPMN model.
    NotBpmn = "0005" Error,
    /// Something that is valid but not built.
    NotImplemented = "0010" Error,
    /// An element that BPMN does not have, or not at this place.
    UnknownElement = "0011" Error,
    /// An element without the identifier that it needs.
    MissingId = "0012" Error,
    /// An identifier that is not an XML name.
    InvalidId = "0013" Error,
    /// Two elements with the same identifier.
    DuplicateId = "0014" Error,
    /// A required attribute is missing or empty.
    MissingAttribute = "0015" Error,
    /// An attribute whose value cannot be read.
    InvalidAttribute = "0016" Error,
    /// An extension element outside of `extensionElements`.
    MisplacedExtension = "0017" Error,
    /// An extension element that may be there only once.
    DuplicateExtension = "0018" Error,
    /// Something that is read but has no effect at its place.
    NoEffect = "0019" Warning,
    /// No process of the resource is executable.
    NoExecutableProcess = "0020" Error,
    /// A process that nothing can start.
    NoStartEvent = "0021" Error,
    /// More than one none start event in a process.
    SeveralNoneStartEvents = "0022" Error,
    /// A sequence flow that leads to a start event.
    StartEventIncoming = "0023" Error,
    /// A sequence flow that leaves an end event.
    EndEventOutgoing = "0024" Error,
    /// A reference to something that is not in the model.
    UnknownReference = "0025" Error,
    /// A sequence flow that does not join two flow nodes.
    NotAFlowNode = "0026" Error,
    /// A sequence flow that crosses the border of a subprocess or process.
    FlowCrossesScope = "0027" Error,
    /// A condition on a flow that does not leave an exclusive or inclusive gateway.
    ConditionNotAllowed = "0028" Error,
    /// A flow that leaves an exclusive or inclusive gateway without a condition and is not its default.
    ConditionMissing = "0029" Error,
    /// A default flow that does not leave its element.
    DefaultFlow = "0030" Error,
    /// A loop that never waits.
    StraightThroughLoop = "0031" Error,
    /// An element that no token can reach.
    Unreachable = "0032" Warning,
    /// An event with the wrong number or kind of event definitions.
    EventDefinition = "0033" Error,
    /// A boundary event that is not attached as it must be.
    BoundaryEvent = "0034" Error,
    /// A subprocess with the wrong start events.
    SubprocessStart = "0035" Error,
    /// An event-based gateway with too few or wrong targets.
    EventBasedGateway = "0036" Error,
    /// A timer that does not say exactly one of date, duration and cycle.
    TimerDefinition = "0037" Error,
    /// A link event without a name or a counterpart.
    LinkEvent = "0038" Error,
    /// An expression that cannot be parsed.
    Expression = "0040" Error,
    /// A static value where an expression is required.
    ExpressionRequired = "0041" Error,
    /// A job-worker task without its task definition.
    TaskDefinitionMissing = "0042" Error,
    /// A mapping target that is not a variable name or path.
    MappingTarget = "0043" Error,
    /// Two task headers with the same key.
    DuplicateHeader = "0044" Error,
    /// A task header whose key is reserved.
    ReservedHeader = "0045" Error,
    /// A task header without key or value.
    EmptyHeader = "0046" Warning,
    /// Static retries that are not a number.
    Retries = "0047" Warning,
    /// An embedded form without a body.
    EmptyForm = "0048" Error,
    /// A message that somebody waits for without a correlation key.
    CorrelationKey = "0060" Error,
    /// Two events in one scope that wait for the same.
    SameTrigger = "0061" Error,
    /// More diagnostics than are kept.
    TooMany = "0099" Error,
}

impl coreto_xml::Code for Code {
    const TOO_MANY: Self = Self::TooMany;
    const NOT_IMPLEMENTED: Self = Self::NotImplemented;

    fn name(self) -> &'static str {
        self.name()
    }
}

/// One thing that is wrong with a resource.
pub type Diagnostic = coreto_xml::Diagnostic<Code>;

/// Room for advice on the diagnostic that was just reported.
pub(crate) type Help<'r> = coreto_xml::Help<'r, Code>;

/// The longest name of a variable that a model may make, in bytes.
const NAME_BYTES_MAX: usize = 1024;

/// Diagnostics as they are found.
pub(crate) struct Report {
    purpose: Purpose,
    expression_bytes_max: usize,
    found: coreto_xml::Report<Code>,
}

impl Report {
    pub(crate) const fn new(purpose: Purpose, limits: &Limits) -> Self {
        let Limits { diagnostics_max, expression_bytes_max, .. } = *limits;
        Self { purpose, expression_bytes_max, found: coreto_xml::Report::new(diagnostics_max) }
    }

    /// Whether an expression is longer than allowed, which is reported.
    pub(crate) fn is_too_long(&mut self, place: Place<'_>, what: &str, bytes: usize) -> bool {
        let max = self.expression_bytes_max;
        if bytes > max {
            self.error(Code::LimitExceeded, place, format!("{what} of {bytes} bytes, more than {max}"));
        }
        bytes > max
    }

    /// Reports a name that is longer than what names variables may be, when it is deployed.
    pub(crate) fn check_name(&mut self, place: Place<'_>, what: &str, name: &str) {
        let (bytes, max) = (name.len(), NAME_BYTES_MAX);
        if bytes > max {
            self.rule(Code::LimitExceeded, place, format!("{what} of {bytes} bytes, more than {max}"));
        }
    }

    /// Whether rules that a model could do without are to be checked.
    pub(crate) fn checks_rules(&self) -> bool {
        self.purpose == Purpose::Deploy
    }

    pub(crate) const fn has_errors(&self) -> bool {
        self.found.has_errors()
    }

    /// What keeps the graph from being built, whoever asks for it.
    pub(crate) fn error(&mut self, code: Code, place: Place<'_>, message: impl Into<String>) -> Help<'_> {
        self.found.add(code, code.severity(), place, message.into())
    }

    /// What a deployment must not have, or should know; a model that was accepted before is loaded with it.
    pub(crate) fn rule(&mut self, code: Code, place: Place<'_>, message: impl Into<String>) -> Help<'_> {
        if self.checks_rules() { self.error(code, place, message) } else { Help::NONE }
    }

    /// Something valid that the graph cannot express yet.
    pub(crate) fn refuse(&mut self, place: Place<'_>, what: &str) {
        self.error(Code::NotImplemented, place, format!("not implemented: {what}"));
    }

    /// Something valid beside the graph that is not acted on yet.
    pub(crate) fn refuse_rule(&mut self, place: Place<'_>, what: &str) {
        self.rule(Code::NotImplemented, place, format!("not implemented: {what}"));
    }

    /// All diagnostics in the order of the text, with their lines and columns.
    pub(crate) fn finish(self, text: &str) -> Vec<Diagnostic> {
        self.found.finish(text)
    }
}
