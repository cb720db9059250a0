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
    aligned(headings, rows).iter().try_for_each(|row| line(row))
}

fn aligned(headings: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    // A row is one line, whatever is in it.
    let flat = |cell: &String| cell.replace(char::is_control, " ");
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(flat).collect()).collect();
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.chars().count()).collect();
    for row in &rows {
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
    let mut lines = vec![render(&mut headings.iter().copied())];
    lines.extend(rows.iter().map(|row| render(&mut row.iter().map(String::as_str))));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_line() {
        let rows = [vec!["1".to_owned(), "no\nstock".to_owned()]];
        assert_eq!(aligned(&["INCIDENT", "MESSAGE"], &rows), ["INCIDENT  MESSAGE", "1         no stock"]);
    }
}
