//! What expressions of the model give, where that must be of a kind.

use std::sync::Arc;

use coreto_bpmn::Text;
use coreto_feel::{Env, Expression, Scope, Value};

use crate::incident::Trouble;

/// Evaluates an expression, and takes of its value what is wanted.
pub(crate) fn value<T>(
    what: &str,
    wanted: &str,
    expression: &Expression,
    scope: &dyn Scope,
    env: &Env<'_>,
    take: impl FnOnce(&Value) -> Option<T>,
) -> Result<T, Trouble> {
    let evaluated = expression
        .evaluate(scope, env)
        .map_err(|failure| Trouble::failed(what, expression.source(), &failure))?;
    let (found, warnings) = (&evaluated.value, &evaluated.warnings);
    take(found).ok_or_else(|| Trouble::unexpected(what, expression.source(), wanted, found, warnings))
}

/// A text that must come to a string.
pub(crate) fn string(what: &str, text: &Text, scope: &dyn Scope, env: &Env<'_>) -> Result<Arc<str>, Trouble> {
    match text {
        Text::Static(text) => Ok(Arc::clone(text)),
        Text::Expression(expression) => {
            value(what, "a string", expression, scope, env, |found| found.as_str().map(Arc::from))
        }
    }
}

/// An expression that must come to true or false.
pub(crate) fn boolean(
    what: &str,
    expression: &Expression,
    scope: &dyn Scope,
    env: &Env<'_>,
) -> Result<bool, Trouble> {
    value(what, "a boolean", expression, scope, env, |found| match found {
        Value::Boolean(found) => Some(*found),
        _ => None,
    })
}
