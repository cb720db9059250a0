//! `coreto check`: all diagnostics of BPMN and DMN files, without a server.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use coreto_bpmn::{Limits, Purpose};
use coreto_cli::CliError;
use coreto_feel::Dialect;
use coreto_xml::{Code, Diagnostic, Severity};
use serde_json::json;

use crate::args::CheckArgs;
use crate::command::dmn;

/// What of the diagnostics is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// Every file.
    All,
    /// Files with diagnostics.
    Found,
    /// Warnings alone.
    Warnings,
}

/// What was found, file by file.
pub(crate) struct Report<W> {
    out: W,
    json: bool,
    shown: Shown,
    files: usize,
    refused: usize,
    warnings: usize,
}

impl<W: Write> Report<W> {
    pub(crate) const fn new(out: W, json: bool) -> Self {
        Self { out, json, shown: Shown::All, files: 0, refused: 0, warnings: 0 }
    }

    /// Only what the answer of a server does not say: in JSON what was found in files, in text their warnings.
    pub(crate) fn beside_a_server(out: W, json: bool) -> Self {
        let shown = if json { Shown::Found } else { Shown::Warnings };
        Self { shown, ..Self::new(out, json) }
    }

    pub(crate) fn file(
        &mut self,
        file: &Path,
        ok: bool,
        diagnostics: &[Diagnostic<impl Code>],
    ) -> std::io::Result<()> {
        self.files += 1;
        self.refused += usize::from(!ok);
        self.warnings += diagnostics.iter().filter(|found| found.severity == Severity::Warning).count();
        if diagnostics.is_empty() && self.shown != Shown::All {
            return Ok(());
        }
        if self.json {
            let diagnostics: Vec<_> = diagnostics.iter().map(render).collect();
            return writeln!(self.out, "{}", json!({ "file": file, "ok": ok, "diagnostics": diagnostics }));
        }
        let is_shown =
            |found: &&Diagnostic<_>| self.shown != Shown::Warnings || found.severity == Severity::Warning;
        diagnostics.iter().filter(is_shown).try_for_each(|diagnostic| tell(&mut self.out, file, diagnostic))
    }

    pub(crate) fn end(mut self) -> std::io::Result<ExitCode> {
        if !self.json {
            let count = |number, what| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
            let warnings = if self.warnings > 0 {
                format!(", {}", count(self.warnings, "warning"))
            } else {
                String::new()
            };
            writeln!(self.out, "{} checked, {} refused{warnings}", count(self.files, "file"), self.refused)?;
        }
        Ok(ExitCode::from(u8::from(self.refused > 0)))
    }
}

pub(crate) fn run(args: &CheckArgs, json: bool) -> anyhow::Result<ExitCode> {
    let mut report = Report::new(std::io::stdout().lock(), json);
    check(&find(&args.paths, &["bpmn", "dmn"])?, &mut report)?;
    Ok(report.end()?)
}

/// Checks files: those whose suffix says so for decisions, all others for processes.
pub(crate) fn check(files: &[PathBuf], report: &mut Report<impl Write>) -> anyhow::Result<()> {
    let (decisions, processes): (Vec<PathBuf>, Vec<PathBuf>) =
        files.iter().cloned().partition(|file| has_suffix(file, &["dmn"]));
    for file in processes {
        let content = content(&file)?;
        let (resource, diagnostics) = coreto_bpmn::read(&content, Purpose::Deploy, &Limits::default());
        report.file(&file, resource.is_some(), &diagnostics)?;
    }
    let read = dmn::files::read(&decisions, Dialect::Camunda)?;
    for (file, (model, diagnostics)) in decisions.iter().zip(read) {
        report.file(file, model.is_some(), &diagnostics)?;
    }
    Ok(())
}

/// The bytes of a file that an argument names.
pub(crate) fn content(file: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(file).map_err(|source| CliError::File { path: file.into(), doing: "read", source })
}

pub(crate) fn has_suffix(path: &Path, suffixes: &[&str]) -> bool {
    path.extension().is_some_and(|found| suffixes.iter().any(|suffix| found.eq_ignore_ascii_case(suffix)))
}

/// The files among some paths, and those of some suffixes below the directories among them.
pub(crate) fn find(paths: &[PathBuf], suffixes: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = Vec::new();
    for path in paths {
        if path.is_dir() { open.push(path.clone()) } else { files.push(path.clone()) }
    }
    while let Some(directory) = open.pop() {
        let entries = std::fs::read_dir(&directory)
            .with_context(|| format!("cannot list `{}`", directory.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list `{}`", directory.display()))?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else if has_suffix(&path, suffixes) {
                files.push(path);
            }
        }
    }
    if files.is_empty() {
        let paths: Vec<_> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        let (suffixes, paths) = (suffixes.join(" or ."), paths.join(", "));
        return Err(CliError::Usage(format!("there is no .{suffixes} file in {paths}")).into());
    }
    files.sort();
    Ok(files)
}

fn severity(diagnostic: &Diagnostic<impl Code>) -> &'static str {
    if diagnostic.severity == Severity::Warning { "warning" } else { "error" }
}

fn render(diagnostic: &Diagnostic<impl Code>) -> serde_json::Value {
    json!({
        "code": diagnostic.code.name(),
        "severity": severity(diagnostic),
        "element": diagnostic.element.as_deref(),
        "line": diagnostic.line,
        "column": diagnostic.column,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "notImplemented": diagnostic.not_implemented,
    })
}

fn tell(out: &mut impl Write, file: &Path, diagnostic: &Diagnostic<impl Code>) -> std::io::Result<()> {
    let Diagnostic { code, line, column, message, .. } = diagnostic;
    let element = diagnostic.element.as_deref().map(|id| format!(" `{id}`")).unwrap_or_default();
    let (file, severity) = (file.display(), severity(diagnostic));
    writeln!(out, "{file}:{line}:{column}: {severity}: {}{element}: {message}", code.name())?;
    if let Some(help) = &diagnostic.help {
        // A picture of the place stands on lines of its own.
        let mark = if help.contains('\n') { "" } else { "help: " };
        help.lines().try_for_each(|line| writeln!(out, "    {mark}{line}"))?;
    }
    Ok(())
}
