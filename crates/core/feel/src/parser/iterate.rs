//! `for`, `some` and `every`.

use super::{Parser, Result, node};
use crate::ast::{For, Iteration, Kind, Node, Quantified};
use crate::lexer::TokenKind;
use crate::value::Text;

impl Parser<'_> {
    pub(super) fn for_expression(&mut self) -> Result<Node> {
        let at = self.advance().start;
        let mark = self.names.mark();
        let iterations = self.iterations()?;
        let partial = self.names.declare("partial");
        self.expect_word("return")?;
        self.names.enter_loop();
        let body = self.expression()?;
        self.names.leave_loop();
        let partial = self.names.is_used(partial).then_some(partial);
        self.names.forget(mark);
        Ok(node(Kind::For(Box::new(For { iterations, partial, body })), at))
    }

    pub(super) fn quantified(&mut self) -> Result<Node> {
        let word = self.advance();
        let every = self.text(word) == "every";
        let mark = self.names.mark();
        let iterations = self.iterations()?;
        self.expect_word("satisfies")?;
        self.names.enter_loop();
        let condition = self.expression()?;
        self.names.leave_loop();
        self.names.forget(mark);
        Ok(node(Kind::Quantified(Box::new(Quantified { every, iterations, condition })), word.start))
    }

    fn variable(&mut self) -> Result<Text> {
        if self.dialect.is_standard()
            && let Some(name) = self.take_spaced_name()
        {
            return Ok(name);
        }
        match self.token.kind {
            TokenKind::Name | TokenKind::Quoted => {
                let name = self.advance();
                Ok(Text::from(self.text(name).trim_matches('`')))
            }
            _ => Err(self.unexpected("the name of a variable")),
        }
    }

    fn iterations(&mut self) -> Result<Box<[Iteration]>> {
        let mut iterations = Vec::new();
        loop {
            let name = self.variable()?;
            self.expect_word("in")?;
            // Domains after the first are evaluated once per item of those before.
            let repeated = !iterations.is_empty();
            if repeated {
                self.names.enter_loop();
            }
            let domain = self.expression()?;
            let end = if self.take(TokenKind::DotDot) { Some(self.expression()?) } else { None };
            if repeated {
                self.names.leave_loop();
            }
            let slot = self.names.declare(&name);
            iterations.push(Iteration { slot, domain, end });
            if !self.take(TokenKind::Comma) {
                return Ok(iterations.into());
            }
        }
    }
}
