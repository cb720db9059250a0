//! Expressions and unary tests of a model.

use coreto_feel::{Expression, ParseError, UnaryTests};
use coreto_xml::NodeId;

use super::Compiler;
use crate::diagnostic::Code;

/// Whether an expression language, if one is named, is FEEL of any version.
pub(super) fn is_feel(language: Option<&str>) -> bool {
    language.is_none_or(|language| language.to_ascii_lowercase().contains("feel"))
}

impl Compiler<'_, '_> {
    /// The expression of a text; else why it is none, which is reported.
    pub(super) fn expression(&mut self, node: NodeId, text: &str) -> Result<Expression, Box<str>> {
        self.parsed(node, text, Expression::parse_in)
    }

    /// The unary tests of a text; else why it is none, which is reported.
    pub(super) fn tests(&mut self, node: NodeId, text: &str) -> Result<UnaryTests, Box<str>> {
        self.parsed(node, text, UnaryTests::parse_in)
    }

    fn parsed<T>(
        &mut self,
        node: NodeId,
        text: &str,
        parse: fn(coreto_feel::Dialect, &[&str], &str) -> Result<T, ParseError>,
    ) -> Result<T, Box<str>> {
        let tree = self.tree;
        let language = tree.filled(node, "expressionLanguage");
        if language.is_some() && !is_feel(language) || language.is_none() && !self.is_feel {
            let message =
                format!("not implemented: expression language `{}`", language.unwrap_or("of the model"));
            self.report.error(Code::NotImplemented, tree.place(node), message.as_str());
            return Err(message.into());
        }
        let max = self.options.limits.expression_bytes_max;
        if text.len() > max {
            let message = format!("an expression of {} bytes, more than {max}", text.len());
            self.report.error(Code::LimitExceeded, tree.place(node), message.as_str());
            return Err(message.into());
        }
        let Some(names) = self.names.told(text.len()) else {
            let message = "too many names with special characters for so many and long expressions";
            self.report.error(Code::LimitExceeded, tree.place(node), message);
            return Err(message.into());
        };
        let parsed = parse(self.options.dialect, &names, text);
        parsed.map_err(|error| self.not_parsed(node, text, &error))
    }

    fn not_parsed(&mut self, node: NodeId, text: &str, error: &ParseError) -> Box<str> {
        let at = self.tree.one(node, "text").unwrap_or(node);
        let place = self.tree.place(at);
        let message = format!("cannot parse the expression: {error}");
        let help = if self.options.lenient {
            self.report.warning(Code::Expression, place, message.as_str())
        } else {
            self.report.error(Code::Expression, place, message.as_str())
        };
        help.help(error.caret(text));
        message.into()
    }
}
