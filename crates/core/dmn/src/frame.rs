//! What expressions see: names with their values, around them what is outside.

use std::ops::Deref;
use std::sync::Arc;

use coreto_feel::{Captured, Scope, Text, Value, Variable};

use crate::graph::Graph;
use crate::types;

/// From so many names on, they are searched by an index.
const INDEX_FROM: usize = 17;

/// Names of one place in a model; of equal ones the last counts.
#[derive(Debug, Default)]
pub(crate) struct Names {
    list: Box<[Text]>,
    /// Positions by name, and in order where names are equal; empty for few names.
    sorted: Box<[u32]>,
}

impl Names {
    pub(crate) fn new(list: Vec<Text>) -> Self {
        let mut sorted: Vec<u32> = Vec::new();
        if list.len() >= INDEX_FROM {
            sorted.extend(0..u32::try_from(list.len()).unwrap_or(u32::MAX));
            sorted.sort_by(|&left, &right| list[left as usize].cmp(&list[right as usize]));
        }
        Self { list: list.into(), sorted: sorted.into() }
    }

    /// The last position of a name among the first so many.
    fn find(&self, name: &str, among: usize) -> Option<usize> {
        let name = name.as_bytes();
        if self.sorted.is_empty() {
            return self.list[..among].iter().rposition(|known| known.as_bytes() == name);
        }
        let key = |at: &u32| (self.list[*at as usize].as_bytes(), *at as usize);
        let behind = self.sorted.partition_point(|at| key(at) < (name, among));
        let at = self.sorted[..behind].last()?;
        (key(at).0 == name).then_some(*at as usize)
    }
}

impl Deref for Names {
    type Target = [Text];
    fn deref(&self) -> &[Text] {
        &self.list
    }
}

/// Names and values of one place in a model.
pub(crate) struct Frame<'f> {
    pub(crate) graph: &'f Arc<Graph>,
    pub(crate) names: &'f Names,
    /// As many as there are names, or fewer while they are being made.
    pub(crate) values: &'f [Value],
    pub(crate) outer: Option<&'f dyn Scope>,
}

impl Scope for Frame<'_> {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        match self.names.find(name, self.values.len()) {
            Some(at) => Some(Variable::Value(self.values[at].clone())),
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

/// The item of a filter, by its entries and as `item`.
pub(crate) struct Item<'f> {
    pub(crate) graph: &'f Arc<Graph>,
    pub(crate) value: &'f Value,
    pub(crate) outer: &'f dyn Scope,
}

impl Scope for Item<'_> {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        if let Value::Context(entries) = self.value
            && let Some(entry) = entries.get(name)
        {
            return Some(Variable::Value(entry.clone()));
        }
        if name == "item" { Some(Variable::Value(self.value.clone())) } else { self.outer.variable(name) }
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
    names: Names,
    values: Box<[Value]>,
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
    Kept { graph: graph.clone(), names: Names::new(names), values: values.into() }
}

impl Scope for Kept {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        let at = self.names.find(name, self.values.len())?;
        Some(Variable::Value(self.values[at].clone()))
    }

    fn is_instance(&self, value: &Value, type_name: &str) -> Option<bool> {
        is_instance(&self.graph, value, type_name)
    }

    fn capture(&self, names: &[Arc<str>]) -> Option<Captured> {
        Some(Arc::new(captured(self, &self.graph, names)))
    }
}

fn is_instance(graph: &Arc<Graph>, value: &Value, type_name: &str) -> Option<bool> {
    let kind = types::defined(graph, type_name)?;
    Some(kind.has_instance(graph, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_last_of_equal_names_among_few_and_many() {
        for count in [3, 40] {
            let list = (0..count).map(|at| Text::from(format!("n{}", at % 20))).collect();
            let names = Names::new(list);
            for (name, among) in [("n1", count), ("n1", 1), ("n1", 2), ("n2", 25), ("x", count), ("", count)]
            {
                let among = among.min(count);
                let expected = names[..among].iter().rposition(|known| known.as_str() == name);
                assert_eq!(names.find(name, among), expected, "{name} among {among} of {count}");
            }
        }
    }
}
