//! Source text to tokens, one at a time.

use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Name,
    /// A name in back-ticks.
    Quoted,
    Number,
    String,
    At,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    Comma,
    Colon,
    Dot,
    DotDot,
    Question,
    Plus,
    Minus,
    Star,
    Power,
    Slash,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    End,
    /// A string, a name in back-ticks or a comment without end.
    Unclosed,
    Unknown,
}

/// The token at or after a position; blanks and comments are passed over.
pub(crate) fn token(source: &str, from: usize) -> Token {
    use TokenKind::{
        At, Close, CloseBrace, CloseBracket, Colon, Comma, Dot, DotDot, End, Equal, Greater, GreaterOrEqual,
        Less, LessOrEqual, Minus, NotEqual, Open, OpenBrace, OpenBracket, Plus, Power, Question, Slash, Star,
        Unclosed, Unknown,
    };
    let bytes = source.as_bytes();
    let start = match skip_blanks(source, from) {
        Ok(start) => start,
        Err(start) => return Token { kind: Unclosed, start, end: bytes.len() },
    };
    let next = bytes.get(start + 1).copied();
    let (kind, length) = match bytes.get(start) {
        None => (End, 0),
        Some(b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$') => return name(source, start),
        Some(b'0'..=b'9') => return number(bytes, start),
        Some(b'.') if next.is_some_and(|byte| byte.is_ascii_digit()) => return number(bytes, start),
        Some(b'"') => return quoted(bytes, start, b'"', TokenKind::String),
        Some(b'`') => return quoted(bytes, start, b'`', TokenKind::Quoted),
        Some(b'.') if next == Some(b'.') => (DotDot, 2),
        Some(b'.') => (Dot, 1),
        Some(b'@') => (At, 1),
        Some(b'(') => (Open, 1),
        Some(b')') => (Close, 1),
        Some(b'[') => (OpenBracket, 1),
        Some(b']') => (CloseBracket, 1),
        Some(b'{') => (OpenBrace, 1),
        Some(b'}') => (CloseBrace, 1),
        Some(b',') => (Comma, 1),
        Some(b':') => (Colon, 1),
        Some(b'?') => (Question, 1),
        Some(b'+') => (Plus, 1),
        Some(b'-') => (Minus, 1),
        Some(b'*') if next == Some(b'*') => (Power, 2),
        Some(b'*') => (Star, 1),
        Some(b'/') => (Slash, 1),
        Some(b'=') => (Equal, 1),
        Some(b'!') if next == Some(b'=') => (NotEqual, 2),
        Some(b'<') if next == Some(b'=') => (LessOrEqual, 2),
        Some(b'<') => (Less, 1),
        Some(b'>') if next == Some(b'=') => (GreaterOrEqual, 2),
        Some(b'>') => (Greater, 1),
        Some(0x80..) => {
            let first = source.get(start..).and_then(|rest| rest.chars().next());
            match first {
                Some(character) if character.is_alphanumeric() => return name(source, start),
                Some(character) => (Unknown, character.len_utf8()),
                None => (Unknown, 1),
            }
        }
        Some(_) => (Unknown, 1),
    };
    Token { kind, start, end: start + length }
}

/// The position after blanks and comments, or the start of a comment without end.
fn skip_blanks(source: &str, mut at: usize) -> Result<usize, usize> {
    let bytes = source.as_bytes();
    loop {
        match bytes.get(at) {
            Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) => at += 1,
            Some(b'/') if bytes.get(at + 1) == Some(&b'/') => {
                at = bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |line| at + line);
            }
            Some(b'/') if bytes.get(at + 1) == Some(&b'*') => {
                let end = bytes[at + 2..].windows(2).position(|pair| pair == b"*/");
                at = end.map(|end| at + 2 + end + 2).ok_or(at)?;
            }
            Some(0x80..) => {
                let blank = source
                    .get(at..)
                    .and_then(|rest| rest.chars().next())
                    .filter(|c| c.is_whitespace() || *c == '\u{feff}');
                match blank {
                    Some(character) => at += character.len_utf8(),
                    None => return Ok(at),
                }
            }
            _ => return Ok(at),
        }
    }
}

fn name(source: &str, start: usize) -> Token {
    let bytes = source.as_bytes();
    let mut end = start;
    loop {
        match bytes.get(end) {
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$') => end += 1,
            Some(0x80..) => {
                let next = source.get(end..).and_then(|rest| rest.chars().next());
                match next.filter(|character| character.is_alphanumeric()) {
                    Some(character) => end += character.len_utf8(),
                    None => break,
                }
            }
            _ => break,
        }
    }
    Token { kind: TokenKind::Name, start, end }
}

fn number(bytes: &[u8], start: usize) -> Token {
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let mut end = digits(start);
    // `1..5` is a range of whole numbers, not `1.` and `.5`.
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + sign);
        }
    }
    Token { kind: TokenKind::Number, start, end }
}

fn quoted(bytes: &[u8], start: usize, quote: u8, kind: TokenKind) -> Token {
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            Some(&byte) if byte == quote => return Token { kind, start, end: at + 1 },
            Some(b'\\') if quote == b'"' => at += 2,
            Some(_) => at += 1,
            None => return Token { kind: TokenKind::Unclosed, start, end: bytes.len() },
        }
    }
}

/// The string that a literal (without its quotes) stands for. An escape that is not known keeps its backslash.
pub(crate) fn unescape(literal: &str) -> Cow<'_, str> {
    if !literal.contains('\\') {
        return Cow::Borrowed(literal);
    }
    let mut text = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(escape) = rest.chars().next() else {
            text.push('\\');
            break;
        };
        let (character, length) = match escape {
            '\'' | '"' | '\\' => (Some(escape), 1),
            'n' => (Some('\n'), 1),
            'r' => (Some('\r'), 1),
            't' => (Some('\t'), 1),
            'u' => unicode(rest, 4),
            'U' => unicode(rest, 6),
            _ => (None, 0),
        };
        text.push(character.unwrap_or('\\'));
        rest = &rest[length..];
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The character of `uXXXX` or `UXXXXXX`, and how much text that takes. Two halves of a pair make one character.
fn unicode(text: &str, digits: usize) -> (Option<char>, usize) {
    let code = |text: &str| {
        let hex = text.get(1..=digits)?;
        hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(hex, 16).ok())?
    };
    let Some(first) = code(text) else { return (None, 0) };
    if let Some(character) = char::from_u32(first) {
        return (Some(character), digits + 1);
    }
    if digits == 4
        && (0xd800..0xdc00).contains(&first)
        && let Some(rest) = text.get(5..).and_then(|rest| rest.strip_prefix('\\'))
        && rest.starts_with('u')
        && let Some(second @ 0xdc00..0xe000) = code(rest)
    {
        return (char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)), 11);
    }
    (Some(char::REPLACEMENT_CHARACTER), digits + 1)
}
