//! The path and query that a request is for.

use bytes::Bytes;

use super::{Authority, Fault, Limits};

/// A path with an optional query, byte for byte as it came; or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    text: Bytes,
    path_bytes: usize,
}

impl Target {
    /// Reads a path with an optional query, or `*`.
    ///
    /// # Errors
    /// When it is too long, has bytes that no URL has, bad escapes in its path, or leads above the root.
    pub fn read(text: Bytes, limits: &Limits) -> Result<Self, Fault> {
        if text.len() > limits.target_bytes_max {
            return Err(Fault::TargetLong);
        }
        if &text[..] == b"*" {
            return Ok(Self { text, path_bytes: 1 });
        }
        if text.first() != Some(&b'/') {
            return Err(Fault::TargetForm);
        }
        if !text.iter().all(|byte| (0x21..=0x7e).contains(byte) && *byte != b'#') {
            return Err(Fault::TargetByte);
        }
        let path_bytes = text.iter().position(|byte| *byte == b'?').unwrap_or(text.len());
        check_path(&text[..path_bytes])?;
        Ok(Self { text, path_bytes })
    }

    /// Reads the target of an HTTP/1 request: a path, or a URL whose authority then counts instead of `Host`.
    pub(super) fn read_line(
        text: &Bytes,
        secure: bool,
        limits: &Limits,
    ) -> Result<(Self, Option<Authority>), Fault> {
        let scheme: &[u8] = if secure { b"https://" } else { b"http://" };
        match text.split_at_checked(scheme.len()) {
            Some((found, rest)) if found.eq_ignore_ascii_case(scheme) => {
                if text.len() > limits.target_bytes_max {
                    return Err(Fault::TargetLong);
                }
                let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
                let authority = Authority::read(text.slice_ref(&rest[..end]))?;
                let path = match rest.get(end) {
                    None => Bytes::from_static(b"/"),
                    Some(b'/') => text.slice_ref(&rest[end..]),
                    Some(_) => [b"/", &rest[end..]].concat().into(),
                };
                Ok((Self::read(path, limits)?, Some(authority)))
            }
            _ => Ok((Self::read(text.clone(), limits)?, None)),
        }
    }

    /// Path and query, as they came.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).expect("it was read as ASCII")
    }

    /// Path and query, as they came, shared.
    pub fn bytes(&self) -> &Bytes {
        &self.text
    }

    /// The path, as it came.
    pub fn path(&self) -> &str {
        &self.as_str()[..self.path_bytes]
    }

    /// The query without its `?`, when there is one.
    pub fn query(&self) -> Option<&str> {
        self.as_str()[self.path_bytes..].strip_prefix('?')
    }

    /// Whether it is `*`, which is about the server and not about anything on it.
    pub fn is_asterisk(&self) -> bool {
        &self.text[..] == b"*"
    }
}

/// Escapes are whole and none is `%00`; dots do not lead above the root, also when they are escaped.
fn check_path(path: &[u8]) -> Result<(), Fault> {
    if path.contains(&b'%') {
        check_escapes(path)?;
    }
    let mut depth = 0_usize;
    // A doubled slash is one: a program that merges them must not be led above the root either.
    for segment in path.split(|byte| *byte == b'/').filter(|segment| !segment.is_empty()) {
        match dots(segment) {
            Some(1) => {}
            Some(2) => depth = depth.checked_sub(1).ok_or(Fault::AboveRoot)?,
            _ => depth += 1,
        }
    }
    Ok(())
}

fn check_escapes(path: &[u8]) -> Result<(), Fault> {
    let mut rest = path;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        match rest[at..] {
            [_, b'0', b'0', ..] => return Err(Fault::TargetEscape),
            [_, high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest = &rest[at + 3..];
            }
            _ => return Err(Fault::TargetEscape),
        }
    }
    Ok(())
}

/// How many dots a segment is made of, if of nothing else and at most two.
fn dots(mut segment: &[u8]) -> Option<usize> {
    if segment.len() > 6 {
        return None;
    }
    let mut dots = 0;
    while !segment.is_empty() {
        segment = match segment {
            [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] => rest,
            _ => return None,
        };
        dots += 1;
    }
    (dots <= 2).then_some(dots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Target, Fault> {
        Target::read(Bytes::copy_from_slice(text), &Limits::default())
    }

    #[test]
    fn keeps_path_and_query_byte_for_byte() {
        for (text, path, query) in [
            ("/", "/", None),
            ("/a/%2e%2e/b", "/a/%2e%2e/b", None),
            ("/a?", "/a", Some("")),
            ("/x?x=%2f../&y=+%20&&=?%zz", "/x", Some("x=%2f../&y=+%20&&=?%zz")),
            ("//a/../b/..;/c\\..", "//a/../b/..;/c\\..", None),
            ("/.../..a", "/.../..a", None),
        ] {
            let target = read(text.as_bytes()).expect(text);
            assert_eq!((target.path(), target.query(), target.as_str()), (path, query, text));
        }
    }

    #[test]
    fn names_what_is_wrong_with_a_target() {
        for (text, fault) in [
            (&b""[..], Fault::TargetForm),
            (b"a", Fault::TargetForm),
            (b"a:80", Fault::TargetForm),
            (b"**", Fault::TargetForm),
            (b"/a b", Fault::TargetByte),
            (b"/\x00", Fault::TargetByte),
            (b"/\xc3\xa9", Fault::TargetByte),
            (b"/a?\x7f", Fault::TargetByte),
            (b"/a#b", Fault::TargetByte),
            (b"/%00", Fault::TargetEscape),
            (b"/%zz", Fault::TargetEscape),
            (b"/%", Fault::TargetEscape),
            (b"/%4", Fault::TargetEscape),
            (b"/..", Fault::AboveRoot),
            (b"/../x", Fault::AboveRoot),
            (b"/a/../../x", Fault::AboveRoot),
            (b"/a/%2e%2E/.%2e/x", Fault::AboveRoot),
            (b"//..", Fault::AboveRoot),
            (b"/./../x", Fault::AboveRoot),
        ] {
            assert_eq!(read(text), Err(fault), "{}", text.escape_ascii());
        }
        assert_eq!(read(&[b"/", &[b'a'; 16 << 10][..]].concat()), Err(Fault::TargetLong));
    }

    #[test]
    fn takes_the_authority_of_a_url_of_its_own_scheme() {
        let read = |text: &'static str, secure| {
            Target::read_line(&Bytes::from(text), secure, &Limits::default()).map(|(target, authority)| {
                (target.as_str().to_owned(), authority.map(|a| a.as_str().to_owned()))
            })
        };
        let of = |target: &str, authority: &str| Ok((target.to_owned(), Some(authority.to_owned())));
        assert_eq!(read("http://b/x?y", false), of("/x?y", "b"));
        assert_eq!(read("HTTPS://b:1", true), of("/", "b:1"));
        assert_eq!(read("http://b?y", false), of("/?y", "b"));
        assert_eq!(read("http://b/x", true), Err(Fault::TargetForm));
        assert_eq!(read("ftp://b/x", false), Err(Fault::TargetForm));
        assert_eq!(read("http://u:p@a/x", false), Err(Fault::HostInvalid));
        assert_eq!(read("http:///x", false), Err(Fault::HostInvalid));
        assert_eq!(read("http://b#x", false), Err(Fault::TargetByte));
    }
}
