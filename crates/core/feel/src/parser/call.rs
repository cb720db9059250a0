//! Names, calls of functions, function literals and temporal literals.

use std::sync::Arc;

use super::name::Left;
use super::primary::is_reserved;
use super::{Parser, Result, node, offset};
use crate::ast::{Arguments, Call, Callee, FunctionLiteral, Kind, Node, Type};
use crate::builtin;
use crate::lexer::{Token, TokenKind, unescape};
use crate::value::{Text, Value};

/// Names of functions that contain a reserved word.
const WITH_RESERVED: [&str; 3] = ["date and time", "years and months duration", "get or else"];
/// Most words of the name of a function or parameter.
const WORDS_MAX: usize = 8;

impl Parser<'_> {
    /// A variable, or the call of a function, whose name may have several words.
    pub(super) fn name(&mut self, first: Token) -> Result<Node> {
        if self.dialect.is_standard()
            && let Some((name, last)) = self.spaced_name(first)
        {
            self.token = last;
            self.advance();
            if self.token.kind == TokenKind::Open {
                return self.call(&name, first);
            }
            return Ok(self.names.resolve(&name, offset(first.start)));
        }
        if let Some((name, last)) = self.function_name(first) {
            self.token = last;
            self.advance();
            return self.call(&name, first);
        }
        let name = self.text(first);
        if is_reserved(name) && name != "and" && name != "or" {
            return Err(self.unexpected("an expression"));
        }
        self.advance();
        if self.token.kind == TokenKind::Open {
            return self.call(name, first);
        }
        if is_reserved(name) {
            self.token = first;
            return Err(self.unexpected("an expression"));
        }
        Ok(self.names.resolve(name, offset(first.start)))
    }

    /// A name of at least two words with `(` after it, and its last word.
    pub(super) fn function_name(&self, first: Token) -> Option<(String, Token)> {
        let mut last = self.peek_after(first);
        if last.kind != TokenKind::Name {
            return None;
        }
        // These two are operators where a name could go on.
        let ends = |word: &str| word == "between" || word == "instance";
        let first_word = self.text(first);
        let mut reserved = is_reserved(first_word);
        let mut name = first_word.to_owned();
        for _ in 1..WORDS_MAX {
            let word = self.text(last);
            if ends(word) {
                return None;
            }
            name.push(' ');
            name.push_str(word);
            reserved |= is_reserved(word);
            let next = self.peek_after(last);
            match next.kind {
                TokenKind::Open if !reserved || WITH_RESERVED.contains(&&*name) => return Some((name, last)),
                TokenKind::Name
                    if !reserved || WITH_RESERVED.iter().any(|known| known.starts_with(&name)) =>
                {
                    last = next;
                }
                _ => return None,
            }
        }
        None
    }

    /// A call, from its `(` on.
    pub(super) fn call(&mut self, name: &str, first: Token) -> Result<Node> {
        let arguments = self.nested(Self::arguments)?;
        let at = offset(first.start);
        if !self.names.is_local(name)
            && let Some(builtin) = builtin::find(self.dialect, name)
        {
            if let Some(constant) = constant_of(builtin, &arguments) {
                return Ok(Node { kind: Kind::Constant(constant), at });
            }
            let pattern = (builtin.takes_pattern() && ends_in_constants(&arguments)).then(Box::default);
            let call = Call { callee: Callee::Builtin(builtin), arguments, pattern };
            return Ok(Node { kind: Kind::Call(Box::new(call)), at });
        }
        let variable = self.names.resolve(name, at);
        let call = Call { callee: Callee::Variable(Arc::from(name), variable), arguments, pattern: None };
        Ok(Node { kind: Kind::Call(Box::new(call)), at })
    }

    /// `(…)`, with arguments by position or by name.
    pub(super) fn arguments(&mut self) -> Result<Arguments> {
        self.expect(TokenKind::Open, "`(`")?;
        let mut values = Vec::new();
        let mut names = Vec::new();
        while self.token.kind != TokenKind::Close {
            if let Some((name, colon)) = self.parameter_name().filter(|_| names.len() == values.len()) {
                names.push(name);
                self.token = colon;
                self.advance();
            } else if !names.is_empty() {
                return Err(self.unexpected("the name of a parameter"));
            }
            values.push(self.expression()?);
            if !self.take(TokenKind::Comma) {
                break;
            }
            if self.token.kind == TokenKind::Close {
                return Err(self.unexpected("an argument"));
            }
        }
        self.expect(TokenKind::Close, "`,` or `)`")?;
        let names = (!names.is_empty()).then(|| names.into());
        Ok(Arguments { values: values.into(), names })
    }

    /// Words up to a colon, and that colon.
    fn parameter_name(&self) -> Option<(Text, Token)> {
        let mut last = self.token;
        if last.kind == TokenKind::Quoted || last.kind == TokenKind::String {
            let colon = self.peek_after(last);
            let quote = |c| c == '`' || c == '"';
            let name = Text::from(self.text(last).trim_matches(quote));
            return (colon.kind == TokenKind::Colon).then_some((name, colon));
        }
        let mut name = String::new();
        for _ in 0..WORDS_MAX {
            if last.kind != TokenKind::Name {
                return None;
            }
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(self.text(last));
            let next = self.peek_after(last);
            if next.kind == TokenKind::Colon {
                return Some((Text::from(name), next));
            }
            last = next;
        }
        None
    }

    /// `function(a, b: number) body`
    pub(super) fn function(&mut self) -> Result<Node> {
        let at = self.advance().start;
        self.expect(TokenKind::Open, "`(`")?;
        self.names.enter_function();
        let mut parameters: Vec<Text> = Vec::new();
        let mut types: Vec<Type> = Vec::new();
        while self.token.kind != TokenKind::Close {
            let name = self
                .words(&[TokenKind::Comma, TokenKind::Close, TokenKind::Colon], "the name of a parameter")?;
            if self.take(TokenKind::Colon) {
                types.resize_with(parameters.len(), || Type::Any);
                types.push(self.instance_type()?);
            }
            self.names.declare(&name);
            parameters.push(name);
            if !self.take(TokenKind::Comma) {
                break;
            }
        }
        self.expect(TokenKind::Close, "`,` or `)`")?;
        if self.at_word("external") {
            return Err(self.unexpected("the body of a function (external functions are not run)"));
        }
        let body = self.expression()?;
        let Left { slots, captures, reads } = self.names.leave_function();
        let literal = FunctionLiteral {
            parameters: parameters.into(),
            types: types.into(),
            slots,
            captures,
            reads,
            body,
        };
        Ok(node(Kind::Function(Arc::new(literal)), at))
    }

    /// Words up to one of some tokens, with single blanks between.
    pub(super) fn words(&mut self, ends: &[TokenKind], expected: &str) -> Result<Text> {
        let mut name = String::new();
        for _ in 0..WORDS_MAX {
            let token = match self.token.kind {
                TokenKind::Name | TokenKind::Quoted => self.advance(),
                _ => return Err(self.unexpected(expected)),
            };
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(self.text(token).trim_matches('`'));
            if ends.contains(&self.token.kind) {
                break;
            }
        }
        Ok(Text::from(name))
    }

    /// `@"2020-01-01"`
    pub(super) fn temporal(&mut self) -> Result<Node> {
        let at = self.advance().start;
        let literal = self.expect(TokenKind::String, "a string after `@`")?;
        let text = self.text(literal);
        let value = Value::temporal(&unescape(&text[1..text.len() - 1]));
        Ok(node(Kind::Constant(value), at))
    }
}

/// Whether all arguments after the first are constants, by position.
fn ends_in_constants(arguments: &Arguments) -> bool {
    let rest = arguments.values.get(1..).unwrap_or_default();
    arguments.names.is_none() && rest.iter().all(|node| matches!(node.kind, Kind::Constant(_)))
}

/// The value of a temporal function of one literal, made once. What cannot be read stays a call, so that each
/// evaluation warns.
fn constant_of(builtin: &builtin::Builtin, arguments: &Arguments) -> Option<Value> {
    if arguments.names.is_some() {
        return None;
    }
    let [Node { kind: Kind::Constant(Value::String(text)), .. }] = &*arguments.values else { return None };
    builtin::temporal_literal(builtin, text)
}
