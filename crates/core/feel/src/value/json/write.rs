//! Values to JSON text.

use crate::value::Value;

/// Appends a value. `temporal` gives the text of temporal values, `charge` is told what was written.
pub(super) fn value<E>(
    value: &Value,
    out: &mut Vec<u8>,
    temporal: fn(&Value) -> String,
    charge: &mut dyn FnMut(usize) -> Result<(), E>,
) -> Result<(), E> {
    let before = out.len();
    match value {
        Value::Null | Value::Range(_) | Value::Function(_) => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => number.write_json(out),
        Value::String(text) => string(text.as_bytes(), out),
        Value::List(list) => {
            out.push(b'[');
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                self::value(item, out, temporal, charge)?;
            }
            out.push(b']');
            return Ok(());
        }
        Value::Context(context) => {
            out.push(b'{');
            for (at, (name, entry)) in context.entries().iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                string(name.as_bytes(), out);
                out.push(b':');
                self::value(entry, out, temporal, charge)?;
            }
            out.push(b'}');
            return Ok(());
        }
        Value::Date(_)
        | Value::Time(_)
        | Value::DateTime(_)
        | Value::DaysTimeDuration(_)
        | Value::YearsMonthsDuration(_) => string(temporal(value).as_bytes(), out),
    }
    charge(out.len() - before)
}

/// The text of a temporal value that becomes a variable.
pub(super) fn variable(value: &Value) -> String {
    match value {
        Value::Time(time) => time.to_variable_text(),
        Value::DateTime(moment) => moment.to_variable_text(),
        other => text(other),
    }
}

/// The text of a temporal value inside of the language; of others nothing.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Date(date) => date.to_string(),
        Value::Time(time) => time.to_string(),
        Value::DateTime(moment) => moment.to_string(),
        Value::DaysTimeDuration(span) => span.to_string(),
        Value::YearsMonthsDuration(span) => span.to_string(),
        Value::Null
        | Value::Boolean(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Context(_)
        | Value::Range(_)
        | Value::Function(_) => String::new(),
    }
}

fn string(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut plain = 0;
    for (at, &byte) in text.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
    }
    out.extend_from_slice(&text[plain..]);
    out.push(b'"');
}
