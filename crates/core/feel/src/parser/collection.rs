//! List and context literals, and filters.

use super::{Parser, Result, node};
use crate::ast::{Entry, Kind, Node, StepKind};
use crate::lexer::{TokenKind, unescape};
use crate::value::{Context, List, Text, Value};

impl Parser<'_> {
    /// A list, or a range that includes its start.
    pub(super) fn bracket(&mut self) -> Result<Node> {
        let open = self.advance();
        if self.take(TokenKind::CloseBracket) {
            return Ok(node(Kind::Constant(List::empty().into()), open.start));
        }
        let first = self.expression()?;
        if self.token.kind == TokenKind::DotDot {
            return self.range(first, true, open);
        }
        let mut items = vec![first];
        while self.take(TokenKind::Comma) {
            items.push(self.expression()?);
        }
        self.expect(TokenKind::CloseBracket, "`,` or `]`")?;
        Ok(node(list(items), open.start))
    }

    pub(super) fn context(&mut self) -> Result<Node> {
        let at = self.advance().start;
        let mark = self.names.mark();
        let mut entries: Vec<Entry> = Vec::new();
        while self.token.kind != TokenKind::CloseBrace {
            let key = self.key()?;
            self.expect(TokenKind::Colon, "`:`")?;
            let value = self.expression()?;
            let slot = self.names.declare(&key);
            entries.push(Entry { key, value, slot: Some(slot) });
            if !self.take(TokenKind::Comma) {
                break;
            }
            if self.token.kind == TokenKind::CloseBrace {
                return Err(self.unexpected("the name of an entry"));
            }
        }
        self.expect(TokenKind::CloseBrace, "`,` or `}`")?;
        // From the last one on, so that slots that nothing reads are given back.
        for entry in entries.iter_mut().rev() {
            if let Some(slot) = entry.slot.take_if(|slot| !self.names.is_used(*slot)) {
                self.names.release(slot);
            }
        }
        self.names.forget(mark);
        // In the standard, a name that comes twice makes the context null.
        if self.dialect.is_standard() && has_twins(&entries) {
            return Ok(node(Kind::Constant(Value::Null), at));
        }
        Ok(node(context(entries), at))
    }

    /// The name of an entry: a string, a name in back-ticks, or any text up to the colon.
    fn key(&mut self) -> Result<Text> {
        let start = self.token;
        match start.kind {
            TokenKind::String => {
                self.advance();
                let text = self.text(start);
                return Ok(Text::from(&*unescape(&text[1..text.len() - 1])));
            }
            TokenKind::Quoted => {
                self.advance();
                return Ok(Text::from(self.text(start).trim_matches('`')));
            }
            _ => (),
        }
        let rest = &self.source[start.start..];
        let length = rest.find([':', '{', '}', '[', ']', '(', ')', '"', ',', '`']).unwrap_or(rest.len());
        let name = rest[..length].trim_end();
        if name.is_empty() || !rest[length..].starts_with(':') {
            if !name.is_empty() && start.kind == TokenKind::Name {
                self.advance();
                return Err(self.unexpected("`:`"));
            }
            return Err(self.unexpected("the name of an entry"));
        }
        self.token = crate::lexer::token(self.source, start.start + length);
        // Blanks inside of a name count once, however they are written.
        if name.contains([' ', '\t', '\n', '\r']) {
            return Ok(Text::from(name.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
        Ok(Text::from(name))
    }

    pub(super) fn filter(&mut self) -> Result<StepKind> {
        self.expect(TokenKind::OpenBracket, "`[`")?;
        let mark = self.names.mark();
        let item = self.names.declare_item();
        self.names.enter_loop();
        let predicate = self.expression()?;
        self.names.leave_loop();
        self.names.forget(mark);
        // An index is no condition, so it looks at no item.
        if matches!(predicate.kind, Kind::Constant(Value::Number(_))) {
            self.names.release(item);
        }
        self.expect(TokenKind::CloseBracket, "`]`")?;
        Ok(StepKind::Filter { item, predicate })
    }
}

fn has_twins(entries: &[Entry]) -> bool {
    let mut keys: Vec<&Text> = entries.iter().map(|entry| &entry.key).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair[0] == pair[1])
}

/// A context of constants is made once.
fn context(entries: Vec<Entry>) -> Kind {
    let constants = entries.iter().map(|entry| match &entry.value.kind {
        Kind::Constant(value) => Some((entry.key.clone(), value.clone())),
        _ => None,
    });
    match constants.collect::<Option<Vec<_>>>().and_then(Context::new) {
        Some(constant) => Kind::Constant(Value::Context(constant)),
        None => Kind::Context(entries.into()),
    }
}

/// A list of constants is made once.
fn list(items: Vec<Node>) -> Kind {
    if items.iter().all(|item| matches!(item.kind, Kind::Constant(_))) {
        let constants = items.iter().filter_map(|item| match &item.kind {
            Kind::Constant(value) => Some(value.clone()),
            _ => None,
        });
        if let Some(list) = List::new(constants.collect()) {
            return Kind::Constant(Value::List(list));
        }
    }
    Kind::List(items.into())
}
