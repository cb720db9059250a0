//! Reads filter expressions: `or` binds least, then `and`, then `not`.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::token::{Token, split};
use super::{Filter, Selector, Test};

/// Bytes of an expression.
const BYTES_MAX: usize = 8192;

/// How deep parentheses and `not` may be in each other.
const DEPTH_MAX: usize = 64;

/// Bytes that a pattern may take once it is compiled.
const PATTERN_BYTES_MAX: usize = 1 << 20;

pub(super) fn parse(text: &str) -> Result<Filter, String> {
    if text.len() > BYTES_MAX {
        return Err(format!("it has more than {BYTES_MAX} bytes"));
    }
    let mut parser = Parser { tokens: split(text)?.into_iter().peekable(), depth: 0 };
    let filter = parser.or()?;
    match parser.tokens.next() {
        None => Ok(filter),
        Some(token) => Err(format!("`{}` is too much", token.told())),
    }
}

struct Parser {
    tokens: Peekable<IntoIter<Token>>,
    depth: usize,
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
            return Ok(negate(negated, Filter::Test(self.selector()?, Test::Contains(value))));
        }
        let selector = self.selector()?;
        if self.sign("==") {
            return Ok(Filter::Test(selector, Test::Equals(self.value()?)));
        }
        if self.sign("!=") {
            return Ok(negate(true, Filter::Test(selector, Test::Equals(self.value()?))));
        }
        if self.word("is") {
            let negated = self.word("not");
            self.need_word("empty")?;
            return Ok(negate(negated, Filter::Test(selector, Test::IsEmpty)));
        }
        let negated = self.word("not");
        if self.word("contains") {
            return Ok(negate(negated, Filter::Test(selector, Test::Contains(self.value()?))));
        }
        if self.word("matches") {
            let pattern = self.value()?;
            let compiled = regex::RegexBuilder::new(&pattern).size_limit(PATTERN_BYTES_MAX).build();
            let compiled = compiled.map_err(|_| format!("`{pattern}` is no pattern"))?;
            return Ok(negate(negated, Filter::Test(selector, Test::Matches(Box::new(compiled)))));
        }
        let next =
            self.tokens.next().map_or_else(|| "nothing".to_owned(), |token| format!("`{}`", token.told()));
        Err(format!("`{}` is followed by {next}, which is no comparison", selector.join(".")))
    }

    fn selector(&mut self) -> Result<Selector, String> {
        let mut names = vec![self.name()?];
        loop {
            if self.sign(".") {
                names.push(self.name()?);
            } else if self.sign("[") {
                match self.tokens.next() {
                    Some(Token::Text(name)) => names.push(name),
                    other => return Err(expected(other.as_ref(), "a text in quotes")),
                }
                if !self.sign("]") {
                    return Err("a `]` is missing".to_owned());
                }
            } else {
                return Ok(names);
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

fn negate(negated: bool, filter: Filter) -> Filter {
    if negated { Filter::Not(Box::new(filter)) } else { filter }
}
