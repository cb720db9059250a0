//! Reads filter expressions: `or` binds least, then `and`, then `not`.

use std::iter::Peekable;
use std::vec::IntoIter;

use regex::{Regex, RegexBuilder};

use super::shape::{Part, Shape};
use super::token::{Token, split};
use super::{Filter, Selector, Test};

/// Bytes of an expression.
const BYTES_MAX: usize = 8192;

/// How deep parentheses and `not` may be in each other.
const DEPTH_MAX: usize = 64;

/// Patterns of an expression.
const PATTERNS_MAX: usize = 8;

/// Bytes that a pattern may take once it is compiled. What takes so many takes some milliseconds, too.
const PATTERN_BYTES_MAX: usize = 1 << 18;

pub(super) fn parse(text: &str, row: &'static Shape) -> Result<Filter, String> {
    if text.len() > BYTES_MAX {
        return Err(format!("it has more than {BYTES_MAX} bytes"));
    }
    let mut parser = Parser { tokens: split(text)?.into_iter().peekable(), row, depth: 0, patterns: 0 };
    let filter = parser.or()?;
    match parser.tokens.next() {
        None => Ok(filter),
        Some(token) => Err(format!("`{}` is too much", token.told())),
    }
}

struct Parser {
    tokens: Peekable<IntoIter<Token>>,
    row: &'static Shape,
    depth: usize,
    patterns: usize,
}

impl Parser {
    fn or(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.and()?];
        while self.word("or") {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Or(parts) })
    }

    fn and(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.not()?];
        while self.word("and") {
            parts.push(self.not()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::And(parts) })
    }

    fn not(&mut self) -> Result<Filter, String> {
        if self.depth >= DEPTH_MAX {
            return Err("it is nested too deeply".to_owned());
        }
        self.depth += 1;
        let filter = if self.word("not") {
            Filter::Not(Box::new(self.not()?))
        } else if self.sign("(") {
            let inner = self.or()?;
            if !self.sign(")") {
                return Err("a `)` is missing".to_owned());
            }
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    /// `selector == value`, `value in selector`, and so on.
    fn test(&mut self) -> Result<Filter, String> {
        if let Some(Token::Text(value)) = self.tokens.next_if(|token| matches!(token, Token::Text(_))) {
            let negated = self.word("not");
            self.need_word("in")?;
            return self.contained(value, negated);
        }
        let (selector, is_plain) = self.selector()?;
        let name = selector.join(".");
        if self.sign("==") {
            let value = self.value()?;
            return self.about(selector, false, |part| part.equals(value));
        }
        if self.sign("!=") {
            let value = self.value()?;
            return self.about(selector, true, |part| part.equals(value));
        }
        if self.word("is") {
            let negated = self.word("not");
            self.need_word("empty")?;
            return self.about(selector, negated, Part::is_empty);
        }
        let negated = self.word("not");
        if self.word("in") {
            if !is_plain {
                return Err(format!("`{name}` is a part of the row, where a value is expected"));
            }
            return self.contained(name, negated);
        }
        if self.word("contains") {
            let value = self.value()?;
            return self.about(selector, negated, |part| part.contains(value));
        }
        if self.word("matches") {
            let pattern = self.pattern()?;
            return self.about(selector, negated, |part| part.matches(pattern));
        }
        let next =
            self.tokens.next().map_or_else(|| "nothing".to_owned(), |token| format!("`{}`", token.told()));
        Err(format!("`{name}` is followed by {next}, which is no comparison"))
    }

    /// What stands behind `value in`.
    fn contained(&mut self, value: String, negated: bool) -> Result<Filter, String> {
        let (selector, _) = self.selector()?;
        self.about(selector, negated, |part| part.contains(value))
    }

    fn about(
        &self,
        selector: Selector,
        negated: bool,
        test: impl FnOnce(&Part) -> Result<Test, String>,
    ) -> Result<Filter, String> {
        let part = self.row.part(&selector)?;
        let test = test(&part).map_err(|fault| format!("`{}`: {fault}", selector.join(".")))?;
        Ok(Filter::About { selector, absent: part.absent, test, negated })
    }

    fn pattern(&mut self) -> Result<Regex, String> {
        let pattern = self.value()?;
        self.patterns += 1;
        if self.patterns > PATTERNS_MAX {
            return Err(format!("it has more than {PATTERNS_MAX} patterns"));
        }
        RegexBuilder::new(&pattern).size_limit(PATTERN_BYTES_MAX).build().map_err(|error| match error {
            regex::Error::CompiledTooBig(bytes) => format!("`{pattern}` would take more than {bytes} bytes"),
            _ => format!("`{pattern}` is no pattern"),
        })
    }

    /// A way to a part of the row, and whether it has names and dots only, as values without quotes may.
    fn selector(&mut self) -> Result<(Selector, bool), String> {
        let (mut names, mut is_plain) = (vec![self.name()?], true);
        loop {
            if self.sign(".") {
                names.push(self.name()?);
            } else if self.sign("[") {
                is_plain = false;
                match self.tokens.next() {
                    Some(Token::Text(name)) => names.push(name),
                    other => return Err(expected(other.as_ref(), "a text in quotes")),
                }
                if !self.sign("]") {
                    return Err("a `]` is missing".to_owned());
                }
            } else {
                return Ok((names, is_plain));
            }
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(name)) => Ok(name),
            other => Err(expected(other.as_ref(), "a name")),
        }
    }

    fn value(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Text(value)) => Ok(value),
            Some(Token::Word(mut value)) => {
                // Numbers and words may have dots.
                while self.sign(".") {
                    value.push('.');
                    value.push_str(&self.name()?);
                }
                Ok(value)
            }
            None => Err("a value is missing at the end".to_owned()),
            other => Err(expected(other.as_ref(), "a value")),
        }
    }

    fn word(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(found) if found == word)).is_some()
    }

    fn sign(&mut self, sign: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Sign(found) if *found == sign)).is_some()
    }

    fn need_word(&mut self, word: &str) -> Result<(), String> {
        if self.word(word) {
            return Ok(());
        }
        Err(expected(self.tokens.next().as_ref(), &format!("`{word}`")))
    }
}

fn expected(found: Option<&Token>, wanted: &str) -> String {
    match found {
        Some(token) => format!("`{}` is found where {wanted} is expected", token.told()),
        None => format!("{wanted} is missing at the end"),
    }
}
