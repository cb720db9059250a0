//! `coreto dmn check`: all diagnostics of DMN files.

use std::process::ExitCode;

use anyhow::Context;
use coreto_dmn::{Code, Diagnostic, Options, Severity, read_all};

use crate::args::DmnCheckArgs;
use crate::command::check::{Finding, Report, files};

impl<'d> From<&'d Diagnostic> for Finding<'d> {
    fn from(diagnostic: &'d Diagnostic) -> Self {
        Self {
            code: diagnostic.code.name(),
            is_warning: diagnostic.severity == Severity::Warning,
            element: diagnostic.element.as_deref(),
            line: diagnostic.line,
            column: diagnostic.column,
            message: &diagnostic.message,
            help: diagnostic.help.as_deref(),
            not_implemented: diagnostic.code == Code::NotImplemented,
        }
    }
}

pub(crate) fn run(args: &DmnCheckArgs, json: bool) -> anyhow::Result<ExitCode> {
    let files = files(&args.paths, "dmn")?;
    let mut resources = Vec::new();
    for file in &files {
        resources.push(std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?);
    }
    let resources: Vec<&[u8]> = resources.iter().map(Vec::as_slice).collect();
    let options = Options { dialect: args.dialect.into(), ..Options::default() };
    let mut report = Report::new(std::io::stdout().lock(), json);
    for (file, (model, diagnostics)) in files.iter().zip(read_all(&resources, &options)) {
        let findings: Vec<Finding<'_>> = diagnostics.iter().map(Finding::from).collect();
        report.file(file, model.is_some(), &findings)?;
    }
    Ok(report.end()?)
}
