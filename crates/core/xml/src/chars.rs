//! Names, characters and references.

use std::borrow::Cow;

/// Whether text is a name without a colon, as identifiers must be.
pub fn is_ncname(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

fn is_name_start(c: char) -> bool {
    match c {
        'A'..='Z' | 'a'..='z' | '_' => true,
        '\0'..='\u{7F}' | '\u{D7}' | '\u{F7}' | '\u{37E}' => false,
        '\u{C0}'..='\u{2FF}'
        | '\u{370}'..='\u{1FFF}'
        | '\u{200C}'..='\u{200D}'
        | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}' => true,
        _ => false,
    }
}

fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// The first character that XML does not allow anywhere, by its offset.
pub(super) fn forbidden(text: &str) -> Option<usize> {
    let control = text.bytes().position(|byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'));
    let noncharacter = text.find(['\u{FFFE}', '\u{FFFF}']);
    control.into_iter().chain(noncharacter).min()
}

pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Resolves references and line ends of a text between tags.
///
/// # Errors
/// The offset in `raw` of a reference that means nothing, or of a `]]>`.
pub(super) fn content(raw: &str) -> Result<Cow<'_, str>, usize> {
    if let Some(at) = raw.find("]]>") {
        return Err(at);
    }
    expand(raw, |c| c)
}

/// Resolves references of an attribute; blanks in it count as spaces.
///
/// # Errors
/// The offset in `raw` of a reference that means nothing.
pub(super) fn attribute(raw: &str) -> Result<Cow<'_, str>, usize> {
    expand(raw, |c| if matches!(c, '\t' | '\n') { ' ' } else { c })
}

/// Line ends only, as in a CDATA section.
pub(super) fn verbatim(raw: &str) -> Cow<'_, str> {
    if raw.contains('\r') {
        Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(raw)
    }
}

fn expand(raw: &str, literal: fn(char) -> char) -> Result<Cow<'_, str>, usize> {
    let special = |byte: u8| byte == b'&' || byte == b'\r' || (literal(char::from(byte)) != char::from(byte));
    if !raw.bytes().any(special) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.bytes().position(special) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (c, taken) = match rest.as_bytes() {
            [b'&', ..] => reference(rest).ok_or(raw.len() - rest.len())?,
            [b'\r', b'\n', ..] => (literal('\n'), 2),
            [b'\r', ..] => (literal('\n'), 1),
            [other, ..] => (literal(char::from(*other)), 1),
            [] => break,
        };
        text.push(c);
        rest = &rest[taken..];
    }
    text.push_str(rest);
    Ok(Cow::Owned(text))
}

/// The character that a reference stands for, and the reference's length in bytes.
fn reference(text: &str) -> Option<(char, usize)> {
    // Long enough for any character's number with a few leading zeros.
    let end = text.bytes().take(16).position(|byte| byte == b';')?;
    let c = match &text[1..end] {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        name => {
            let number = name.strip_prefix('#')?;
            let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
            if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            let c = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
            if matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
            {
                return None;
            }
            c
        }
    };
    Some((c, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_references_and_line_ends() {
        assert_eq!(content("a&lt;&#65;&#x1F600;\r\nb\rc"), Ok("a<A😀\nb\nc".into()));
        assert_eq!(attribute("a\tb\r\nc&#10;d"), Ok("a b c\nd".into()));
        assert_eq!(verbatim("a\r\n&amp;"), "a\n&amp;");
    }

    #[test]
    fn finds_references_that_mean_nothing() {
        for (text, at) in [("ab&nbsp;", 2), ("&", 0), ("x&;", 1), ("&#0;", 0), ("&#xD800;", 0), ("&#+9;", 0)]
        {
            assert_eq!(attribute(text), Err(at), "{text}");
        }
        assert_eq!(content("a]]>"), Err(1));
    }

    #[test]
    fn knows_names() {
        assert!(is_ncname("Activity_0-x.1") && is_ncname("日本") && is_ncname("_a"));
        assert!(
            !is_ncname("") && !is_ncname("1a") && !is_ncname("a:b") && !is_ncname("a b") && !is_ncname("-a")
        );
    }
}
