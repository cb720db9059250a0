//! Values of test cases.

use std::sync::LazyLock;

use anyhow::{Context as _, bail};
use coreto_feel::{Context, Dialect, Env, Expression, List, Text, Value};
use coreto_xml::{Document, NodeId};

use super::case::Space;

/// How far numbers may be from what is expected, which some cases round.
const TOLERANCE: f64 = 1e-8;

/// The value in a node: one of a simple type, components, or a list.
pub(super) fn of_node(document: &Document<'_, Space>, node: NodeId) -> anyhow::Result<Value> {
    let mut components = Vec::new();
    for child in document.children(node).filter(|child| document.space(*child) == Space::Case) {
        match document.local(child) {
            "value" => return simple(document, child),
            "list" => {
                let items = document.children_named(child, Space::Case, "item");
                let items = items.map(|item| of_node(document, item)).collect::<anyhow::Result<Vec<_>>>()?;
                return Ok(Value::List(List::new(items).context("a list is nested too deep")?));
            }
            "component" => {
                let name = Text::from(document.attribute(child, "name").unwrap_or_default());
                components.push((name, of_node(document, child)?));
            }
            _ => (),
        }
    }
    if components.is_empty() {
        return Ok(Value::Null);
    }
    Ok(Value::Context(Context::new(components).context("a context is nested too deep")?))
}

fn simple(document: &Document<'_, Space>, node: NodeId) -> anyhow::Result<Value> {
    if document.attribute_of(node, Space::Instance, "nil") == Some("true") {
        return Ok(Value::Null);
    }
    let kind = document.attribute_of(node, Space::Instance, "type").unwrap_or("xsd:string");
    let text = document.text(node);
    let source = match kind.rsplit(':').next().unwrap_or_default() {
        "string" => return Ok(Value::from(text)),
        "boolean" => return Ok(Value::Boolean(text.trim() == "true")),
        "decimal" | "double" | "integer" | "int" | "float" => "number(text)",
        "date" => "date(text)",
        "time" => "time(text)",
        "dateTime" => "date and time(text)",
        "duration" => "duration(text)",
        other => bail!("values of type `{other}` are not known"),
    };
    let scope = Context::new(vec![("text".into(), text.trim().into())]).context("one entry")?;
    let expression = parse(source);
    let value = expression.evaluate(&scope, &Env::default())?.value;
    if value.is_null() {
        bail!("`{}` is no {kind}", text.trim());
    }
    Ok(value)
}

fn parse(source: &str) -> Expression {
    Expression::parse_in(Dialect::Standard, &[], source).expect("a sound expression")
}

/// Whether two values are the same, numbers within the tolerance.
pub(super) fn same(expected: &Value, found: &Value) -> bool {
    static EQUAL: LazyLock<Expression> = LazyLock::new(|| parse("a = b"));
    match (expected, found) {
        (Value::Number(left), Value::Number(right)) => {
            let double = |number: &coreto_feel::Number| number.to_string().parse().unwrap_or(f64::NAN);
            let (left, right): (f64, f64) = (double(left), double(right));
            (left - right).abs() <= TOLERANCE || expected_exactly(expected, found)
        }
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right.iter()).all(|(left, right)| same(left, right))
        }
        (Value::Context(left), Value::Context(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| same(left, right)))
        }
        _ => {
            let scope = Context::new(vec![("a".into(), expected.clone()), ("b".into(), found.clone())]);
            let equal = scope.and_then(|scope| EQUAL.evaluate(&scope, &Env::default()).ok());
            equal.is_some_and(|equal| equal.value.as_bool() == Some(true))
        }
    }
}

fn expected_exactly(expected: &Value, found: &Value) -> bool {
    coreto_feel::value::equal(expected, found) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(source: &str) -> Value {
        parse(source).evaluate(&Context::empty(), &Env::default()).expect("no assert").value
    }

    #[test]
    fn compares_numbers_with_a_tolerance_and_all_else_exactly() {
        for (left, right, equal) in [
            ("0.1", "0.100000001", true),
            ("0.1", "0.1001", false),
            ("{a: [1/3]}", "{a: [0.33333333333]}", true),
            ("{a: 1}", "{a: 1, b: 2}", false),
            ("10 ** 40", "10 ** 40", true),
            ("null", "1", false),
            ("null", "null", true),
            ("date(\"2020-01-01\")", "\"2020-01-01\"", false),
        ] {
            assert_eq!(same(&value(left), &value(right)), equal, "{left} and {right}");
        }
    }
}
