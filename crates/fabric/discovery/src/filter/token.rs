//! The words of a filter expression.

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, a number, a word of the language.
    Word(String),
    /// A text in quotes.
    Text(String),
    /// Anything else: `(` `)` `[` `]` `.` `==` `!=`.
    Sign(&'static str),
}

impl Token {
    /// As it is told of.
    pub(super) fn told(&self) -> &str {
        match self {
            Self::Word(text) | Self::Text(text) => text,
            Self::Sign(sign) => sign,
        }
    }
}

const SIGNS: [&str; 7] = ["==", "!=", "(", ")", "[", "]", "."];

/// Splits an expression into its words.
pub(super) fn split(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, behind) = if first == '"' || first == '`' {
            quoted(&rest[1..], first)?
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            (Token::Sign(sign), &rest[sign.len()..])
        } else {
            let end = rest.find(|char| !is_of_word(char)).unwrap_or(rest.len());
            if end == 0 {
                return Err(format!("`{first}` is not known here"));
            }
            (Token::Word(rest[..end].to_owned()), &rest[end..])
        };
        tokens.push(token);
        rest = behind.trim_start();
    }
    Ok(tokens)
}

fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '-' | '/' | ':')
}

/// A text behind its opening quote; `\` stands before a letter that is meant as it is, but not between backticks.
fn quoted(text: &str, quote: char) -> Result<(Token, &str), String> {
    let mut content = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            char if char == quote => return Ok((Token::Text(content), &text[at + char.len_utf8()..])),
            '\\' if quote == '"' => content.extend(chars.next().map(|(_, char)| char)),
            char => content.push(char),
        }
    }
    Err("a text does not end".to_owned())
}
