//! What expressions see: names with their values, around them what is outside.

use std::sync::Arc;

use coreto_feel::{Captured, Scope, Text, Value, Variable};

use crate::graph::Graph;
use crate::types;

/// Names and values of one place in a model.
pub(crate) struct Frame<'f> {
    pub(crate) graph: &'f Arc<Graph>,
    pub(crate) names: &'f [Text],
    /// As many as there are names, or fewer while they are being made.
    pub(crate) values: &'f [Value],
    pub(crate) outer: Option<&'f dyn Scope>,
}

impl Scope for Frame<'_> {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        match find(self.names, self.values, name) {
            Some(value) => Some(Variable::Value(value.clone())),
            None => self.outer?.variable(name),
        }
    }

    fn is_instance(&self, value: &Value, type_name: &str) -> Option<bool> {
        is_instance(self.graph, value, type_name)
    }

    fn capture(&self, names: &[Arc<str>]) -> Option<Captured> {
        Some(Arc::new(captured(self, self.graph, names)))
    }
}

/// Variables that a function keeps.
struct Kept {
    graph: Arc<Graph>,
    names: Vec<Text>,
    values: Vec<Value>,
}

/// The variables of a scope; those that are not there now will not be there later.
fn captured(scope: &dyn Scope, graph: &Arc<Graph>, wanted: &[Arc<str>]) -> Kept {
    let (mut names, mut values) = (Vec::with_capacity(wanted.len()), Vec::with_capacity(wanted.len()));
    for name in wanted {
        let value = match scope.variable(name) {
            Some(Variable::Value(value)) => value,
            Some(Variable::Json(text)) => Value::from_json(text).unwrap_or_default(),
            None => continue,
        };
        names.push(Text::from(name.clone()));
        values.push(value);
    }
    Kept { graph: graph.clone(), names, values }
}

impl Scope for Kept {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        find(&self.names, &self.values, name).cloned().map(Variable::Value)
    }

    fn is_instance(&self, value: &Value, type_name: &str) -> Option<bool> {
        is_instance(&self.graph, value, type_name)
    }

    fn capture(&self, names: &[Arc<str>]) -> Option<Captured> {
        Some(Arc::new(captured(self, &self.graph, names)))
    }
}

/// The last value of a name, since later entries hide earlier ones.
fn find<'v>(names: &[Text], values: &'v [Value], name: &str) -> Option<&'v Value> {
    let known = &names[..values.len()];
    let at = known.iter().rposition(|known| known.as_bytes() == name.as_bytes())?;
    Some(&values[at])
}

fn is_instance(graph: &Arc<Graph>, value: &Value, type_name: &str) -> Option<bool> {
    let kind = types::defined(graph, type_name)?;
    Some(kind.has_instance(graph, value))
}
