//! What is wrong with a model, where, and what to do.

use std::fmt;
use std::sync::Arc;

use crate::place::{Lines, Shown, one_line, shortened};

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The resource cannot be deployed.
    Error,
    /// It can, but something in it does not do what one may expect.
    Warning,
}

/// What kind of trouble a diagnostic is; each kind of model has its own list.
pub trait Code: Copy + PartialEq {
    /// More diagnostics than are kept.
    const TOO_MANY: Self;
    /// Something that is valid but not built.
    const NOT_IMPLEMENTED: Self;

    /// The stable name, such as `BPMN-0014`.
    fn name(self) -> &'static str;
}

/// One thing that is wrong with a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic<C> {
    /// What kind of trouble.
    pub code: C,
    /// Whether it keeps the resource from being deployed.
    pub severity: Severity,
    /// The nearest element that has an identifier and that people know by it.
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

impl<C: Code> fmt::Display for Diagnostic<C> {
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
pub struct Place<'a> {
    /// The identifier of the element.
    pub element: Option<&'a str>,
    /// Byte offset in the decoded text, `None` for the resource as a whole.
    pub offset: Option<usize>,
}

impl Place<'_> {
    /// The resource as a whole.
    pub const RESOURCE: Self = Self { element: None, offset: None };

    /// A place in the text.
    pub const fn at(offset: usize) -> Self {
        Self { element: None, offset: Some(offset) }
    }
}

/// Diagnostics as they are found.
#[derive(Debug)]
pub struct Report<C> {
    max: usize,
    found: Vec<(usize, Diagnostic<C>)>,
    left_out: usize,
    errors: usize,
}

impl<C: Code> Report<C> {
    /// A report that keeps so many diagnostics; a last one says how many more there were.
    pub const fn new(max: usize) -> Self {
        Self { max, found: Vec::new(), left_out: 0, errors: 0 }
    }

    /// Whether anything was found that keeps the resource from being deployed.
    pub const fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Adds a diagnostic.
    pub fn add(&mut self, code: C, severity: Severity, place: Place<'_>, message: String) -> Help<'_, C> {
        self.errors += usize::from(severity == Severity::Error);
        if self.found.len() >= self.max {
            self.left_out += 1;
            return Help(None);
        }
        let element = place.element.map(|id| Shown(id).to_string().into());
        let diagnostic = Diagnostic { element, ..general(code, severity, one_line(message)) };
        self.found.push((place.offset.map_or(0, |offset| offset + 1), diagnostic));
        Help(self.found.last_mut().map(|(_, diagnostic)| diagnostic))
    }

    /// All diagnostics in the order of the text, with their lines and columns.
    pub fn finish(mut self, text: &str) -> Vec<Diagnostic<C>> {
        self.found.sort_by_key(|(offset, _)| *offset);
        let mut lines = Lines::new(text);
        let mut found = Vec::with_capacity(self.found.len() + 1);
        for (offset, mut diagnostic) in self.found {
            if let Some(offset) = offset.checked_sub(1) {
                (diagnostic.line, diagnostic.column) = lines.locate(offset);
            }
            found.push(diagnostic);
        }
        if self.left_out > 0 {
            let message = format!("{} more diagnostics are not shown", self.left_out);
            found.push(general(C::TOO_MANY, Severity::Error, message));
        }
        found
    }
}

/// A diagnostic of the resource as a whole.
fn general<C: Code>(code: C, severity: Severity, message: String) -> Diagnostic<C> {
    let not_implemented = code == C::NOT_IMPLEMENTED;
    Diagnostic { code, severity, element: None, line: 0, column: 0, message, help: None, not_implemented }
}

/// Room for advice on the diagnostic that was just reported.
#[derive(Debug)]
pub struct Help<'r, C>(Option<&'r mut Diagnostic<C>>);

impl<C> Help<'_, C> {
    /// Room for advice that nobody gets, where nothing was reported.
    pub const NONE: Self = Self(None);

    /// Adds the advice.
    pub fn help(self, help: impl Into<String>) {
        if let Some(diagnostic) = self.0 {
            diagnostic.help = Some(shortened(help.into()));
        }
    }
}
