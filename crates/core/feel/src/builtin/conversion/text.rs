//! Values as text for people: `string()`.

use std::fmt::Write;

use crate::Dialect;
use crate::eval::Eval;
use crate::value::Value;

/// Appends a value; strings inside of lists and contexts stand in quotes. What is written is charged as it grows.
pub(in crate::builtin) fn write(
    dialect: Dialect,
    value: &Value,
    out: &mut String,
    charge: &mut dyn FnMut(usize) -> Eval<()>,
) -> Eval<()> {
    let before = out.len();
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(boolean) => display(boolean, out),
        Value::Number(number) => display(number, out),
        Value::String(text) => quoted(text, out),
        Value::Date(date) => display_day(dialect, date, out),
        Value::Time(time) => display(time, out),
        Value::DateTime(moment) => display_day(dialect, moment, out),
        Value::DaysTimeDuration(span) => display(span, out),
        Value::YearsMonthsDuration(span) => display(span, out),
        Value::Function(_) => out.push_str("function"),
        Value::List(list) => {
            out.push('[');
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write(dialect, item, out, charge)?;
            }
            out.push(']');
            return Ok(());
        }
        Value::Context(context) => {
            out.push('{');
            for (at, (name, entry)) in context.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                out.push_str(name);
                out.push(':');
                write(dialect, entry, out, charge)?;
            }
            out.push('}');
            return Ok(());
        }
        Value::Range(range) => {
            out.push(if range.start().included { '[' } else { '(' });
            write(dialect, &range.start().value, out, charge)?;
            out.push_str("..");
            write(dialect, &range.end().value, out, charge)?;
            out.push(if range.end().included { ']' } else { ')' });
            return Ok(());
        }
    }
    charge(out.len() - before + 8)
}

/// Years of more than four digits have a sign, but in the standard.
fn display_day(dialect: Dialect, value: &dyn std::fmt::Display, out: &mut String) {
    let start = out.len();
    display(value, out);
    if dialect.is_standard() && out[start..].starts_with('+') {
        out.remove(start);
    }
}

fn display(value: &dyn std::fmt::Display, out: &mut String) {
    write!(out, "{value}").expect("writing to a string does not fail");
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        if character == '"' || character == '\\' {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}
