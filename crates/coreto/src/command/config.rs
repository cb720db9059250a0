//! `coreto config print`

use std::io::Write;
use std::process::ExitCode;

use crate::args::ServerArgs;
use crate::config::{SETTINGS, ServerConfig, Setting, Settings};

pub(crate) fn print(args: &ServerArgs, json: bool) -> anyhow::Result<ExitCode> {
    let settings = Settings::gather(args.config.as_deref(), std::env::vars(), args.settings())?;
    ServerConfig::check(&settings)?;
    let mut out = std::io::stdout().lock();
    if json {
        let entries = SETTINGS.iter().map(|setting| {
            let (value, origin) = settings.get(setting.key);
            let entry = serde_json::json!({
                "value": value,
                "origin": origin.to_string(),
                "variable": setting.variable(),
                "default": setting.default,
                "help": setting.help,
                "since": setting.since,
            });
            (setting.key.to_owned(), entry)
        });
        writeln!(
            out,
            "{}",
            entries.collect::<serde_json::Map<_, _>>().into_iter().collect::<serde_json::Value>()
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    for setting in SETTINGS {
        let (value, origin) = settings.get(setting.key);
        writeln!(
            out,
            "# {}\n# {} since {}, from: {origin}",
            setting.help,
            setting.variable(),
            setting.since
        )?;
        writeln!(out, "{} = {}\n", setting.key, toml_value(setting, value))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A value as it would stand in the file: what counts something is a number there.
fn toml_value(setting: &Setting, value: &str) -> toml::Value {
    let counts = setting.default.parse::<i64>().is_ok();
    match value.parse::<i64>() {
        Ok(number) if counts => number.into(),
        _ => value.into(),
    }
}
