//! `coreto dmn check`: all diagnostics of DMN files.

use std::process::ExitCode;

use super::files;
use crate::args::DmnCheckArgs;
use crate::command::check::{Report, find};

pub(crate) fn run(args: &DmnCheckArgs, json: bool) -> anyhow::Result<ExitCode> {
    let files = find(&args.paths, &["dmn"])?;
    let mut report = Report::new(std::io::stdout().lock(), json);
    for (file, (model, diagnostics)) in files.iter().zip(files::read(&files, args.dialect.into())?) {
        report.file(file, model.is_some(), &diagnostics)?;
    }
    Ok(report.end()?)
}
