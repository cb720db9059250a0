//! Input and output mappings, compiled once.
//!
//! All inputs (or outputs) of an element are one FEEL context: entries see the targets before them, targets with the
//! same head share a nested context at the place of the first, a later mapping to the same target takes the earlier
//! one's place, and one failure fails all. Output contexts are merged into a variable of that name, one level deep.
//! Where every source is a plain variable or static text, values are copied as they are and nothing is evaluated.
//!
//! Source: "Mapping evaluation" of the engine's semantics; FEEL context expressions.

mod context;
mod target;

use std::sync::Arc;

use coreto_feel::{Env, Expression, Failure, ParseError, Scope, Variable, Warning};

use crate::json;
use context::{Context, Nested, Slot};

pub(crate) use target::{is_target, name_at_head};

/// All inputs, or all outputs, of one element.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Names of the variables that it makes, in order.
    names: Box<[Arc<str>]>,
    plan: Plan,
}

#[derive(Clone, Debug)]
enum Plan {
    Copy(Box<[Copied]>),
    Evaluate(Expression),
}

/// A value that needs no evaluation.
#[derive(Clone, Debug)]
enum Copied {
    /// JSON text.
    Constant(Box<str>),
    /// What the scope has under this name.
    Variable(Arc<str>),
    /// What an earlier entry of the mapping made.
    Entry(usize),
}

/// What a mapping made.
#[derive(Debug)]
pub struct Mapped {
    /// Names and values as JSON text, in the order of the mapping.
    pub variables: Vec<(Arc<str>, String)>,
    /// What was suppressed on the way. Values that were only copied give no warnings.
    pub warnings: Vec<Warning>,
}

/// Why a mapping made nothing.
#[derive(Debug)]
pub enum MappingError {
    /// The evaluation failed.
    Failed(Failure),
    /// The mapping did not come to a context.
    NotAContext {
        /// The type that it came to.
        found: &'static str,
        /// What was suppressed on the way.
        warnings: Vec<Warning>,
    },
}

/// One mapping as it stands in the model.
pub(crate) struct Entry<'t> {
    pub(crate) source: Source<'t>,
    /// A name, or a path of names with dots; see [`is_target`].
    pub(crate) target: &'t str,
}

/// Where a value comes from.
pub(crate) enum Source<'t> {
    Null,
    /// Text that is a string, whatever it looks like.
    Static(&'t str),
    Expression(Expression),
}

impl Mapping {
    /// Compiles input mappings, which make fresh contexts; `None` when there are none.
    pub(crate) fn inputs(entries: &[Entry<'_>]) -> Result<Option<Self>, ParseError> {
        Self::compile(entries, Nested::Fresh)
    }

    /// Compiles output mappings, which merge into contexts that are there; `None` when there are none.
    pub(crate) fn outputs(entries: &[Entry<'_>]) -> Result<Option<Self>, ParseError> {
        Self::compile(entries, Nested::Merged)
    }

    fn compile(entries: &[Entry<'_>], nested: Nested) -> Result<Option<Self>, ParseError> {
        if entries.is_empty() {
            return Ok(None);
        }
        let context = Context::of(entries);
        let names = context.entries().map(|(name, _)| Arc::from(name)).collect();
        let plan = match copies(&context) {
            Some(copies) => Plan::Copy(copies),
            None => Plan::Evaluate(Expression::parse(&context.render(nested))?),
        };
        Ok(Some(Self { names, plan }))
    }

    /// Names of the variables that it makes, in order.
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The one expression that is evaluated, without a leading `=`; `None` when values are only copied.
    pub fn expression(&self) -> Option<&Expression> {
        match &self.plan {
            Plan::Copy(_) => None,
            Plan::Evaluate(expression) => Some(expression),
        }
    }

    /// Makes the values, reading variables from `scope`.
    ///
    /// # Errors
    /// When the evaluation fails, or does not come to a context.
    pub fn evaluate(&self, scope: &dyn Scope, env: &Env<'_>) -> Result<Mapped, MappingError> {
        match &self.plan {
            Plan::Copy(copies) => Ok(self.copy(copies, scope)),
            Plan::Evaluate(expression) => self.join(expression, scope, env),
        }
    }

    fn copy(&self, copies: &[Copied], scope: &dyn Scope) -> Mapped {
        let mut variables: Vec<(Arc<str>, String)> = Vec::with_capacity(copies.len());
        for (name, copied) in self.names.iter().zip(copies) {
            let value = match copied {
                Copied::Constant(text) => text.to_string(),
                Copied::Variable(source) => json_of(scope.variable(source)),
                Copied::Entry(index) => variables[*index].1.clone(),
            };
            variables.push((name.clone(), value));
        }
        Mapped { variables, warnings: Vec::new() }
    }

    fn join(
        &self,
        expression: &Expression,
        scope: &dyn Scope,
        env: &Env<'_>,
    ) -> Result<Mapped, MappingError> {
        let evaluated = expression.evaluate(scope, env).map_err(MappingError::Failed)?;
        let Some(context) = evaluated.value.as_context() else {
            let found = evaluated.value.type_name();
            return Err(MappingError::NotAContext { found, warnings: evaluated.warnings });
        };
        let value = |name: &Arc<str>| {
            let mut text = Vec::new();
            match context.get(name) {
                Some(value) => value.write_json(&mut text),
                None => text.extend_from_slice(b"null"),
            }
            (name.clone(), utf8(text))
        };
        Ok(Mapped { variables: self.names.iter().map(value).collect(), warnings: evaluated.warnings })
    }
}

fn json_of(variable: Option<Variable<'_>>) -> String {
    match variable {
        None => "null".to_owned(),
        Some(Variable::Json(text)) => utf8(text.to_vec()),
        Some(Variable::Value(value)) => {
            let mut text = Vec::new();
            value.write_json(&mut text);
            utf8(text)
        }
    }
}

fn utf8(json: Vec<u8>) -> String {
    String::from_utf8(json).expect("JSON text of variables and values is UTF-8")
}

/// The copies that a context comes down to, when nothing in it needs evaluation.
fn copies(context: &Context<'_>) -> Option<Box<[Copied]>> {
    let mut copies: Vec<Copied> = Vec::new();
    for (_, slot) in context.entries() {
        let Slot::Value(source) = slot else {
            return None;
        };
        copies.push(match source {
            Source::Null => Copied::Constant("null".into()),
            Source::Static(text) => {
                let mut json = String::with_capacity(text.len() + 2);
                json::write_string(text, &mut json);
                Copied::Constant(json.into())
            }
            Source::Expression(expression) => {
                let name = expression.source().trim();
                if !target::is_name(name) || target::is_reserved(name) {
                    return None;
                }
                match context.position(name).filter(|position| *position < copies.len()) {
                    Some(earlier) => Copied::Entry(earlier),
                    None => Copied::Variable(name.into()),
                }
            }
        });
    }
    Some(copies.into())
}
