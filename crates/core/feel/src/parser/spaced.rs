//! Names of several words, and names with other characters in them, as the standard allows.
//!
//! Two names beside each other mean nothing else in the language, so words that follow each other are one name, as
//! long as none of them is a word of the language. Names that this does not find must be known beforehand.

use super::Parser;
use super::primary::is_reserved;
use crate::lexer::{Token, TokenKind};
use crate::value::Text;

/// Words that end a name although they are no reserved ones.
const ENDS: [&str; 3] = ["between", "instance", "external"];
/// Most words of one name.
const WORDS_MAX: usize = 32;

impl Parser<'_> {
    /// A name that starts at a token and is more than it, and its last token.
    pub(super) fn spaced_name(&self, first: Token) -> Option<(String, Token)> {
        self.known_name(first).or_else(|| self.joined_words(first))
    }

    /// The longest known name that stands here; locals that have more than one word are known, too.
    pub(super) fn known_name(&self, first: Token) -> Option<(String, Token)> {
        let locals = self.names.visible(self.text(first));
        let candidates = self.known.iter().copied().chain(locals);
        let mut best: Option<(String, Token)> = None;
        for name in candidates {
            if let Some(last) = self.spelled(first, name)
                && last.end > first.end
                && best.as_ref().is_none_or(|(_, known)| last.end > known.end)
            {
                best = Some((name.to_owned(), last));
            }
        }
        best
    }

    /// The last token of a name, if it stands here token by token.
    fn spelled(&self, first: Token, name: &str) -> Option<Token> {
        let mut rest = name.trim();
        let mut token = first;
        loop {
            rest = rest.strip_prefix(self.text(token)).filter(|_| !self.text(token).is_empty())?;
            if rest.is_empty() {
                // `a-b` is not at the start of `a-bc`, since that ends inside of a token.
                return Some(token);
            }
            token = self.peek_after(token);
            rest = rest.trim_start();
        }
    }

    fn joined_words(&self, first: Token) -> Option<(String, Token)> {
        let is_word = |token: Token| {
            let word = self.text(token);
            token.kind == TokenKind::Name && !is_reserved(word) && !ENDS.contains(&word)
        };
        if !is_word(first) {
            return None;
        }
        let mut name = self.text(first).to_owned();
        let mut last = first;
        for _ in 1..WORDS_MAX {
            let next = self.peek_after(last);
            if !is_word(next) {
                break;
            }
            name.push(' ');
            name.push_str(self.text(next));
            last = next;
        }
        // Functions of the language whose names go on with a reserved word are found by their own way.
        (last.end > first.end && self.peek_after(last).kind != TokenKind::Open).then_some((name, last))
    }

    /// A whole name of several words, and goes on after it.
    pub(super) fn take_spaced_name(&mut self) -> Option<Text> {
        let (name, last) = self.spaced_name(self.token)?;
        self.token = last;
        self.advance();
        Some(Text::from(name))
    }
}
