//! Unary tests: what stands after `in`, and in the cells of decision tables.

use super::operator::comparison_of;
use super::{Parser, Result};
use crate::ast::{Kind, Node, Slot, Test};
use crate::lexer::TokenKind;

impl Parser<'_> {
    /// The tests of a whole source: `-`, or tests with commas between.
    pub(super) fn tests(&mut self, slot: Slot) -> Result<Vec<Test>> {
        if self.token.kind == TokenKind::Minus && self.peek_after(self.token).kind == TokenKind::End {
            self.advance();
            return Ok(vec![Test::Any]);
        }
        self.test_list(slot)
    }

    /// `in (test, test)` or `in test`.
    pub(super) fn tests_of_in(&mut self, slot: Slot) -> Result<Vec<Test>> {
        // A parenthesis opens tests, a range, or an expression that goes on after it; only trying tells.
        if self.token.kind == TokenKind::Open
            && let Some(tests) = self.attempt(|parser| {
                parser.advance();
                let tests = parser.test_list(slot)?;
                parser.expect(TokenKind::Close, "`,` or `)`")?;
                if parser.goes_on() { Err(parser.unexpected("the end of the tests")) } else { Ok(tests) }
            })?
        {
            return Ok(tests);
        }
        Ok(vec![self.test(slot, Self::sum_like)?])
    }

    /// Parses, or goes back if that fails. How often one source may do so is limited, since attempts inside of
    /// attempts would double the work each time; after that the failure stands.
    fn attempt<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        let (token, range_end) = (self.token, self.range_end);
        let place = self.names.place();
        match parse(self) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(error) if self.attempts == 0 => Err(error),
            Err(_) => {
                self.attempts -= 1;
                (self.token, self.range_end) = (token, range_end);
                self.names.go_back(&place);
                Ok(None)
            }
        }
    }

    fn goes_on(&self) -> bool {
        matches!(
            self.token.kind,
            TokenKind::Plus
                | TokenKind::Minus
                | TokenKind::Star
                | TokenKind::Slash
                | TokenKind::Power
                | TokenKind::Dot
                | TokenKind::OpenBracket
        ) && !self.range_end
    }

    fn sum_like(&mut self) -> Result<Node> {
        self.nested(Self::sum)
    }

    fn test_list(&mut self, slot: Slot) -> Result<Vec<Test>> {
        let mut tests = vec![self.test(slot, Self::expression)?];
        while self.take(TokenKind::Comma) {
            tests.push(self.test(slot, Self::expression)?);
        }
        Ok(tests)
    }

    fn test(&mut self, slot: Slot, operand: impl FnOnce(&mut Self) -> Result<Node>) -> Result<Test> {
        if let Some(comparison) = comparison_of(self.token.kind) {
            self.advance();
            return Ok(Test::Compare(comparison, self.sum_like()?));
        }
        if self.at_word("not")
            && self.peek_after(self.token).kind == TokenKind::Open
            && let Some(tests) = self.attempt(|parser| {
                parser.advance();
                parser.advance();
                let tests = parser.nested(|parser| parser.test_list(slot))?;
                parser.expect(TokenKind::Close, "`,` or `)`")?;
                if parser.test_ends() {
                    Ok(tests)
                } else {
                    Err(parser.unexpected("`,` or the end of the tests"))
                }
            })?
        {
            return Ok(Test::Not(tests.into()));
        }
        let reads = std::mem::replace(&mut self.names.input_read, false);
        let node = operand(self)?;
        let reads_input = std::mem::replace(&mut self.names.input_read, reads);
        let decided = reads_input && !matches!(node.kind, Kind::Local(read) if read == slot);
        Ok(Test::Value(node, decided))
    }

    fn test_ends(&self) -> bool {
        matches!(self.token.kind, TokenKind::Comma | TokenKind::Close | TokenKind::End)
    }
}
