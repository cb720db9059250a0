//! Paths as routes mean them.

use regex::Regex;

use super::path::{Path, push_escape};
use crate::model::PathMatch;

/// A path of a route, compiled.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// Segments that the whole path must have; an exact path is one without variables.
    Whole(Vec<Segment>),
    /// Segments that the path must begin with.
    Prefix(Vec<String>),
    /// An expression for the whole path.
    Regex(Regex),
}

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Segment {
    /// This text, in normal form.
    Literal(String),
    /// Any text but none.
    Variable(String),
    /// All the rest, also none.
    Tail(String),
}

/// More segments would only cost.
const SEGMENTS_MAX: usize = 64;
/// Bytes that a compiled expression may take.
const REGEX_BYTES_MAX: usize = 256 << 10;

impl Pattern {
    pub(crate) fn compile(path: &PathMatch) -> Result<Self, String> {
        match path {
            PathMatch::Exact(text) => {
                let path = literal(text)?;
                Ok(Self::Whole(segments(&path).map(|text| Segment::Literal(text.to_owned())).collect()))
            }
            PathMatch::Template(text) => template(text).map(Self::Whole),
            PathMatch::Prefix(text) => {
                let path = literal(text)?;
                let mut parts: Vec<String> = segments(&path).map(str::to_owned).collect();
                if parts.last().is_some_and(String::is_empty) {
                    parts.pop();
                }
                Ok(Self::Prefix(parts))
            }
            PathMatch::Regex(text) => path_regex(text).map(Self::Regex),
        }
    }

    /// Whether a path in normal form is meant; what the variables stand for is told to `each`.
    pub(crate) fn fits<'p>(&self, path: &'p str, mut each: impl FnMut(&str, &'p str)) -> bool {
        match self {
            Self::Whole(pattern) => fits_whole(pattern, path, each),
            Self::Prefix(pattern) => {
                let mut found = segments(path);
                pattern.iter().all(|wanted| found.next() == Some(wanted))
            }
            Self::Regex(regex) => {
                let Some(captures) = regex.captures(path) else { return false };
                for name in regex.capture_names().flatten() {
                    each(name, captures.name(name).map_or("", |found| found.as_str()));
                }
                true
            }
        }
    }

    /// The names that a rewrite may use.
    pub(crate) fn variables(&self) -> Vec<&str> {
        match self {
            Self::Whole(pattern) => pattern.iter().filter_map(Segment::name).collect(),
            Self::Prefix(_) => Vec::new(),
            Self::Regex(regex) => regex.capture_names().flatten().collect(),
        }
    }
}

impl Segment {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Variable(name) | Self::Tail(name) => Some(name),
        }
    }

    /// The less it says, the later it goes.
    pub(crate) fn looseness(&self) -> u8 {
        match self {
            Self::Literal(_) => 0,
            Self::Variable(_) => 1,
            Self::Tail(_) => 2,
        }
    }
}

/// The segments of a path: `/a/b/` has `a`, `b` and an empty one.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

fn fits_whole<'p>(pattern: &[Segment], path: &'p str, mut each: impl FnMut(&str, &'p str)) -> bool {
    let mut rest = path.strip_prefix('/');
    for segment in pattern {
        if let Segment::Tail(name) = segment {
            each(name, rest.unwrap_or_default());
            return true;
        }
        let Some(left) = rest else { return false };
        let (found, behind) = match left.split_once('/') {
            Some((found, behind)) => (found, Some(behind)),
            None => (left, None),
        };
        match segment {
            Segment::Literal(text) if text == found => {}
            Segment::Variable(name) if !found.is_empty() => each(name, found),
            _ => return false,
        }
        rest = behind;
    }
    rest.is_none()
}

/// A path of a configuration in normal form; characters that are no part of a URL are escaped.
pub(crate) fn literal(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err(format!("the path `{text}` does not begin with `/`"));
    }
    if let Some(found) = text.chars().find(|char| matches!(char, '?' | '#' | '\\') || char.is_control()) {
        return Err(format!(
            "the path `{text}` has `{}` in it; a query has a key of its own",
            found.escape_default()
        ));
    }
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            0x21..=0x7e => escaped.push(char::from(byte)),
            _ => push_escape(byte, &mut escaped),
        }
    }
    let normal = Path::read(&escaped).normal().to_owned();
    if segments(&normal).count() > SEGMENTS_MAX {
        return Err(format!("the path `{text}` has more than {SEGMENTS_MAX} segments"));
    }
    Ok(normal)
}

