//! The form of a path that routes are matched by.

use std::borrow::Cow;

/// A path as it came, and in normal form: unreserved characters unescaped, other escapes in capitals, dots resolved,
/// doubled slashes merged. Two paths that programs commonly read as the same have the same normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path<'a> {
    raw: &'a str,
    normal: Cow<'a, str>,
    doubtful: bool,
}

impl<'a> Path<'a> {
    /// Reads a path, without its query.
    pub fn read(raw: &'a str) -> Self {
        if is_plain(raw) {
            return Self { raw, normal: Cow::Borrowed(raw), doubtful: false };
        }
        let normal = normalize(raw);
        let doubtful = is_doubtful(&normal);
        Self { raw, normal: if normal == raw { Cow::Borrowed(raw) } else { Cow::Owned(normal) }, doubtful }
    }

    /// As it came.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// In normal form.
    pub fn normal(&self) -> &str {
        &self.normal
    }

    /// Whether it came in normal form.
    pub fn is_normal(&self) -> bool {
        self.raw == self.normal
    }

    /// Whether some programs read separators or dots in it where others read data: `%2F`, `%5C`, `\`, `..;`.
    pub fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    /// The path as those programs read it that see separators everywhere, in normal form.
    pub fn separated(&self) -> String {
        let written = self.normal.replace("%2F", "/").replace("%5C", "/").replace('\\', "/");
        let mut out = String::with_capacity(written.len());
        for segment in written.split('/').skip(1) {
            out.push('/');
            out.push_str(if has_dots_with_parameters(segment) {
                before_parameters(segment)
            } else {
                segment
            });
        }
        normalize(&out)
    }
}

/// Whether there is nothing to normalise, which nearly all paths are.
fn is_plain(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let plain = bytes.iter().all(|byte| !matches!(byte, b'%' | b'\\' | b';'));
    plain && bytes.windows(2).all(|pair| !matches!(pair, b"//" | b"/."))
}

fn normalize(raw: &str) -> String {
    let Some(rest) = raw.strip_prefix('/') else { return raw.to_owned() };
    let mut out = String::with_capacity(raw.len());
    let mut ends_with_slash = false;
    for segment in rest.split('/') {
        let start = out.len();
        out.push('/');
        unescape_into(segment, &mut out);
        ends_with_slash = match &out[start + 1..] {
            "" | "." => {
                out.truncate(start);
                true
            }
            ".." => {
                out.truncate(start);
                out.truncate(out.rfind('/').unwrap_or(0));
                true
            }
            _ => false,
        };
    }
    if ends_with_slash {
        out.push('/');
    }
    out
}

/// Writes a segment with its unreserved characters unescaped; a `%` that begins no escape is escaped.
fn unescape_into(segment: &str, out: &mut String) {
    let mut rest = segment;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let Some(byte) = escaped(&rest.as_bytes()[at..]) else {
            push_escape(b'%', out);
            rest = &rest[at + 1..];
            continue;
        };
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            push_escape(byte, out);
        }
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
}

/// The byte that an escape at the beginning stands for.
pub(super) fn escaped(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()
}

/// Writes a byte as an escape.
pub(super) fn push_escape(byte: u8, out: &mut String) {
    let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value)]);
    out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
}

/// Of a path in normal form.
fn is_doubtful(normal: &str) -> bool {
    normal.contains("%2F")
        || normal.contains("%5C")
        || normal.contains('\\')
        || normal.split('/').any(has_dots_with_parameters)
}

/// Whether a segment is `.;…` or `..;…`, which some programs read as dots.
fn has_dots_with_parameters(segment: &str) -> bool {
    let name = before_parameters(segment);
    name.len() < segment.len() && matches!(name, "." | "..")
}

fn before_parameters(segment: &str) -> &str {
    let end = [segment.find(';'), segment.find("%3B")].into_iter().flatten().min();
    &segment[..end.unwrap_or(segment.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Dice;

    #[test]
    fn normalises() {
        for (raw, normal) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/", "/a/"),
            ("//a///b//", "/a/b/"),
            ("/./a/./b/.", "/a/b/"),
            ("/a/../b", "/b"),
            ("/a/b/..", "/a/"),
            ("/a//../b", "/b"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/.%2e", "/"),
            ("/%61%2D%7e", "/a-~"),
            ("/a%2fb%c3%a9", "/a%2Fb%C3%A9"),
            ("/...//..a", "/.../..a"),
            ("/a%", "/a%25"),
            ("/%4", "/%254"),
            ("/%%341", "/%2541"),
            ("/%2541", "/%2541"),
            ("*", "*"),
        ] {
            let path = Path::read(raw);
            assert_eq!((path.raw(), path.normal()), (raw, normal));
            assert_eq!(path.is_normal(), raw == normal);
        }
    }

    #[test]
    fn knows_what_is_read_in_two_ways() {
        for (raw, separated) in [
            ("/a%2fb", "/a/b"),
            ("/a%5Cb", "/a/b"),
            ("/a\\..\\b", "/b"),
            ("/a/..;/b", "/b"),
            ("/a/..;x=1/b", "/b"),
            ("/a/.;/b", "/a/b"),
            ("/a/%2e.%3bx/b", "/b"),
            ("/..;/..%2f", "/"),
        ] {
            let path = Path::read(raw);
            assert!(path.is_doubtful(), "{raw}");
            assert_eq!(path.separated(), separated, "{raw}");
        }
        for raw in ["/a;x=1/b", "/a..;/b", "/%252f", "/...;/a", "/a/../b"] {
            assert!(!Path::read(raw).is_doubtful(), "{raw}");
        }
    }

    #[test]
    fn a_normal_form_is_its_own() {
        let pieces = ["/", "/", ".", "..", "%2e", "%2f", "%", "a", "%41", ";", "%3b", "\\", "é", "%c3"];
        let mut dice = Dice::seeded(11);
        for _ in 0..20_000 {
            let mut raw = "/".to_owned();
            for _ in 0..dice.below(9) {
                raw.push_str(pieces[dice.index(pieces.len())]);
            }
            let normal = Path::read(&raw).normal().to_owned();
            assert!(Path::read(&normal).is_normal(), "{raw} gives {normal}");
            assert!(normal.starts_with('/') && !normal.contains("//"), "{raw} gives {normal}");
            let separated = Path::read(&raw).separated();
            assert!(!Path::read(&separated).is_doubtful(), "{raw} gives {separated}");
        }
    }
}
