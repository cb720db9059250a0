//! What commands print: tables for people, JSON for programs.

use std::io::Write;

use serde_json::Value;

use crate::error::CliError;

/// How a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Tables and sentences.
    Text,
    /// One JSON value.
    Json,
}

/// Prints a line.
pub(crate) fn line(text: &str) -> Result<(), CliError> {
    writeln!(std::io::stdout().lock(), "{text}").map_err(CliError::Output)
}

/// Prints one answer: the JSON value, or the sentence.
pub(crate) fn answer(format: Format, json: &Value, text: &str) -> Result<(), CliError> {
    match format {
        Format::Json => line(&json.to_string()),
        Format::Text => line(text),
    }
}

/// Prints rows under their headings, columns aligned.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> Result<(), CliError> {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let render = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        text.trim_end().to_owned()
    };
    line(&render(&mut headings.iter().copied()))?;
    for row in rows {
        line(&render(&mut row.iter().map(String::as_str)))?;
    }
    Ok(())
}
