//! Operators between operands, loosest first: or, and, comparisons, sums, products, powers, negation.

use super::{Parser, Result, node, offset};
use crate::ast::{Chain, Comparison, In, Kind, Node, Operator};
use crate::lexer::TokenKind;
use crate::value::Value;

/// Comparisons in a row, as in `a = b = c`; each nests once more.
const COMPARISONS_MAX: usize = 8;

impl Parser<'_> {
    pub(super) fn operators(&mut self) -> Result<Node> {
        self.connected("or", |parser| parser.connected("and", Self::comparison, Kind::And), Kind::Or)
    }

    fn connected(
        &mut self,
        word: &str,
        operand: impl Fn(&mut Self) -> Result<Node>,
        connect: impl Fn(Box<[Node]>) -> Kind,
    ) -> Result<Node> {
        let first = operand(self)?;
        if !self.at_word(word) {
            return Ok(first);
        }
        let at = first.at;
        let mut operands = vec![first];
        while self.take_word(word) {
            operands.push(operand(self)?);
        }
        Ok(Node { kind: connect(operands.into()), at })
    }

    fn comparison(&mut self) -> Result<Node> {
        let mut left = self.sum()?;
        let mut count = 0;
        while self.compares() {
            count += 1;
            if count > COMPARISONS_MAX {
                return Err(self.unexpected("no more comparisons in a row"));
            }
            let at = self.token.start;
            let kind = if let Some(comparison) = comparison_of(self.token.kind) {
                self.advance();
                let right = self.sum()?;
                Kind::Compare(comparison, Box::new((left, right)))
            } else if self.take_word("between") {
                let start = self.sum()?;
                self.expect_word("and")?;
                let end = self.sum()?;
                Kind::Between(Box::new([left, start, end]))
            } else if self.take_word("in") {
                self.tests_after_in(left)?
            } else {
                self.expect_word("instance")?;
                self.expect_word("of")?;
                Kind::InstanceOf(Box::new((left, self.instance_type()?)))
            };
            left = node(kind, at);
        }
        Ok(left)
    }

    /// Whether something follows that an operand is compared with.
    fn compares(&self) -> bool {
        comparison_of(self.token.kind).is_some()
            || ["between", "in", "instance"].iter().any(|word| self.at_word(word))
    }

    fn tests_after_in(&mut self, input: Node) -> Result<Kind> {
        let mark = self.names.mark();
        let slot = self.names.declare("?");
        let tests = self.nested(|parser| parser.tests_of_in(slot))?;
        self.names.forget(mark);
        Ok(Kind::In(Box::new(In { input, slot, tests: tests.into() })))
    }

    pub(super) fn sum(&mut self) -> Result<Node> {
        self.chain(Self::product, |kind| match kind {
            TokenKind::Plus => Some(Operator::Add),
            TokenKind::Minus => Some(Operator::Subtract),
            _ => None,
        })
    }

    fn product(&mut self) -> Result<Node> {
        self.chain(Self::power, |kind| match kind {
            TokenKind::Star => Some(Operator::Multiply),
            TokenKind::Slash => Some(Operator::Divide),
            _ => None,
        })
    }

    fn power(&mut self) -> Result<Node> {
        self.chain(Self::negation, |kind| (kind == TokenKind::Power).then_some(Operator::Power))
    }

    fn chain(
        &mut self,
        operand: impl Fn(&mut Self) -> Result<Node>,
        operator: impl Fn(TokenKind) -> Option<Operator>,
    ) -> Result<Node> {
        let first = operand(self)?;
        let Some(mut next) = operator(self.token.kind) else { return Ok(first) };
        let at = self.token.start;
        let mut rest = Vec::with_capacity(1);
        loop {
            self.advance();
            rest.push((next, operand(self)?));
            match operator(self.token.kind) {
                Some(operator) => next = operator,
                None => break,
            }
        }
        Ok(node(Kind::Arithmetic(Box::new(Chain { first, rest: rest.into() })), at))
    }

    fn negation(&mut self) -> Result<Node> {
        if self.token.kind != TokenKind::Minus {
            return self.postfix();
        }
        let at = self.advance().start;
        let operand = self.nested(Self::negation)?;
        Ok(match operand.kind {
            Kind::Constant(Value::Number(number)) => node(Kind::Constant(number.negate().into()), at),
            _ => Node { kind: Kind::Negate(Box::new(operand)), at: offset(at) },
        })
    }
}

pub(super) fn comparison_of(kind: TokenKind) -> Option<Comparison> {
    Some(match kind {
        TokenKind::Equal => Comparison::Equal,
        TokenKind::NotEqual => Comparison::NotEqual,
        TokenKind::Less => Comparison::Less,
        TokenKind::LessOrEqual => Comparison::LessOrEqual,
        TokenKind::Greater => Comparison::Greater,
        TokenKind::GreaterOrEqual => Comparison::GreaterOrEqual,
        _ => return None,
    })
}
