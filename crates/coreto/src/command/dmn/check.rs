//! `coreto dmn check`: all diagnostics of DMN files.

use std::process::ExitCode;

use anyhow::Context;
use coreto_dmn::{Options, read_all};

use crate::args::DmnCheckArgs;
use crate::command::check::{Report, files};

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
        report.file(file, model.is_some(), &diagnostics)?;
    }
    Ok(report.end()?)
}
