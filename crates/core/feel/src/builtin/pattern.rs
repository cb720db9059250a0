//! Regular expressions: the dialect of Java (of `XPath` in the standard), run by a matcher that needs linear time.
//!
//! What a linear matcher cannot do (look-around, references back, possessive repetition) is refused.

mod class;

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

use crate::Dialect;

/// Where a call with a constant pattern keeps it compiled.
pub(crate) type Cache = OnceLock<Result<Pattern, String>>;

/// A compiled pattern, and what looking for it costs.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(super) regex: Regex,
    /// Steps per byte that is looked at, at worst.
    weight: usize,
    /// Whether a search looks no further than where it finds something, since nothing in the pattern goes on and on.
    is_bounded: bool,
}

impl Pattern {
    /// Steps of compiling it.
    pub(super) const fn compile_steps(&self) -> usize {
        self.weight * 50
    }

    /// Steps of looking for it once.
    pub(super) const fn search_steps(&self, bytes: usize) -> usize {
        bytes.saturating_mul(self.weight)
    }

    /// Steps of looking for it once more in the rest of a text. Most searches end close to where they begin, but one
    /// that has to go on to the end of the text each time would take the square of its length in all.
    pub(super) const fn next_search_steps(&self, bytes_left: usize) -> usize {
        if self.is_bounded { 1 } else { 1 + self.search_steps(bytes_left) / 1024 }
    }
}

/// Most bytes that a compiled pattern may take, in the order in which they are tried, and the weight of such a
/// pattern: the matcher may have to keep as many states in mind at once as there is room for.
const SIZES: [(usize, usize); 3] = [(16 << 10, 16), (128 << 10, 128), (1 << 20, 1024)];
/// Longest pattern, in bytes.
const LENGTH_MAX: usize = 64 << 10;

/// Compiles a pattern with flags of `s m i x`; others have no meaning.
pub(super) fn compile(dialect: Dialect, pattern: &str, flags: &str) -> Result<Pattern, String> {
    if pattern.len() > LENGTH_MAX {
        return Err(format!("a pattern has at most {LENGTH_MAX} bytes"));
    }
    let spelled = spelled(dialect, pattern, flags);
    let mut builder = RegexBuilder::new(&translate(dialect, &spelled, flags.contains('s')));
    for flag in flags.chars() {
        match flag {
            's' => builder.dot_matches_new_line(true),
            'm' => builder.multi_line(true),
            'i' => builder.case_insensitive(true),
            // For the standard, blanks have been left out before.
            'x' => builder.ignore_whitespace(!dialect.is_standard()),
            other if dialect.is_standard() => {
                return Err(format!("`{other}` is no flag; there are `s`, `m`, `i` and `x`"));
            }
            // Java looks for the flags that it knows and passes over all others.
            _ => &mut builder,
        };
    }
    builder.nest_limit(100);
    let is_bounded = !pattern.contains(['*', '+', '{']);
    let mut built = Err(regex::Error::CompiledTooBig(0));
    for (size, weight) in SIZES {
        builder.size_limit(size).dfa_size_limit(1 << 20);
        built = builder.build().map(|regex| Pattern { regex, weight, is_bounded });
        if !matches!(built, Err(regex::Error::CompiledTooBig(_))) {
            break;
        }
    }
    built.map_err(|error| {
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("`{pattern}` is no pattern that can be used: {reason}")
    })
}

/// The pattern as the translation takes it. In the standard (that is, in `XPath`), the flag `x` leaves out blanks but in
/// classes, and a class may be taken away from another.
fn spelled<'p>(dialect: Dialect, pattern: &'p str, flags: &str) -> Cow<'p, str> {
    if !dialect.is_standard() || !(flags.contains('x') || pattern.contains("-[")) {
        return Cow::Borrowed(pattern);
    }
    let mut out = String::with_capacity(pattern.len());
    let mut depth = 0u32;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '-' if depth > 0 && characters.peek() == Some(&'[') => out.push('-'),
            blank if depth == 0 && flags.contains('x') && blank.is_whitespace() => continue,
            _ => (),
        }
        out.push(character);
    }
    Cow::Owned(out)
}

/// Java's classes `\d \w \s` are those of ASCII, `\h` is a blank and `\Z` the end; its dot (unless it takes everything)
/// stops at more than the one end of line that the matcher knows.
fn translate(dialect: Dialect, pattern: &str, dot_takes_all: bool) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut in_class = 0u32;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('d') => out.push_str(if in_class > 0 { "0-9" } else { "[0-9]" }),
                Some('w') => out.push_str(if in_class > 0 { "a-zA-Z0-9_" } else { "[a-zA-Z0-9_]" }),
                Some('s') => out.push_str(if in_class > 0 { r" \t\n\x0B\f\r" } else { r"[ \t\n\x0B\f\r]" }),
                Some('h') => out.push_str(if in_class > 0 { r" \t" } else { r"[ \t]" }),
                Some('D') => out.push_str("[^0-9]"),
                Some('W') => out.push_str("[^a-zA-Z0-9_]"),
                Some('S') => out.push_str(r"[^ \t\n\x0B\f\r]"),
                Some('Z') => out.push_str(r"\z"),
                Some('Q') => quote(&mut characters, &mut out),
                Some(kind @ ('p' | 'P')) if characters.peek() == Some(&'{') => {
                    named_class(dialect, kind, &mut characters, &mut out);
                }
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => out.push('\\'),
            },
            '[' => {
                in_class += 1;
                out.push('[');
            }
            ']' => {
                in_class = in_class.saturating_sub(1);
                out.push(']');
            }
            '.' if in_class == 0 && !dot_takes_all => out.push_str(r"[^\n\r\u{85}\u{2028}\u{2029}]"),
            other => out.push(other),
        }
    }
    out
}

/// `\p{Name}`, and `\P{Name}` for all other characters, from the brace on.
fn named_class(
    dialect: Dialect,
    kind: char,
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    out: &mut String,
) {
    characters.next();
    let name: String = characters.by_ref().take_while(|&character| character != '}').collect();
    if let Some(inside) = class::named(dialect, &name) {
        out.extend(["[", if kind == 'P' { "^" } else { "" }, &inside, "]"]);
    } else {
        out.extend(['\\', kind, '{']);
        out.extend([&name, "}"]);
    }
}

/// Text between `\Q` and `\E` stands for itself.
fn quote(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    while let Some(character) = characters.next() {
        if character == '\\' && characters.peek() == Some(&'E') {
            characters.next();
            return;
        }
        out.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
    }
}

/// Java's replacement text: `$1` is a group, `\$` a dollar. A group that is not there is a failure.
pub(super) fn replacement(text: &str, regex: &Regex) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.push(characters.next().ok_or("a replacement cannot end with `\\`")?),
            '$' => {
                let first = characters
                    .next()
                    .and_then(|c| c.to_digit(10))
                    .ok_or("`$` needs the number of a group")?;
                let mut group = first as usize;
                // More digits belong to the number as long as there is such a group.
                while let Some(digit) = characters.peek().and_then(|c| c.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer >= regex.captures_len() {
                        break;
                    }
                    group = longer;
                    characters.next();
                }
                if group >= regex.captures_len() {
                    return Err(format!("there is no group {group}"));
                }
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                pieces.push(Piece::Group(group));
            }
            other => plain.push(other),
        }
    }
    pieces.push(Piece::Plain(plain));
    Ok(pieces)
}

/// A part of a replacement.
pub(super) enum Piece {
    Plain(String),
    Group(usize),
}
