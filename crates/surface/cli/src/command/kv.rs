//! `coreto kv`

use std::io::{IsTerminal, Read, Write};

use bytes::Bytes;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::services::follow;
use crate::catalog::{CatalogArgs, key_path};
use crate::connect::Connection;
use crate::error::CliError;
use crate::output::{self, Format};

/// What to do with keys.
#[derive(Subcommand, Clone, Debug)]
pub enum KvCommand {
    /// Print the value of a key as it is.
    Get(GetArgs),
    /// Write a key.
    Put(PutArgs),
    /// Remove a key.
    Delete(DeleteArgs),
    /// Show a key, and again whenever it changes.
    Watch(WatchKeyArgs),
}

/// Which key to read.
#[derive(Args, Clone, Debug)]
pub struct GetArgs {
    /// The key.
    key: String,

    /// List the keys that begin with it instead.
    #[arg(long)]
    keys: bool,

    #[command(flatten)]
    catalog: CatalogArgs,
}

/// Which key to write.
#[derive(Args, Clone, Debug)]
pub struct PutArgs {
    /// The key.
    key: String,

    /// The value, `@FILE`, or `-` for what is on standard input.
    value: String,

    /// Only if it was changed last at this index (`ModifyIndex`); 0 for only if it is not there.
    #[arg(long, value_name = "INDEX")]
    cas: Option<u64>,

    #[command(flatten)]
    catalog: CatalogArgs,
}

/// Which key to remove.
#[derive(Args, Clone, Debug)]
pub struct DeleteArgs {
    /// The key.
    key: String,

    /// Remove all keys that begin with it.
    #[arg(long)]
    recurse: bool,

    #[command(flatten)]
    catalog: CatalogArgs,
}

/// Which key to watch.
#[derive(Args, Clone, Debug)]
pub struct WatchKeyArgs {
    /// The key.
    key: String,

    /// Watch all keys that begin with it.
    #[arg(long)]
    recurse: bool,

    #[command(flatten)]
    catalog: CatalogArgs,
}

pub(super) async fn run(command: KvCommand, connection: &Connection, format: Format) -> Result<(), CliError> {
    match command {
        KvCommand::Get(args) => get(args, connection, format).await,
        KvCommand::Put(args) => put(args, connection, format).await,
        KvCommand::Delete(args) => delete(args, connection, format).await,
        KvCommand::Watch(args) => watch(args, connection, format).await,
    }
}

async fn get(args: GetArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    let GetArgs { key, keys, catalog } = args;
    let how = match (keys, format) {
        (true, _) => "keys",
        (false, Format::Json) => "",
        (false, Format::Text) => "raw",
    };
    let found =
        catalog.catalog()?.read(&format!("/v1/{}?{how}", key_path(&key)), connection.timeout()).await?;
    let begins = if keys { " that begins with" } else { "" };
    let found = found.ok_or_else(|| CliError::Missing(format!("there is no key{begins} `{key}`")))?;
    match (keys, format) {
        (true, Format::Text) => {
            let listed: Vec<String> = serde_json::from_slice(&found).unwrap_or_default();
            let is_seen = std::io::stdout().is_terminal();
            listed.iter().try_for_each(|key| output::line(&if is_seen { shown(key) } else { key.clone() }))
        }
        (_, Format::Json) => output::line(&String::from_utf8_lossy(&found)),
        (false, Format::Text) => as_it_is(&found),
    }
}

/// A key on one line of a terminal, to which it gives no commands.
fn shown(key: &str) -> String {
    let told = key.chars().map(|char| match char {
        char if char.is_control() => char.escape_default().to_string(),
        char => char.to_string(),
    });
    told.collect()
}

/// Prints a value; behind it people get a new line, and programs nothing.
fn as_it_is(value: &[u8]) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    let end: &[u8] = if out.is_terminal() { b"\n" } else { b"" };
    out.write_all(value)
        .and_then(|()| out.write_all(end))
        .and_then(|()| out.flush())
        .map_err(CliError::Output)
}

async fn put(args: PutArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    let PutArgs { key, value, cas, catalog } = args;
    let value = match value.strip_prefix('@') {
        None if value == "-" => standard_input()?,
        None => value.into_bytes(),
        Some(path) => std::fs::read(path).map_err(|source| CliError::File {
            path: path.into(),
            doing: "read",
            source,
        })?,
    };
    let how = cas.map(|index| format!("?cas={index}")).unwrap_or_default();
    let path = format!("/v1/{}{how}", key_path(&key));
    let answer = catalog.catalog()?.write(Method::PUT, &path, value.into(), connection.timeout()).await?;
    if &*answer != b"true" {
        let reason = match cas {
            Some(0) => format!("key `{key}` is there"),
            Some(index) => format!("key `{key}` was not changed last at {index}"),
            None => format!("key `{key}` is as it was"),
        };
        return Err(CliError::CatalogRefused { status: 200, reason });
    }
    output::answer(format, &json!({ "key": key }), &format!("key `{key}` is written"))
}

fn standard_input() -> Result<Vec<u8>, CliError> {
    let mut value = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut value);
    read.map(|_| value).map_err(|source| CliError::File { path: "-".into(), doing: "read", source })
}

async fn delete(args: DeleteArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    let DeleteArgs { key, recurse, catalog } = args;
    let (how, gone) = if recurse {
        ("?recurse", format!("no key begins with `{key}` any more"))
    } else {
        ("", format!("there is no key `{key}` any more"))
    };
    let path = format!("/v1/{}{how}", key_path(&key));
    catalog.catalog()?.write(Method::DELETE, &path, Bytes::new(), connection.timeout()).await?;
    output::answer(format, &json!({ "key": key }), &gone)
}

async fn watch(args: WatchKeyArgs, connection: &Connection, format: Format) -> Result<(), CliError> {
    let WatchKeyArgs { key, recurse, catalog } = args;
    let path = format!("{}{}", key_path(&key), if recurse { "?recurse" } else { "" });
    follow(&catalog, &path, connection, format, entries).await
}

/// Keys with their values, of a list of entries.
fn entries(found: &Value) -> Vec<(String, Vec<String>)> {
    let row = |entry: &Value| {
        let key = entry["Key"].as_str().unwrap_or_default().to_owned();
        let value = decoded(entry["Value"].as_str().unwrap_or_default());
        (key.clone(), vec![key, String::from_utf8_lossy(&value).into_owned()])
    };
    found.as_array().into_iter().flatten().map(row).collect()
}

/// The bytes that a text in base64 stands for.
fn decoded(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte));
    let (mut bytes, mut held, mut bits) = (Vec::with_capacity(text.len() / 4 * 3), 0, 0);
    for digit in digits {
        held = (held << 6 | digit) & 0xfff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.extend(u8::try_from(held >> bits & 0xff));
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_give_a_terminal_no_commands() {
        assert_eq!(shown("a/\u{1b}[2J\né"), "a/\\u{1b}[2J\\né");
    }

    #[test]
    fn values_are_decoded() {
        for (text, value) in [("", &b""[..]), ("YQ==", b"a"), ("YWI=", b"ab"), ("YWJj/w==", b"abc\xff")] {
            assert_eq!(decoded(text), value, "{text}");
        }
    }
}
