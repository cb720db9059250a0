//! Functions on strings. Positions count UTF-16 units, as clients on the JVM do.

use super::pattern::{self, Pattern, Piece};
use super::units::Units;
use super::{Builtin, Call, chance};
use crate::eval::Eval;
use crate::value::{Number, Text, Value};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new(
        "substring",
        &[&["string", "start position"], &["string", "start position", "length"]],
        substring,
    ),
    Builtin::new("string length", &[&["string"]], length),
    Builtin::new("upper case", &[&["string"]], upper_case),
    Builtin::new("lower case", &[&["string"]], lower_case),
    Builtin::new("substring before", &[&["string", "match"]], substring_before),
    Builtin::new("substring after", &[&["string", "match"]], substring_after),
    Builtin::new("contains", &[&["string", "match"]], contains),
    Builtin::new("starts with", &[&["string", "match"]], starts_with),
    Builtin::new("ends with", &[&["string", "match"]], ends_with),
    Builtin::new("matches", &[&["input", "pattern"], &["input", "pattern", "flags"]], matches),
    Builtin::new(
        "replace",
        &[&["input", "pattern", "replacement"], &["input", "pattern", "replacement", "flags"]],
        replace,
    ),
    Builtin::new("split", &[&["string", "delimiter"]], split),
    Builtin::new("extract", &[&["string", "pattern"], &["input", "pattern"]], extract),
    Builtin::new("trim", &[&["string"]], trim),
    Builtin::new("is blank", &[&["string"]], is_blank),
    Builtin::new("uuid", &[&[]], uuid),
];

fn substring(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let (text, start, length) = match values {
        [Value::String(text), Value::Number(start)] => (text, start, None),
        [Value::String(text), Value::Number(start), Value::Number(length)] => (text, start, Some(length)),
        _ => return call.illegal(values),
    };
    let units = Units::of(text, call.evaluator.dialect());
    call.charge_steps(units.length())?;
    let first = match start.to_i64() {
        Some(start @ 1..) => usize::try_from(start - 1).ok(),
        Some(0) | None => None,
        Some(back) => {
            usize::try_from(back.unsigned_abs()).ok().and_then(|back| units.length().checked_sub(back))
        }
    };
    let Some(first) = first.filter(|&first| first <= units.length()) else {
        return call.fail(format_args!("position {start} is outside of the string"));
    };
    let last = match length.map(Number::to_i64) {
        None => units.length(),
        Some(Some(length @ 0..)) => first.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)),
        Some(_) => return call.fail("the length is negative or too large"),
    };
    let part = units.part(first, last.min(units.length()));
    call.string(part)
}

fn length(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::String(text)] = values else { return call.illegal(values) };
    call.charge_steps(text.as_bytes().len())?;
    Ok(count(Units::of(text, call.evaluator.dialect()).length()))
}

fn count(count: usize) -> Value {
    Value::Number(Number::from_i64(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn upper_case(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::String(text)] = values else { return call.illegal(values) };
    call.charge_steps(text.as_bytes().len())?;
    call.string(text.to_uppercase())
}

fn lower_case(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::String(text)] = values else { return call.illegal(values) };
    call.charge_steps(text.as_bytes().len())?;
    call.string(text.to_lowercase())
}

/// Both strings of a function of two.
fn two<'v>(call: &mut Call<'_, '_>, values: &'v [Value]) -> Eval<Option<(&'v Text, &'v Text)>> {
    let [Value::String(text), Value::String(part)] = values else {
        call.illegal(values)?;
        return Ok(None);
    };
    call.charge_steps(text.as_bytes().len() / 32)?;
    Ok(Some((text, part)))
}

fn substring_before(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let Some((text, part)) = two(call, values)? else { return Ok(Value::Null) };
    let text = text.as_str();
    call.string(text.find(part.as_str()).map_or("", |at| &text[..at]).to_owned())
}

fn substring_after(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let Some((text, part)) = two(call, values)? else { return Ok(Value::Null) };
    let text = text.as_str();
    call.string(text.find(part.as_str()).map_or("", |at| &text[at + part.len()..]).to_owned())
}

fn contains(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    Ok(two(call, values)?.map(|(text, part)| has(text, part)).into())
}

/// Whether a string has a part. A search of linear time takes longer to begin than most searches take to end.
fn has(text: &Text, part: &Text) -> bool {
    const SHORT: usize = 24;
    let (bytes, wanted) = (text.as_bytes(), part.as_bytes());
    match wanted {
        [] => true,
        [first, rest @ ..] if wanted.len() <= SHORT => bytes
            .iter()
            .enumerate()
            .any(|(at, byte)| byte == first && bytes.get(at + 1..at + wanted.len()) == Some(rest)),
        _ => text.contains(part.as_str()),
    }
}

fn starts_with(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    Ok(two(call, values)?.map(|(text, part)| text.as_bytes().starts_with(part.as_bytes())).into())
}

fn ends_with(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    Ok(two(call, values)?.map(|(text, part)| text.as_bytes().ends_with(part.as_bytes())).into())
}

