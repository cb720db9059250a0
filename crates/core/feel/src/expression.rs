//! Compiled expressions.

use std::fmt;
use std::sync::Arc;

use crate::compiled::Compiled;
use crate::eval::Evaluator;
use crate::{Dialect, Env, Failure, ParseError, Scope, Session, Value, Warning, parser};

/// A compiled expression; cheap to clone.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

/// What an evaluation gave.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The result.
    pub value: Value,
    /// Why it, or something that it was made of, is null. At most [`Evaluated::WARNINGS_MAX`], the first ones.
    pub warnings: Vec<Warning>,
}

impl Evaluated {
    /// How many warnings an evaluation keeps.
    pub const WARNINGS_MAX: usize = 100;
}

impl Expression {
    /// Compiles the text of an expression (without the `=` that marks it in a model).
    ///
    /// ```
    /// use coreto_feel::Expression;
    ///
    /// let expression = Expression::parse("price * count").expect("well-formed");
    /// assert!(expression.variables().eq(["price", "count"]));
    ///
    /// let error = Expression::parse("price *").expect_err("something is missing");
    /// assert_eq!(error.to_string(), "line 1, column 8: expected an expression, found the end");
    /// assert_eq!(error.caret("price *"), "price *\n       ^");
    /// ```
    ///
    /// # Errors
    /// When the text is not one whole expression; the error tells the place and what would have fitted.
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        Self::parse_in(Dialect::Camunda, &[], source)
    }

    /// As [`Self::parse`], in a dialect. In the standard one, names of one or several words are found without help;
    /// those that have other characters in them, or words that the language uses, must be told here.
    ///
    /// # Errors
    /// As for [`Self::parse`].
    pub fn parse_in(dialect: Dialect, names: &[&str], source: &str) -> Result<Self, ParseError> {
        let parsed = parser::expression(dialect, names, source)?;
        Ok(Self(Compiled::new(dialect, source, parsed)))
    }

    /// The text that was compiled.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Names that it reads from the scope, each once.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.variables()
    }

    /// Computes the value.
    ///
    /// ```
    /// use coreto_feel::{Env, Expression, Value};
    ///
    /// let order = Value::from_json(br#"{"items": [{"price": 3}, {"price": 4}]}"#).expect("JSON");
    /// let scope = order.as_context().expect("an object");
    /// let sum = Expression::parse("sum(items.price)").expect("well-formed");
    /// assert_eq!(sum.evaluate(scope, &Env::default()).expect("no assert").value.to_json(), "7");
    ///
    /// let total = Expression::parse("total + 1").expect("well-formed");
    /// let evaluated = total.evaluate(scope, &Env::default()).expect("no assert");
    /// assert!(evaluated.value.is_null());
    /// assert_eq!(evaluated.warnings[0].to_string(), "NO_VARIABLE_FOUND: there is no variable `total`");
    /// ```
    ///
    /// # Errors
    /// Only when an `assert` does not hold or the budget is exhausted; everything else that fails gives null and a
    /// warning.
    pub fn evaluate(&self, scope: &dyn Scope, env: &Env<'_>) -> Result<Evaluated, Failure> {
        let Compiled { root, slots, dialect, .. } = &*self.0;
        Evaluator::new(Session::new(env), scope, *slots, *dialect).run(root)
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        &self.0
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source()).finish()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.source())
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Expression {}

/// Whoever compiles an expression may hand it to other threads.
const _: fn() = || {
    const fn shared<T: Send + Sync>() {}
    shared::<Expression>();
    shared::<Value>();
};
