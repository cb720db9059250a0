//! What is wrong with a model, where, and what to do.

pub(crate) use coreto_xml::Place;
pub use coreto_xml::Severity;

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

/// Most diagnostics that are kept.
const KEPT_MAX: usize = 1_000;

/// Diagnostics as they are found.
pub(crate) struct Report(coreto_xml::Report<Code>);

impl Report {
    pub(crate) const fn new() -> Self {
        Self(coreto_xml::Report::new(KEPT_MAX))
    }

    pub(crate) const fn has_errors(&self) -> bool {
        self.0.has_errors()
    }

    /// What keeps the model from being used.
    pub(crate) fn error(&mut self, code: Code, place: Place<'_>, message: impl Into<String>) -> Help<'_> {
        self.0.add(code, Severity::Error, place, message.into())
    }

    /// What a model may have, though something will not be as one may expect.
    pub(crate) fn warning(&mut self, code: Code, place: Place<'_>, message: impl Into<String>) -> Help<'_> {
        self.0.add(code, Severity::Warning, place, message.into())
    }

    /// All diagnostics in the order of the text, with their lines and columns.
    pub(crate) fn finish(self, text: &str) -> Vec<Diagnostic> {
        self.0.finish(text)
    }
}
