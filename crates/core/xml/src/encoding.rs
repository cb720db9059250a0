//! Bytes to text: UTF-8, UTF-16, ISO-8859-1, Windows-1252 and ASCII, by byte order mark and XML declaration.
//!
//! Source: Extensible Markup Language 1.0 (fifth edition), 4.3.3 and appendix F.

use std::borrow::Cow;
use std::fmt;

/// Why bytes are no text.
#[derive(Debug, PartialEq, Eq)]
pub enum EncodingError {
    /// A declared encoding that is not read here.
    Unknown(String),
    /// Bytes that do not belong to the encoding; everything before `offset` does.
    Malformed {
        /// The name of the encoding.
        encoding: &'static str,
        /// The first byte that does not belong to it.
        offset: usize,
    },
    /// The declaration names an encoding that the bytes are visibly not in.
    Contradiction {
        /// What it names.
        declared: &'static str,
    },
}

impl fmt::Display for EncodingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "encoding `{name}` is not read"),
            Self::Malformed { encoding, offset } => write!(f, "byte {offset} is not {encoding}"),
            Self::Contradiction { declared } => {
                write!(f, "the XML declaration says {declared}, but the bytes are not")
            }
        }
    }
}

impl std::error::Error for EncodingError {}

impl EncodingError {
    /// What of the document is text before the trouble; empty when that cannot be told.
    pub fn readable<'b>(&self, bytes: &'b [u8]) -> &'b str {
        let Self::Malformed { offset, .. } = self else { return "" };
        // What comes before is text in the two encodings where bytes are counted as they are.
        let before = std::str::from_utf8(&bytes[..*offset]).unwrap_or_default();
        before.strip_prefix('\u{FEFF}').unwrap_or(before)
    }
}

/// Decodes a whole document; the byte order mark is dropped.
///
/// # Errors
/// When the bytes are not in the encoding that they begin with or declare, or that is not read here.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, EncodingError> {
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return behind(3, utf8(rest));
    }
    match bytes {
        [0xFF, 0xFE, rest @ ..] => behind(2, utf16(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => behind(2, utf16(rest, u16::from_be_bytes)),
        [b'<', 0, _, 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0, b'<', 0, _, ..] => utf16(bytes, u16::from_be_bytes),
        _ => declared(bytes),
    }
}

/// Counts from the start of the document what was counted behind its byte order mark.
fn behind(mark: usize, decoded: Result<Cow<'_, str>, EncodingError>) -> Result<Cow<'_, str>, EncodingError> {
    decoded.map_err(|error| match error {
        EncodingError::Malformed { encoding, offset } => {
            EncodingError::Malformed { encoding, offset: offset + mark }
        }
        EncodingError::Unknown(_) | EncodingError::Contradiction { .. } => error,
    })
}

fn declared(bytes: &[u8]) -> Result<Cow<'_, str>, EncodingError> {
    let Some(name) = declaration(bytes) else {
        return utf8(bytes);
    };
    match &*name.to_ascii_lowercase() {
        "utf-8" | "utf8" => utf8(bytes),
        "us-ascii" | "ascii" => match bytes.iter().position(|byte| !byte.is_ascii()) {
            None => utf8(bytes),
            Some(offset) => Err(EncodingError::Malformed { encoding: "ASCII", offset }),
        },
        "iso-8859-1" | "latin1" | "iso_8859-1" => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        "windows-1252" | "cp1252" => windows_1252(bytes),
        "utf-16" | "utf-16le" | "utf-16be" => Err(EncodingError::Contradiction { declared: "UTF-16" }),
        _ => Err(EncodingError::Unknown(name.to_owned())),
    }
}

/// The encoding that an XML declaration in an ASCII-compatible encoding names.
fn declaration(bytes: &[u8]) -> Option<&str> {
    // A declaration is short; looking no further keeps a document without an end of it cheap.
    let head = bytes.strip_prefix(b"<?xml")?;
    let head = &head[..head.len().min(256)];
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let head = std::str::from_utf8(&head[..end]).ok()?;
    let value = head[head.find("encoding")? + 8..].trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split(quote).next()
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, EncodingError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => Err(EncodingError::Malformed { encoding: "UTF-8", offset: error.valid_up_to() }),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, EncodingError> {
    let malformed = |offset| EncodingError::Malformed { encoding: "UTF-16", offset };
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    let mut units = 0;
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let decoded = decoded.map_err(|_| malformed(units * 2))?;
        units += decoded.len_utf16();
        text.push(decoded);
    }
    if rest.is_empty() { Ok(Cow::Owned(text)) } else { Err(malformed(bytes.len() - 1)) }
}

fn windows_1252(bytes: &[u8]) -> Result<Cow<'_, str>, EncodingError> {
    // 0x80 to 0x9F; the five holes are no characters.
    const HIGH: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’',
        '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    let mut text = String::with_capacity(bytes.len());
    for (offset, byte) in bytes.iter().enumerate() {
        let decoded = match byte {
            0x80..=0x9F => HIGH[usize::from(byte - 0x80)],
            _ => char::from(*byte),
        };
        if decoded == '\0' && *byte != 0 {
            return Err(EncodingError::Malformed { encoding: "Windows-1252", offset });
        }
        text.push(decoded);
    }
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_bytes(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn reads_what_models_are_written_in() {
        assert_eq!(decode("\u{FEFF}<a>é</a>".as_bytes()), Ok("<a>é</a>".into()));
        assert_eq!(decode(&utf16_bytes("\u{FEFF}<a>é😀</a>", u16::to_le_bytes)), Ok("<a>é😀</a>".into()));
        assert_eq!(decode(&utf16_bytes("<a>é😀</a>", u16::to_be_bytes)), Ok("<a>é😀</a>".into()));
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9\x80</a>";
        assert!(decode(latin).is_ok_and(|text| text.ends_with("<a>é\u{80}</a>")));
        let windows = b"<?xml version='1.0' encoding = \"windows-1252\"?><a>\xE9\x80</a>";
        assert!(decode(windows).is_ok_and(|text| text.ends_with("<a>é€</a>")));
    }

    #[test]
    fn says_where_bytes_stop_being_text() {
        let at = |bytes: &[u8]| match decode(bytes) {
            Err(EncodingError::Malformed { offset, .. }) => offset,
            other => panic!("{other:?}"),
        };
        assert_eq!(at(b"<a>\xE9</a>"), 3);
        assert_eq!(at(b"\xEF\xBB\xBF<a>\xE9</a>"), 6);
        assert_eq!(at(b"\xFF\xFE<\0a\0\x00\xDC>\0"), 6);
        assert_eq!(at(b"\xFF\xFE<\0a\0>"), 6);
        assert_eq!(
            decode(b"<?xml encoding='EBCDIC'?><a/>"),
            Err(EncodingError::Unknown("EBCDIC".to_owned()))
        );
        assert_eq!(
            decode(b"<?xml encoding='utf-16'?><a/>"),
            Err(EncodingError::Contradiction { declared: "UTF-16" })
        );
    }
}
