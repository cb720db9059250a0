//! What is wrong with a model, where, and what to do.

use std::fmt;
use std::sync::Arc;

use coreto_xml::{Lines, Shown, one_line, shortened};

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The resource cannot be deployed.
    Error,
    /// It can, but something in it does not do what one may expect.
    Warning,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal,)+) => {
        /// What kind of trouble a diagnostic is; each has a page in `docs/errors/`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// All codes, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable name, such as `DMN-0020`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("DMN-", $number),)+
                }
            }
        }
    };
}

codes! {
    /// The bytes are not text in an encoding that is read.
    NotText = "0001",
    /// The XML is not well-formed.
    MalformedXml = "0002",
    /// The XML declares a document type.
    DocumentType = "0003",
    /// The resource is larger or deeper than allowed.
    LimitExceeded = "0004",
    /// The root element is not that of a DMN model.
    NotDmn = "0005",
    /// Something that is valid but not built.
    NotImplemented = "0010",
    /// An element without the identifier that it needs.
    MissingId = "0011",
    /// Two elements with the same identifier.
    DuplicateId = "0012",
    /// An element without the name that it needs.
    MissingName = "0013",
    /// A reference to something that is not in the model.
    UnknownReference = "0014",
    /// A decision that requires itself, at once or through others.
    RequirementCycle = "0015",
    /// An imported model that was not given.
    UnknownImport = "0016",
    /// A type that is not defined.
    UnknownType = "0017",
    /// A type that is defined by itself alone.
    TypeCycle = "0018",
    /// An expression that cannot be parsed.
    Expression = "0020",
    /// A decision without an expression that is read.
    MissingLogic = "0021",
    /// A rule with another number of entries than the table has columns.
    TableShape = "0022",
    /// A hit policy or aggregation that DMN does not have, or not for such a table.
    HitPolicy = "0023",
    /// More diagnostics than are kept.
    TooMany = "0099",
}

/// One thing that is wrong with a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of trouble.
    pub code: Code,
    /// Whether it keeps the resource from being deployed.
    pub severity: Severity,
    /// The nearest element of the graph that has an identifier, e.g. the decision.
    pub element: Option<Arc<str>>,
    /// Line in the decoded text, from 1; 0 when the trouble is with the resource as a whole.
    pub line: u32,
    /// Column in characters, from 1; 0 when the trouble is with the resource as a whole.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
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

/// Most diagnostics that are kept; a last one says how many more there were.
const KEPT_MAX: usize = 1_000;

/// Diagnostics as they are found.
#[derive(Default)]
pub(crate) struct Report {
    found: Vec<(usize, Diagnostic)>,
    left_out: usize,
    errors: usize,
}

impl Report {
    pub(crate) const fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// What keeps the model from being used.
    pub(crate) fn error(&mut self, code: Code, place: Place<'_>, message: impl Into<String>) -> Help<'_> {
        self.errors += 1;
        self.add(code, Severity::Error, place, message.into())
    }

    /// What a model may have, though something will not be as one may expect.
    pub(crate) fn warning(&mut self, code: Code, place: Place<'_>, message: impl Into<String>) -> Help<'_> {
        self.add(code, Severity::Warning, place, message.into())
    }

    fn add(&mut self, code: Code, severity: Severity, place: Place<'_>, message: String) -> Help<'_> {
        if self.found.len() >= KEPT_MAX {
            self.left_out += 1;
            return Help(None);
        }
        let element = place.element.map(|id| Shown(id).to_string().into());
        let message = one_line(message);
        let diagnostic = Diagnostic { code, severity, element, line: 0, column: 0, message, help: None };
        self.found.push((place.offset.map_or(0, |offset| offset + 1), diagnostic));
        Help(self.found.last_mut().map(|(_, diagnostic)| diagnostic))
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
            let message = format!("{} more diagnostics are not shown", self.left_out);
            let (code, severity) = (Code::TooMany, Severity::Error);
            found.push(Diagnostic { code, severity, element: None, line: 0, column: 0, message, help: None });
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