/// Runs something with a compiled pattern, which a call with a constant pattern keeps, on a text.
fn with_pattern(
    call: &mut Call<'_, '_>,
    text: &Text,
    pattern: &Text,
    flags: &str,
    run: impl FnOnce(&mut Call<'_, '_>, &Pattern) -> Eval,
) -> Eval {
    let dialect = call.evaluator.dialect();
    let fresh;
    let compiled = if let Some(cache) = call.patterns {
        cache.get_or_init(|| pattern::compile(dialect, pattern, flags))
    } else {
        call.charge_steps(1000 + pattern.len())?;
        fresh = pattern::compile(dialect, pattern, flags);
        call.charge_steps(fresh.as_ref().map_or(0, Pattern::compile_steps))?;
        &fresh
    };
    match compiled {
        Ok(pattern) => {
            call.charge_steps(pattern.search_steps(text.as_bytes().len()))?;
            run(call, pattern)
        }
        Err(reason) => call.fail(reason),
    }
}

fn matches(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let (text, pattern, flags) = match values {
        [Value::String(text), Value::String(pattern)]
        | [Value::String(text), Value::String(pattern), Value::Null] => (text, pattern, ""),
        [Value::String(text), Value::String(pattern), Value::String(flags)] => {
            (text, pattern, flags.as_str())
        }
        _ => return call.illegal(values),
    };
    with_pattern(call, text, pattern, flags, |_, pattern| Ok(Value::Boolean(pattern.regex.is_match(text))))
}

fn replace(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let (text, pattern, with, flags) = match values {
        [Value::String(text), Value::String(pattern), Value::String(with)]
        | [Value::String(text), Value::String(pattern), Value::String(with), Value::Null] => {
            (text, pattern, with, "")
        }
        [Value::String(text), Value::String(pattern), Value::String(with), Value::String(flags)] => {
            (text, pattern, with, flags.as_str())
        }
        _ => return call.illegal(values),
    };
    with_pattern(call, text, pattern, flags, |call, pattern| {
        let pieces = match pattern::replacement(with, &pattern.regex) {
            Ok(pieces) => pieces,
            Err(reason) => return call.fail(reason),
        };
        let text = text.as_str();
        let mut out = String::new();
        let mut end = 0;
        for found in pattern.regex.captures_iter(text) {
            let whole = found.get(0).map_or(end..end, |whole| whole.range());
            let before = out.len();
            out.push_str(&text[end..whole.start]);
            for piece in &pieces {
                out.push_str(match piece {
                    Piece::Plain(plain) => plain,
                    Piece::Group(group) => found.get(*group).map_or("", |group| group.as_str()),
                });
            }
            end = whole.end;
            call.charge_steps(pattern.next_search_steps(text.len() - end))?;
            call.evaluator.charge_bytes(out.len() - before, call.at)?;
        }
        out.push_str(&text[end..]);
        call.string(out)
    })
}

fn split(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::String(text), Value::String(pattern)] = values else { return call.illegal(values) };
    with_pattern(call, text, pattern, "", |call, pattern| {
        let mut parts: Vec<Value> = Vec::new();
        let mut end = 0;
        for found in pattern.regex.find_iter(text) {
            call.charge_steps(pattern.next_search_steps(text.len() - found.end()))?;
            // Nothing is split off before the first character by a pattern that matches nothing.
            if found.end() == 0 {
                continue;
            }
            parts.push(text[end..found.start()].into());
            end = found.end();
            call.evaluator.check_length(parts.len(), call.at)?;
        }
        parts.push(text[end..].into());
        call.list(parts)
    })
}

fn extract(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::String(text), Value::String(pattern)] = values else { return call.illegal(values) };
    with_pattern(call, text, pattern, "", |call, pattern| {
        let mut parts: Vec<Value> = Vec::new();
        for found in pattern.regex.find_iter(text) {
            call.charge_steps(pattern.next_search_steps(text.len() - found.end()))?;
            parts.push(found.as_str().into());
            call.evaluator.check_length(parts.len(), call.at)?;
        }
        call.list(parts)
    })
}

fn trim(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::String(text)] = values else { return call.illegal(values) };
    call.string(text.trim_matches(|c| c <= ' ').to_owned())
}

fn is_blank(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::String(text)] = values else { return call.illegal(values) };
    call.charge_steps(text.as_bytes().len() / 64)?;
    Ok(Value::Boolean(text.chars().all(char::is_whitespace)))
}

fn uuid(call: &mut Call<'_, '_>, _values: &[Value]) -> Eval {
    let random = chance::draw(call.evaluator);
    // A time-ordered UUID (version 7 of RFC 9562): 48 bits of milliseconds, then chance.
    let ms = call.evaluator.env().now_ms.max(0).unsigned_abs() & 0xffff_ffff_ffff;
    let bits = (u128::from(ms) << 80) | (random & ((1 << 80) - 1));
    let bits = bits & !(0xf << 76) | (7 << 76);
    let bits = bits & !(0b11 << 62) | (0b10 << 62);
    let hex = format!("{bits:032x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    call.string(parts.join("-"))
}
