//! Operands: literals, names, parentheses, and what may follow them.

use super::operator::comparison_of;
use super::{Parser, Result, node, offset};
use crate::ast::{Comparison, Kind, Node, Path, RangeKind, RangeLiteral, Step, StepKind};
use crate::lexer::{Token, TokenKind, unescape};
use crate::value::{Number, Text, Value};

/// Words that are no names, wherever they stand.
const RESERVED: [&str; 10] =
    ["null", "true", "false", "function", "in", "return", "then", "else", "satisfies", "and"];

pub(super) fn is_reserved(word: &str) -> bool {
    word == "or" || RESERVED.contains(&word)
}

impl Parser<'_> {
    pub(super) fn postfix(&mut self) -> Result<Node> {
        let base = self.primary()?;
        let mut steps = Vec::new();
        loop {
            let at = self.token.start;
            let kind = match self.token.kind {
                TokenKind::Dot => {
                    self.advance();
                    let name = self.property()?;
                    if self.token.kind == TokenKind::Open {
                        StepKind::Method(name, self.arguments()?)
                    } else {
                        StepKind::Field(name)
                    }
                }
                TokenKind::Open => StepKind::Call(self.arguments()?),
                TokenKind::OpenBracket if !self.range_end || self.filter_follows() => self.filter()?,
                _ => break,
            };
            steps.push(Step { kind, at: offset(at) });
        }
        if steps.is_empty() {
            return Ok(base);
        }
        let at = base.at;
        Ok(Node { kind: Kind::Path(Box::new(Path { base, steps: steps.into() })), at })
    }

    /// The name after a dot. A few properties have two words.
    fn property(&mut self) -> Result<Text> {
        if self.dialect.is_standard()
            && let Some(name) = self.take_spaced_name()
        {
            return Ok(name);
        }
        // A function that stands in a context may have a name of several words, too.
        if self.dialect.is_standard()
            && self.token.kind == TokenKind::Name
            && let Some((name, last)) = self.function_name(self.token)
        {
            self.token = last;
            self.advance();
            return Ok(Text::from(name));
        }
        let token = match self.token.kind {
            TokenKind::Name | TokenKind::Quoted => self.advance(),
            _ => return Err(self.unexpected("a name after `.`")),
        };
        let first = self.text(token);
        let second = match first {
            "start" | "end" => "included",
            "time" => "offset",
            _ => return Ok(Text::from(first.trim_matches('`'))),
        };
        if self.take_word(second) {
            return Ok(Text::from(format!("{first} {second}")));
        }
        Ok(Text::from(first))
    }

    /// At the end of a range, `[` may close it. Nothing that starts an operand can follow then.
    fn filter_follows(&self) -> bool {
        let next = self.peek_after(self.token);
        match next.kind {
            TokenKind::Number | TokenKind::String | TokenKind::Quoted | TokenKind::At => true,
            TokenKind::Name => !matches!(
                self.text(next),
                "and" | "or" | "then" | "else" | "return" | "satisfies" | "in" | "between"
            ),
            _ => false,
        }
    }

    fn primary(&mut self) -> Result<Node> {
        let token = self.token;
        match token.kind {
            TokenKind::Number => {
                self.advance();
                self.number(token)
            }
            TokenKind::String => {
                self.advance();
                let text = self.text(token);
                let text = unescape(&text[1..text.len() - 1]);
                Ok(node(Kind::Constant(Value::String(Text::from(&*text))), token.start))
            }
            TokenKind::At => self.temporal(),
            TokenKind::Quoted => {
                self.advance();
                let name = self.text(token).trim_matches('`');
                if self.token.kind == TokenKind::Open {
                    return self.call(name, token);
                }
                Ok(self.names.resolve(name, offset(token.start)))
            }
            TokenKind::Name => self.word(token),
            TokenKind::Open => self.nested(Self::parenthesis),
            TokenKind::OpenBracket => self.nested(Self::bracket),
            TokenKind::CloseBracket if self.operand_follows() => {
                self.advance();
                let start = self.nested(Self::operators)?;
                self.range(start, false, token)
            }
            TokenKind::OpenBrace => self.nested(Self::context),
            TokenKind::Question if self.names.is_local("?") => {
                self.advance();
                Ok(self.names.resolve("?", offset(token.start)))
            }
            TokenKind::Question => {
                Err(self.unexpected("an expression (`?` stands for the input of a test only)"))
            }
            _ => Err(self.unexpected("an expression")),
        }
    }

    /// Whether `]` opens a range; else it closes something too early.
    fn operand_follows(&self) -> bool {
        let next = self.peek_after(self.token);
        matches!(
            next.kind,
            TokenKind::Name
                | TokenKind::Quoted
                | TokenKind::Number
                | TokenKind::String
                | TokenKind::At
                | TokenKind::Minus
                | TokenKind::Open
        )
    }

    fn number(&self, token: Token) -> Result<Node> {
        let text = self.text(token);
        let number: Number = text.parse().map_err(|_| {
            crate::ParseError::new(self.source, token.start, "a number in range".into(), format!("`{text}`"))
        })?;
        Ok(node(Kind::Constant(number.into()), token.start))
    }

    fn word(&mut self, token: Token) -> Result<Node> {
        if self.dialect.is_standard() && self.known_name(token).is_some() {
            return self.name(token);
        }
        let constant = match self.text(token) {
            "null" => Value::Null,
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            "if" if self.opens_construct(token) => return self.nested(Self::conditional),
            "for" if self.opens_construct(token) => return self.nested(Self::for_expression),
            "some" | "every" if self.opens_construct(token) => return self.nested(Self::quantified),
            "function" => return self.nested(Self::function),
            _ => return self.name(token),
        };
        self.advance();
        Ok(node(Kind::Constant(constant), token.start))
    }

    /// Whether a word like `for` starts a construct; else it is a name like any other.
    fn opens_construct(&self, word: Token) -> bool {
        let next = self.peek_after(word);
        match next.kind {
            TokenKind::Name => {
                self.text(word) == "if" || !is_reserved(self.text(next)) && self.text(next) != "instance"
            }
            TokenKind::Quoted => true,
            TokenKind::Open
            | TokenKind::Number
            | TokenKind::String
            | TokenKind::At
            | TokenKind::OpenBracket
            | TokenKind::OpenBrace
            | TokenKind::Question => self.text(word) == "if",
            TokenKind::Minus => {
                self.text(word) == "if" && self.source[word.end..].starts_with([' ', '\n', '\t'])
            }
            _ => false,
        }
    }

    fn conditional(&mut self) -> Result<Node> {
        let at = self.advance().start;
        let condition = self.expression()?;
        self.expect_word("then")?;
        let then = self.expression()?;
        self.expect_word("else")?;
        let otherwise = self.expression()?;
        Ok(node(Kind::If(Box::new([condition, then, otherwise])), at))
    }

    fn parenthesis(&mut self) -> Result<Node> {
        let open = self.advance();
        if self.dialect.is_standard()
            && let Some(comparison) = comparison_of(self.token.kind)
        {
            return self.half_range(comparison, open);
        }
        let inner = self.expression()?;
        if self.token.kind == TokenKind::DotDot {
            return self.range(inner, false, open);
        }
        self.expect(TokenKind::Close, "`)`")?;
        Ok(inner)
    }

    /// `(< 5)` as a range that has no other end, and `(= 5)` as one from 5 to 5.
    fn half_range(&mut self, comparison: Comparison, open: Token) -> Result<Node> {
        let at = self.advance().start;
        let bound = self.expression()?;
        self.expect(TokenKind::Close, "`)`")?;
        let none = node(Kind::Constant(Value::Null), at);
        let (start, end, included, kind) = match comparison {
            Comparison::Less => (none, bound, false, RangeKind::Half),
            Comparison::LessOrEqual => (none, bound, true, RangeKind::Half),
            Comparison::Greater => (bound, none, false, RangeKind::Half),
            Comparison::GreaterOrEqual => (bound, none, true, RangeKind::Half),
            Comparison::Equal => (bound, none, true, RangeKind::Point),
            Comparison::NotEqual => (bound, none, false, RangeKind::Apart),
        };
        let missing = |end: &Node| matches!(end.kind, Kind::Constant(Value::Null));
        let (start_included, end_included) = (included && !missing(&start), included && !missing(&end));
        let literal = RangeLiteral { start, start_included, end, end_included, kind };
        Ok(node(Kind::Range(Box::new(literal)), open.start))
    }

    /// The rest of a range, from its `..` on.
    pub(super) fn range(&mut self, start: Node, start_included: bool, open: Token) -> Result<Node> {
        self.expect(TokenKind::DotDot, "`..`")?;
        let outer = std::mem::replace(&mut self.range_end, true);
        let end = self.nested(Self::sum);
        self.range_end = outer;
        let end = end?;
        let end_included = match self.token.kind {
            TokenKind::CloseBracket => true,
            TokenKind::Close | TokenKind::OpenBracket => false,
            _ => return Err(self.unexpected("`]`, `)` or `[`")),
        };
        self.advance();
        let literal = RangeLiteral { start, start_included, end, end_included, kind: RangeKind::Ends };
        Ok(node(Kind::Range(Box::new(literal)), open.start))
    }
}
