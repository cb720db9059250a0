//! Tokens to tree, by recursive descent; operators by their binding power.

mod call;
mod collection;
mod iterate;
mod name;
mod operator;
mod primary;
mod spaced;
mod test;
mod types;

use std::sync::Arc;

use crate::ast::{Kind, Node, Test};
use crate::lexer::{self, Token, TokenKind};
use crate::{Dialect, ParseError};

use name::Names;

/// How deep expressions may stand inside each other in one source.
const DEPTH_MAX: u32 = 128;
/// How often parsing may go back and read a place in another way.
const ATTEMPTS_MAX: u32 = 32;
/// Longest source, so that offsets fit and a tree stays in proportion.
const SOURCE_MAX: usize = 1 << 20;

/// A parsed source.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) root: Node,
    /// Places that the frame of the expression has.
    pub(crate) slots: u32,
    /// Names read from the scope, each once, in order of their first use.
    pub(crate) free: Vec<Arc<str>>,
}

type Result<T> = std::result::Result<T, ParseError>;

/// Parses one expression.
pub(crate) fn expression(dialect: Dialect, names: &[&str], source: &str) -> Result<Parsed> {
    let mut parser = Parser::new(dialect, names, source)?;
    let root = parser.expression()?;
    parser.finish(root, "an operator or the end")
}

/// Parses unary tests. The input is slot 0.
pub(crate) fn unary_tests(dialect: Dialect, names: &[&str], source: &str) -> Result<Parsed> {
    let mut parser = Parser::new(dialect, names, source)?;
    let slot = parser.names.declare("?");
    let tests: Vec<Test> = parser.tests(slot)?;
    let root = Node { kind: Kind::Tests(tests.into(), slot), at: 0 };
    parser.finish(root, "`,` or the end")
}

pub(crate) struct Parser<'a> {
    source: &'a str,
    dialect: Dialect,
    /// Names that cannot be found by their words alone.
    known: &'a [&'a str],
    token: Token,
    depth: u32,
    /// Whether a `[` after an operand may be the end of a range.
    range_end: bool,
    /// How many more times parsing may go back.
    attempts: u32,
    names: Names,
}

impl<'a> Parser<'a> {
    fn new(dialect: Dialect, known: &'a [&'a str], source: &'a str) -> Result<Self> {
        if source.len() > SOURCE_MAX {
            let found = format!("{} bytes", source.len());
            return Err(ParseError::new(source, 0, format!("at most {SOURCE_MAX} bytes"), found));
        }
        Ok(Self {
            source,
            dialect,
            known,
            token: lexer::token(source, 0),
            depth: 0,
            range_end: false,
            attempts: ATTEMPTS_MAX,
            names: Names::default(),
        })
    }

    fn finish(self, root: Node, expected: &str) -> Result<Parsed> {
        if self.token.kind != TokenKind::End {
            return Err(self.unexpected(expected));
        }
        let (slots, free) = self.names.finish();
        Ok(Parsed { root, slots, free })
    }

    /// One expression, whatever stands around it.
    fn expression(&mut self) -> Result<Node> {
        let range_end = std::mem::replace(&mut self.range_end, false);
        let node = self.nested(Self::operators);
        self.range_end = range_end;
        node
    }

    /// Guards everything that recurses.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEPTH_MAX {
            let expected = format!("at most {DEPTH_MAX} expressions inside of each other");
            return Err(ParseError::new(self.source, self.token.start, expected, "one more".into()));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn advance(&mut self) -> Token {
        let token = self.token;
        self.token = lexer::token(self.source, token.end);
        token
    }

    fn peek_after(&self, token: Token) -> Token {
        lexer::token(self.source, token.end)
    }

    fn text(&self, token: Token) -> &'a str {
        self.source.get(token.start..token.end).unwrap_or_default()
    }

    fn at_word(&self, word: &str) -> bool {
        self.token.kind == TokenKind::Name && self.text(self.token) == word
    }

    fn take(&mut self, kind: TokenKind) -> bool {
        let there = self.token.kind == kind;
        if there {
            self.advance();
        }
        there
    }

    fn take_word(&mut self, word: &str) -> bool {
        let there = self.at_word(word);
        if there {
            self.advance();
        }
        there
    }

    fn expect(&mut self, kind: TokenKind, expected: &str) -> Result<Token> {
        if self.token.kind == kind { Ok(self.advance()) } else { Err(self.unexpected(expected)) }
    }

    fn expect_word(&mut self, word: &str) -> Result<Token> {
        if self.at_word(word) { Ok(self.advance()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    fn unexpected(&self, expected: &str) -> ParseError {
        const SHOWN_MAX: usize = 30;
        let found = match self.token.kind {
            TokenKind::End => "the end".to_owned(),
            TokenKind::Unclosed if self.text(self.token).starts_with('/') => {
                "a comment without end".to_owned()
            }
            TokenKind::Unclosed => "a string without end".to_owned(),
            _ => {
                let text = self.text(self.token);
                let shown: String = text.chars().take(SHOWN_MAX).collect();
                if shown.len() < text.len() { format!("`{shown}…`") } else { format!("`{shown}`") }
            }
        };
        ParseError::new(self.source, self.token.start, expected.to_owned(), found)
    }
}

fn node(kind: Kind, at: usize) -> Node {
    Node { kind, at: offset(at) }
}

fn offset(at: usize) -> u32 {
    // `Parser::new` has made sure that offsets fit.
    u32::try_from(at).unwrap_or(u32::MAX)
}
