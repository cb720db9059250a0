//! Types after `instance of`.

use super::{Parser, Result};
use crate::ast::Type;
use crate::lexer::TokenKind;
use crate::value::Text;

impl Parser<'_> {
    /// A type, with the types of what is in it if it tells them: `list<number>`, `context<a: string>`,
    /// `function<number> -> string`.
    pub(super) fn instance_type(&mut self) -> Result<Type> {
        let kind = self.type_name()?;
        if self.token.kind != TokenKind::Less {
            return Ok(kind);
        }
        self.nested(|parser| {
            parser.advance();
            let kind = match kind {
                Type::List => Type::ListOf(Box::new(parser.instance_type()?)),
                Type::Range => Type::RangeOf(Box::new(parser.instance_type()?)),
                Type::Context => parser.entry_types()?,
                Type::Function => parser.parameter_types()?,
                _ => return Err(parser.unexpected("no types inside of this type")),
            };
            parser.expect(TokenKind::Greater, "`>`")?;
            if matches!(kind, Type::FunctionOf(_)) && parser.take(TokenKind::Minus) {
                parser.expect(TokenKind::Greater, "`>`")?;
                parser.instance_type()?;
            }
            Ok(kind)
        })
    }

    fn entry_types(&mut self) -> Result<Type> {
        let mut entries = Vec::new();
        while self.token.kind != TokenKind::Greater {
            let name = self.words(&[TokenKind::Colon], "the name of an entry")?;
            self.expect(TokenKind::Colon, "`:`")?;
            entries.push((name, self.instance_type()?));
            if !self.take(TokenKind::Comma) {
                break;
            }
        }
        Ok(Type::ContextOf(entries.into()))
    }

    fn parameter_types(&mut self) -> Result<Type> {
        let mut count = 0;
        while self.token.kind != TokenKind::Greater {
            self.instance_type()?;
            count += 1;
            if !self.take(TokenKind::Comma) {
                break;
            }
        }
        Ok(Type::FunctionOf(count))
    }

    fn type_name(&mut self) -> Result<Type> {
        const EXPECTED: &str = "a type, e.g. `number`";
        let start = self.expect(TokenKind::Name, EXPECTED)?;
        // Types of several words are read as far as words go on to be one of them.
        let mut end = start;
        let mut found = type_of(self.text(start)).map(|kind| (kind, start));
        while let next = self.peek_after(end)
            && matches!(next.kind, TokenKind::Name | TokenKind::Minus)
        {
            end = next;
            let words: String =
                self.source[start.start..end.end].split_whitespace().collect::<Vec<_>>().join(" ");
            if words.len() > 30 {
                break;
            }
            if let Some(kind) = type_of(&words) {
                found = Some((kind, end));
            }
        }
        let Some((kind, last)) = found else {
            // The standard lets models define types.
            if self.dialect.is_standard() {
                let last = self.spaced_name(start).map_or(start, |(_, last)| last);
                self.token = last;
                self.advance();
                let name = &self.source[start.start..last.end];
                return Ok(Type::Named(Text::from(name.split_whitespace().collect::<Vec<_>>().join(" "))));
            }
            self.token = start;
            return Err(self.unexpected(EXPECTED));
        };
        self.token = last;
        self.advance();
        Ok(kind)
    }
}

fn type_of(name: &str) -> Option<Type> {
    Some(match name {
        "Any" => Type::Any,
        "null" | "Null" => Type::Null,
        "boolean" => Type::Boolean,
        "number" => Type::Number,
        "string" => Type::String,
        "list" => Type::List,
        "context" => Type::Context,
        "date" => Type::Date,
        "time" => Type::Time,
        "date and time" | "date time" => Type::DateTime,
        "days and time duration" | "day-time-duration" => Type::DaysTimeDuration,
        "years and months duration" | "year-month-duration" => Type::YearsMonthsDuration,
        "range" => Type::Range,
        "function" => Type::Function,
        _ => return None,
    })
}
