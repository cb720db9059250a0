//! Values to JSON text.

use crate::value::Value;

pub(super) fn value(value: &Value, out: &mut Vec<u8>) {
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
                self::value(item, out);
            }
            out.push(b']');
        }
        Value::Context(context) => {
            out.push(b'{');
            for (at, (name, entry)) in context.entries().iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                string(name.as_bytes(), out);
                out.push(b':');
                self::value(entry, out);
            }
            out.push(b'}');
        }
        Value::Date(date) => string(date.to_string().as_bytes(), out),
        Value::Time(time) => string(time.to_variable_text().as_bytes(), out),
        Value::DateTime(moment) => string(moment.to_variable_text().as_bytes(), out),
        Value::DaysTimeDuration(duration) => string(duration.to_string().as_bytes(), out),
        Value::YearsMonthsDuration(duration) => string(duration.to_string().as_bytes(), out),
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
