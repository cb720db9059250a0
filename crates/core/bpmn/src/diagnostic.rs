//! What is wrong with a model, where, and what to do.

use std::fmt;
use std::sync::Arc;

pub(crate) use coreto_xml::Shown;
use coreto_xml::{Lines, one_line, shortened};

use crate::limits::{Limits, Purpose};

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The resource cannot be deployed.
    Error,
    /// It can, but something in it does not do what one may expect.
    Warning,
}

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
    /// More diagnostics than are kept.
    TooMany = "0099" Error,
}

/// One thing that is wrong with a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of trouble.
    pub code: Code,
    /// Whether it keeps the resource from being deployed.
    pub severity: Severity,
    /// The nearest BPMN element that has an identifier.
    pub element: Option<Arc<str>>,
    /// Line in the decoded text, from 1; 0 when the trouble is with the resource as a whole.
    pub line: u32,
    /// Column in characters, from 1; 0 when the trouble is with the resource as a whole.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Whether the model is valid and only not built yet.
    pub not_implemented: bool,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())?;
        if self.severity == Severity::Warning {
            f.write_str(" warning")?;
        }
        if self.line > 0 {
            write!(f, " at {}:{}", self.line, self.column)?;
        }
        if let Some(element) = &self.element {
            write!(f, " in `{element}`")?;
        }
        write!(f, ": {}", self.message)?;
        match &self.help {
            // A picture of the place stands on lines of its own.
            Some(help) if help.contains('\n') => help.lines().try_for_each(|line| write!(f, "\n    {line}")),
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

/// Where a diagnostic points to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) element: Option<&'a str>,
    /// Byte offset in the decoded text, `None` for the resource as a whole.
    pub(crate) offset: Option<usize>,
}

impl Place<'_> {
    pub(crate) const RESOURCE: Self = Self { element: None, offset: None };

    pub(crate) const fn at(offset: usize) -> Self {
        Self { element: None, offset: Some(offset) }
    }
}

/// Diagnostics as they are found.
pub(crate) struct Report {
    purpose: Purpose,
    max: usize,
    expression_bytes_max: usize,
    found: Vec<(usize, Diagnostic)>,
    left_out: usize,
    errors: usize,
}

impl Report {
    pub(crate) const fn new(purpose: Purpose, limits: &Limits) -> Self {
        let Limits { diagnostics_max: max, expression_bytes_max, .. } = *limits;
        Self { purpose, max, expression_bytes_max, found: Vec::new(), left_out: 0, errors: 0 }
    }

    /// Whether an expression is longer than allowed, which is reported.
    pub(crate) fn is_too_long(&mut self, place: Place<'_>, what: &str, bytes: usize) -> bool {
        let max = self.expression_bytes_max;
        if bytes > max {
            self.error(Code::LimitExceeded, place, format!("{what} of {bytes} bytes, more than {max}"));
        }
        bytes > max
    }

    /// Whether rules that a model could do without are to be checked.
    pub(crate) fn checks_rules(&self) -> bool {
        self.purpose == Purpose::Deploy
    }

    pub(crate) const fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// What keeps the graph from being built, whoever asks for it.
    pub(crate) fn error(&mut self, code: Code, place: Place<'_>, message: impl Into<String>) -> Help<'_> {
        self.errors += usize::from(code.severity() == Severity::Error);
        if self.found.len() >= self.max {
            self.left_out += 1;
            return Help(None);
        }
        let diagnostic = Diagnostic {
            code,
            severity: code.severity(),
            element: place.element.map(|id| Shown(id).to_string().into()),
            line: 0,
            column: 0,
            message: one_line(message.into()),
            help: None,
            not_implemented: code == Code::NotImplemented,
        };
        self.found.push((place.offset.map_or(0, |offset| offset + 1), diagnostic));
        Help(self.found.last_mut().map(|(_, diagnostic)| diagnostic))
    }

    /// What a deployment must not have, or should know; a model that was accepted before is loaded with it.
    pub(crate) fn rule(&mut self, code: Code, place: Place<'_>, message: impl Into<String>) -> Help<'_> {
        if self.checks_rules() { self.error(code, place, message) } else { Help(None) }
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
    pub(crate) fn finish(mut self, text: &str) -> Vec<Diagnostic> {
        self.found.sort_by_key(|(offset, _)| *offset);
        let mut lines = Lines::new(text);
        let mut found: Vec<Diagnostic> = Vec::with_capacity(self.found.len() + 1);
        for (offset, mut diagnostic) in self.found {
            if let Some(offset) = offset.checked_sub(1) {
                (diagnostic.line, diagnostic.column) = lines.locate(offset);
            }
            found.push(diagnostic);
        }
        if self.left_out > 0 {
            found.push(Diagnostic {
                code: Code::TooMany,
                severity: Severity::Error,
                element: None,
                line: 0,
                column: 0,
                message: format!("{} more diagnostics are not shown", self.left_out),
                help: None,
                not_implemented: false,
            });
        }
        found
    }
}

/// Room for advice on the diagnostic that was just reported.
pub(crate) struct Help<'r>(Option<&'r mut Diagnostic>);

impl Help<'_> {
    pub(crate) fn help(self, help: impl Into<String>) {
        if let Some(diagnostic) = self.0 {
            diagnostic.help = Some(shortened(help.into()));
        }
    }
}