fn template(text: &str) -> Result<Vec<Segment>, String> {
    let braces = |segment: &str| segment.contains(['{', '}']);
    let mut parsed: Vec<Segment> = Vec::new();
    let mut ended = false;
    for segment in segments(text) {
        if ended {
            return Err(format!("the template `{text}` goes on behind its rest `{{…*}}`, which takes all"));
        }
        let inner = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let part = match inner {
            Some(name) => variable(name, text)?,
            None if braces(segment) => {
                return Err(format!(
                    "the template `{text}` has a brace inside of a segment; a variable is a whole one"
                ));
            }
            None => Segment::Literal(segment.to_owned()),
        };
        ended = matches!(part, Segment::Tail(_));
        if part.name().is_some_and(|name| parsed.iter().any(|other| other.name() == Some(name))) {
            return Err(format!("the template `{text}` has two variables of one name"));
        }
        parsed.push(part);
    }
    // The literals are normalised within the whole, where dots and doubled slashes have their meaning.
    let plain: Vec<&str> =
        parsed.iter().map(|part| if let Segment::Literal(text) = part { text } else { "x" }).collect();
    let normal = literal(&format!("/{}", plain.join("/")))?;
    if !text.starts_with('/') || segments(&normal).count() != parsed.len() {
        return Err(format!(
            "the template `{text}` is not written in normal form: it begins with `/`, without `//`, `.` and `..`"
        ));
    }
    for (part, text) in parsed.iter_mut().zip(segments(&normal)) {
        if let Segment::Literal(literal) = part {
            text.clone_into(literal);
        }
    }
    Ok(parsed)
}

fn variable(inner: &str, text: &str) -> Result<Segment, String> {
    let (name, tail) = match inner.strip_suffix('*') {
        Some(name) => (name, true),
        None => (inner, false),
    };
    let named = name.starts_with(|char: char| char.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !named {
        return Err(format!(
            "`{{{inner}}}` in the template `{text}` is no variable: its name is letters, digits and `_`"
        ));
    }
    Ok(if tail { Segment::Tail(name.to_owned()) } else { Segment::Variable(name.to_owned()) })
}

/// An expression for a whole path in normal form; one that can be seen to fit none is refused.
fn path_regex(text: &str) -> Result<Regex, String> {
    let regex = whole_regex(text)?;
    if let Some(raw) = text.chars().find(|char| !char.is_ascii()) {
        let mut escaped = String::new();
        raw.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_escape(byte, &mut escaped));
        return Err(format!("`{text}` fits no path: in their normal form `{raw}` is `{escaped}`"));
    }
    let begin = text.trim_start_matches('^');
    let mut chars = begin.chars();
    let literal = chars.next().is_some_and(|first| first.is_ascii_alphanumeric() || "_-~%".contains(first));
    let optional = chars.next().is_some_and(|second| "?*{".contains(second));
    if literal && !optional && !text.contains('|') {
        return Err(format!("`{text}` fits no path: it is for the whole path, which begins with `/`"));
    }
    Ok(regex)
}

/// An expression that stands for the whole of a text, in linear time and with bounded memory.
fn whole_regex(text: &str) -> Result<Regex, String> {
    let regex = regex::RegexBuilder::new(&whole(text)?).size_limit(REGEX_BYTES_MAX).build();
    regex.map_err(|error| not_compiled(text, &error))
}

/// The same for bytes.
pub(super) fn whole_bytes_regex(text: &str) -> Result<regex::bytes::Regex, String> {
    let regex = regex::bytes::RegexBuilder::new(&whole(text)?).size_limit(REGEX_BYTES_MAX).build();
    regex.map_err(|error| not_compiled(text, &error))
}

/// The expression for the whole of a text. It is parsed by itself, so that it cannot close the group it is put in.
fn whole(text: &str) -> Result<String, String> {
    let parsed = regex_syntax::ParserBuilder::new().utf8(false).build().parse(text);
    parsed.map_err(|error| not_compiled(text, &error))?;
    Ok(anchored(text))
}

fn not_compiled(text: &str, error: &dyn std::fmt::Display) -> String {
    let last = error.to_string();
    let last = last.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
    format!("the regular expression `{text}` cannot be compiled: {last}")
}

/// The expression for the whole of a text, of one that is sound by itself.
pub(crate) fn anchored(text: &str) -> String {
    format!(r"\A(?:{text})\z")
}
