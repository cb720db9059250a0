//! The words of a line of a script.

use std::iter::Peekable;
use std::str::Chars;

/// The words of a line: parts between blanks, texts in double quotes, JSON objects.
#[derive(Debug)]
pub struct Words<'a> {
    line: &'a str,
    words: std::vec::IntoIter<String>,
}

impl<'a> Words<'a> {
    /// Splits a line.
    ///
    /// # Errors
    /// When a text or an object does not end.
    pub fn split(line: &'a str) -> Result<Self, String> {
        let mut words = Vec::new();
        let mut chars = line.chars().peekable();
        while let Some(&char) = chars.peek() {
            let word = match char {
                char if char.is_whitespace() => {
                    chars.next();
                    continue;
                }
                '"' => quoted(&mut chars).ok_or("a text does not end")?,
                '{' => object(&mut chars).ok_or("a JSON object does not end")?,
                _ => plain(&mut chars),
            };
            words.push(word);
        }
        Ok(Self { line, words: words.into_iter() })
    }

    /// The whole line.
    pub const fn line(&self) -> &'a str {
        self.line
    }

    /// The next word, which must be there.
    ///
    /// # Errors
    /// When there is none.
    pub fn need(&mut self, what: &str) -> Result<String, String> {
        self.words.next().ok_or_else(|| format!("{what} is missing"))
    }

    /// The next word, if there is one.
    pub fn take(&mut self) -> Option<String> {
        self.words.next()
    }

    /// The next word if it is this one.
    pub fn flag(&mut self, word: &str) -> bool {
        let found = self.words.as_slice().first().is_some_and(|next| next == word);
        if found {
            self.words.next();
        }
        found
    }

    /// The next word if `takes` says so.
    pub fn next_if(&mut self, takes: impl Fn(&str) -> bool) -> Option<String> {
        if takes(self.words.as_slice().first()?) { self.words.next() } else { None }
    }

    /// The next word as a JSON object, or the empty one.
    pub fn object(&mut self) -> String {
        self.next_if(|word| word.starts_with('{')).unwrap_or_default()
    }

    /// The next word as a number.
    ///
    /// # Errors
    /// When it is another word.
    pub fn number<N: std::str::FromStr>(&mut self) -> Result<Option<N>, String> {
        let digits = |word: &str| word.trim_start_matches('-').chars().all(|char| char.is_ascii_digit());
        match self.next_if(digits) {
            None => Ok(None),
            Some(word) => word.parse().map(Some).map_err(|_| format!("`{word}` is too large")),
        }
    }

    /// The next word as a duration in milliseconds.
    ///
    /// # Errors
    /// When its number is too large.
    pub fn duration(&mut self) -> Result<Option<i64>, String> {
        match self.next_if(|word| parse_duration(word).is_some()) {
            None => Ok(None),
            Some(word) => Ok(parse_duration(&word)),
        }
    }

    /// All that is left.
    pub fn rest(&mut self) -> Vec<String> {
        self.words.by_ref().collect()
    }
}

/// Milliseconds of `10s`, `500ms` or `2m`.
fn parse_duration(word: &str) -> Option<i64> {
    let unit = word.trim_start_matches('-').trim_start_matches(|char: char| char.is_ascii_digit());
    let number: i64 = word[..word.len() - unit.len()].parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => return None,
    };
    number.checked_mul(millis)
}

fn plain(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::new();
    while let Some(char) = chars.next_if(|char| !char.is_whitespace()) {
        word.push(char);
    }
    word
}

fn quoted(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    chars.next();
    let mut word = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(word),
            '\\' => word.push(chars.next()?),
            char => word.push(char),
        }
    }
}

fn object(chars: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut word = String::new();
    let mut depth = 0;
    let mut text = false;
    loop {
        let char = chars.next()?;
        word.push(char);
        match char {
            '\\' if text => word.push(chars.next()?),
            '"' => text = !text,
            '{' if !text => depth += 1,
            '}' if !text => {
                depth -= 1;
                if depth == 0 {
                    return Some(word);
                }
            }
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_texts_and_objects() {
        let mut words = Words::split(r#"fail job:a 0 "no \"stock\"" 5s {"a":{"b":"} x"}}"#).unwrap();
        assert_eq!(words.rest(), ["fail", "job:a", "0", "no \"stock\"", "5s", r#"{"a":{"b":"} x"}}"#]);
        assert!(Words::split("create a {").is_err());
    }

    #[test]
    fn reads_durations() {
        assert_eq!(parse_duration("10s"), Some(10_000));
        assert_eq!(parse_duration("-1ms"), Some(-1));
        assert_eq!(parse_duration("10"), None);
    }
}
