//! `coreto check`: all diagnostics of BPMN files, without a server.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use coreto_bpmn::{Diagnostic, Limits, Purpose, Severity};
use serde_json::json;

use crate::args::CheckArgs;

pub(crate) fn run(args: &CheckArgs, json: bool) -> anyhow::Result<ExitCode> {
    let mut files = Vec::new();
    for path in &args.paths {
        if path.is_dir() {
            collect(path, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    files.sort();
    let mut out = std::io::stdout().lock();
    let mut refused = 0usize;
    for file in &files {
        let content = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        let (resource, diagnostics) = coreto_bpmn::read(&content, Purpose::Deploy, &Limits::default());
        refused += usize::from(resource.is_none());
        if json {
            let diagnostics: Vec<_> = diagnostics.iter().map(render).collect();
            let line = json!({ "file": file, "ok": resource.is_some(), "diagnostics": diagnostics });
            writeln!(out, "{line}")?;
        } else {
            tell(&mut out, file, &diagnostics)?;
        }
    }
    if !json {
        writeln!(out, "{} files checked, {refused} refused", files.len())?;
    }
    Ok(ExitCode::from(u8::from(refused > 0)))
}

/// All files below a directory whose suffix says BPMN.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = std::fs::read_dir(&directory)
            .with_context(|| format!("cannot list `{}`", directory.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list `{}`", directory.display()))?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("bpmn")) {
                files.push(path);
            }
        }
    }
    Ok(())
}

fn render(diagnostic: &Diagnostic) -> serde_json::Value {
    json!({
        "code": diagnostic.code.name(),
        "severity": if diagnostic.severity == Severity::Warning { "warning" } else { "error" },
        "element": diagnostic.element.as_deref(),
        "line": diagnostic.line,
        "column": diagnostic.column,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "notImplemented": diagnostic.not_implemented,
    })
}

fn tell(out: &mut impl Write, file: &Path, diagnostics: &[Diagnostic]) -> std::io::Result<()> {
    for diagnostic in diagnostics {
        let element = diagnostic.element.as_deref().map(|id| format!(" `{id}`")).unwrap_or_default();
        writeln!(
            out,
            "{}:{}:{}: {}{element}: {}",
            file.display(),
            diagnostic.line,
            diagnostic.column,
            diagnostic.code.name(),
            diagnostic.message
        )?;
        if let Some(help) = &diagnostic.help {
            writeln!(out, "    help: {help}")?;
        }
    }
    Ok(())
}
