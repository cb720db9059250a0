//! Unary tests: what a cell of a decision table says about its input.

use std::fmt;
use std::sync::Arc;

use crate::compiled::Compiled;
use crate::eval::Evaluator;
use crate::{Dialect, Env, Evaluated, Failure, ParseError, Scope, Session, Value, parser};

/// Compiled unary tests, e.g. `< 5, [10..20]`; cheap to clone.
///
/// A test passes when it is true, equals the input, or is a list or range that holds it; `?` stands for the input,
/// `-` passes always, `not(…)` turns tests around.
#[derive(Clone)]
pub struct UnaryTests(Arc<Compiled>);

impl UnaryTests {
    /// Compiles the text of unary tests.
    ///
    /// ```
    /// use coreto_feel::{Env, Nothing, UnaryTests};
    ///
    /// let tests = UnaryTests::parse("< 5, [10..20], 42").expect("well-formed");
    /// let passes = |input: i64| tests.evaluate(input.into(), &Nothing, &Env::default()).expect("no assert").value;
    /// assert_eq!(passes(12).as_bool(), Some(true));
    /// assert_eq!(passes(7).as_bool(), Some(false));
    /// ```
    ///
    /// # Errors
    /// When the text is not a whole list of tests.
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        Self::parse_in(Dialect::Camunda, &[], source)
    }

    /// As [`Self::parse`], in a dialect. In the standard one, names of one or several words are found without help;
    /// those that have other characters in them, or words that the language uses, must be told here.
    ///
    /// # Errors
    /// As for [`Self::parse`].
    pub fn parse_in(dialect: Dialect, names: &[&str], source: &str) -> Result<Self, ParseError> {
        let parsed = parser::unary_tests(dialect, names, source)?;
        Ok(Self(Compiled::new(dialect, source, parsed)))
    }

    /// The text that was compiled.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Names that the tests read from the scope, each once; the input is not among them.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.variables()
    }

    /// Whether the input passes: a boolean, or null when that cannot be told.
    ///
    /// # Errors
    /// As for [`crate::Expression::evaluate`].
    pub fn evaluate(&self, input: Value, scope: &dyn Scope, env: &Env<'_>) -> Result<Evaluated, Failure> {
        let Compiled { root, slots, dialect, .. } = &*self.0;
        let mut evaluator = Evaluator::new(Session::new(env), scope, *slots, *dialect);
        evaluator.set_input(input);
        evaluator.run(root)
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        &self.0
    }
}

impl fmt::Debug for UnaryTests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnaryTests").field(&self.source()).finish()
    }
}
