//! Types: what a value may be, and values that only have to be seen in the right way to be it.

use std::sync::{Arc, LazyLock};

use coreto_feel::{Context, Dialect, Expression, Failure, Nothing, Session, Text, UnaryTests, Value};

use crate::graph::Graph;

/// A type. `Any` is what nothing is said about.
#[derive(Clone, Debug)]
pub(crate) enum Type {
    Any,
    Boolean,
    Number,
    String,
    Date,
    Time,
    DateTime,
    DaysTimeDuration,
    YearsMonthsDuration,
    /// A duration of either kind.
    Duration,
    Range,
    List,
    Context,
    Function,
    /// By its position in the graph that it belongs to.
    Defined(usize),
    /// By its position in an imported graph.
    Imported(usize, usize),
}

/// A named type. DMN 1.5, 7.3.3.
#[derive(Debug)]
pub(crate) struct ItemDefinition {
    pub(crate) name: Text,
    pub(crate) body: Item,
}

/// What an item definition or one of its components says.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) shape: Shape,
    pub(crate) is_collection: bool,
    /// Values that are allowed, of a collection each item.
    pub(crate) allowed: Option<UnaryTests>,
    /// What must hold for the whole value.
    pub(crate) constraint: Option<UnaryTests>,
}

#[derive(Debug)]
pub(crate) enum Shape {
    Reference(Type),
    Components(Box<[(Text, Item)]>),
    /// So many parameters, and the type of the result.
    Function(usize, Type),
}

/// How strictly a value is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    /// As `instance of` does: constraints do not count.
    Instance,
    /// As wherever a value gets a type.
    Conformance,
}

impl Type {
    /// The value as one of this type: as it is, the one item of a list, a list of it, or the start of a day;
    /// nothing when it is not of this type in any way. DMN 1.5, 10.3.2.9.4.
    pub(crate) fn conform(
        &self,
        graph: &Arc<Graph>,
        value: Value,
        session: &mut Session<'_>,
    ) -> Result<Option<Value>, Failure> {
        if value.is_null() || matches!(self, Self::Any) {
            return Ok(Some(value));
        }
        session.quietly(|session| self.coerced(graph, value, session))
    }

    fn coerced(
        &self,
        graph: &Arc<Graph>,
        value: Value,
        session: &mut Session<'_>,
    ) -> Result<Option<Value>, Failure> {
        let check = Check::Conformance;
        if fits(session, graph, check, self, &value)? {
            return Ok(Some(value));
        }
        if let Value::List(list) = &value {
            return match list.as_slice() {
                [item] if fits(session, graph, check, self, item)? => Ok(Some(item.clone())),
                _ => Ok(None),
            };
        }
        if let ((_, Self::DateTime), Value::Date(_)) = (resolve(graph, self), &value) {
            return convert(session, &MIDNIGHT, value).map(Some);
        }
        let list = session.list(vec![value])?;
        Ok(fits(session, graph, check, self, &list)?.then_some(list))
    }

    /// A value that came as JSON, which has no dates: text stands for what its type says.
    pub(crate) fn of_json(
        &self,
        graph: &Arc<Graph>,
        value: Value,
        session: &mut Session<'_>,
    ) -> Result<Value, Failure> {
        typed(session, graph, self, value)
    }

    /// Whether a value is of this type, for `instance of`.
    pub(crate) fn has_instance(&self, graph: &Arc<Graph>, value: &Value) -> bool {
        let env = coreto_feel::Env::default();
        let mut session = Session::new(&env);
        !value.is_null() && fits(&mut session, graph, Check::Instance, self, value).unwrap_or(false)
    }

    /// What a function of this type gives; what is no function type stands for its own result.
    pub(crate) fn result<'g>(&'g self, graph: &'g Arc<Graph>) -> (&'g Self, &'g Arc<Graph>) {
        let (definition, graph) = match self {
            Self::Defined(at) => (&graph.types[*at], graph),
            Self::Imported(import, at) => {
                let graph = &graph.imports[*import].graph;
                (&graph.types[*at], graph)
            }
            _ => return (self, graph),
        };
        match &definition.body.shape {
            Shape::Function(_, result) if !definition.body.is_collection => (result, graph),
            _ => (self, graph),
        }
    }

    /// The name that messages call it by.
    pub(crate) fn name<'g>(&self, graph: &'g Graph) -> &'g str {
        match self {
            Self::Any => "Any",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Date => "date",
            Self::Time => "time",
            Self::DateTime => "date and time",
            Self::DaysTimeDuration => "days and time duration",
            Self::YearsMonthsDuration => "years and months duration",
            Self::Duration => "duration",
            Self::Range => "range",
            Self::List => "list",
            Self::Context => "context",
            Self::Function => "function",
            Self::Defined(at) => graph.types[*at].name.as_str(),
            Self::Imported(import, at) => graph.imports[*import].graph.types[*at].name.as_str(),
        }
    }
}

/// A type that the language has. DMN 1.5, 10.3.2.3; the names of earlier versions and of Camunda's modeler too.
pub(crate) fn built_in(name: &str) -> Option<Type> {
    Some(match name {
        "Any" | "any" | "" => Type::Any,
        "boolean" => Type::Boolean,
        "number" | "integer" | "long" | "double" => Type::Number,
        "string" => Type::String,
        "date" => Type::Date,
        "time" => Type::Time,
        "date and time" | "dateTime" | "date time" => Type::DateTime,
        "days and time duration" | "dayTimeDuration" | "day-time-duration" => Type::DaysTimeDuration,
        "years and months duration" | "yearMonthDuration" | "year-month-duration" => {
            Type::YearsMonthsDuration
        }
        "duration" => Type::Duration,
        "range" => Type::Range,
        "list" => Type::List,
        "context" => Type::Context,
        "function" => Type::Function,
        _ => return None,
    })
}

/// The graph and the definition behind a name.
fn definition<'g>(graph: &'g Arc<Graph>, kind: &Type) -> Option<(&'g Arc<Graph>, &'g Item)> {
    let (graph, at) = match kind {
        Type::Defined(at) => (graph, *at),
        Type::Imported(import, at) => (&graph.imports[*import].graph, *at),
        _ => return None,
    };
    Some((graph, &graph.types[at].body))
}

/// What a name stands for that only gives another type a name.
fn resolve<'g>(mut graph: &'g Arc<Graph>, mut kind: &'g Type) -> (&'g Arc<Graph>, &'g Type) {
    // Bound: definitions that only name each other do not go round in circles.
    while let Some((inside, Item { shape: Shape::Reference(inner), is_collection: false, .. })) =
        definition(graph, kind)
    {
        (graph, kind) = (inside, inner);
    }
    (graph, kind)
}

/// Whether a value is of a type as it is. The value is only so deep, and names are followed in a loop.
fn fits<'g>(
    session: &mut Session<'_>,
    mut graph: &'g Arc<Graph>,
    check: Check,
    mut kind: &'g Type,
    value: &Value,
) -> Result<bool, Failure> {
    session.charge_steps(1)?;
    while let Some((inside, item)) = definition(graph, kind) {
        match &item.shape {
            Shape::Reference(inner) if !item.is_collection => {
                if !is_allowed(session, check, item, value)? {
                    return Ok(false);
                }
                (graph, kind) = (inside, inner);
            }
            Shape::Reference(_) | Shape::Components(_) | Shape::Function(..) => {
                return fits_item(session, inside, check, item, value);
            }
        }
    }
    Ok(is_simple(kind, value))
}

fn is_simple(kind: &Type, value: &Value) -> bool {
    match kind {
        Type::Any => true,
        _ if value.is_null() => true,
        Type::Boolean => matches!(value, Value::Boolean(_)),
        Type::Number => matches!(value, Value::Number(_)),
        Type::String => matches!(value, Value::String(_)),
        Type::Date => matches!(value, Value::Date(_)),
        Type::Time => matches!(value, Value::Time(_)),
        Type::DateTime => matches!(value, Value::DateTime(_)),
        Type::DaysTimeDuration => matches!(value, Value::DaysTimeDuration(_)),
        Type::YearsMonthsDuration => matches!(value, Value::YearsMonthsDuration(_)),
        Type::Duration => matches!(value, Value::DaysTimeDuration(_) | Value::YearsMonthsDuration(_)),
        Type::Range => matches!(value, Value::Range(_)),
        Type::List => matches!(value, Value::List(_)),
        Type::Context => matches!(value, Value::Context(_)),
        Type::Function => matches!(value, Value::Function(_)),
        // Names were followed before.
        Type::Defined(_) | Type::Imported(..) => false,
    }
}

fn fits_item(
    session: &mut Session<'_>,
    graph: &Arc<Graph>,
    check: Check,
    item: &Item,
    value: &Value,
) -> Result<bool, Failure> {
    if value.is_null() {
        return Ok(true);
    }
    if !item.is_collection {
        return Ok(is_allowed(session, check, item, value)?
            && fits_shape(session, graph, check, &item.shape, value)?);
    }
    let Value::List(list) = value else { return Ok(false) };
    for one in list.iter() {
        let allowed = passes(session, check, item.allowed.as_ref(), one)?;
        if !allowed || !fits_shape(session, graph, check, &item.shape, one)? {
            return Ok(false);
        }
    }
    passes(session, check, item.constraint.as_ref(), value)
}

fn fits_shape(
    session: &mut Session<'_>,
    graph: &Arc<Graph>,
    check: Check,
    shape: &Shape,
    value: &Value,
) -> Result<bool, Failure> {
    match (shape, value) {
        (_, Value::Null) => Ok(true),
        (Shape::Reference(kind), _) => fits(session, graph, check, kind, value),
        (Shape::Components(components), Value::Context(context)) => {
            for (name, item) in components {
                match context.get(name) {
                    Some(entry) if fits_item(session, graph, check, item, entry)? => (),
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (Shape::Function(parameters, _), Value::Function(function)) => Ok(function.takes(*parameters)),
        (Shape::Components(_) | Shape::Function(..), _) => Ok(false),
    }
}

fn is_allowed(session: &mut Session<'_>, check: Check, item: &Item, value: &Value) -> Result<bool, Failure> {
    Ok(passes(session, check, item.allowed.as_ref(), value)?
        && passes(session, check, item.constraint.as_ref(), value)?)
}

fn passes(
    session: &mut Session<'_>,
    check: Check,
    tests: Option<&UnaryTests>,
    value: &Value,
) -> Result<bool, Failure> {
    match tests {
        Some(tests) if check == Check::Conformance && !value.is_null() => {
            Ok(session.test(tests, value, &Nothing)? == Some(true))
        }
        _ => Ok(true),
    }
}

/// The functions that read text, by the type that they make.
static DATE: LazyLock<Expression> = LazyLock::new(|| conversion("date(text)"));
static TIME: LazyLock<Expression> = LazyLock::new(|| conversion("time(text)"));
static DATE_TIME: LazyLock<Expression> = LazyLock::new(|| conversion("date and time(text)"));
static DURATION: LazyLock<Expression> = LazyLock::new(|| conversion("duration(text)"));
static MIDNIGHT: LazyLock<Expression> =
    LazyLock::new(|| conversion("date and time(text, time(\"00:00:00Z\"))"));

fn conversion(source: &str) -> Expression {
    Expression::parse_in(Dialect::Standard, &[], source).expect("a sound expression")
}

fn convert(session: &mut Session<'_>, conversion: &Expression, value: Value) -> Result<Value, Failure> {
    let scope = Context::new(vec![("text".into(), value)]).unwrap_or_else(Context::empty);
    session.evaluate(conversion, &scope)
}

/// A value of JSON with its text read as its type says.
fn typed(session: &mut Session<'_>, graph: &Arc<Graph>, kind: &Type, value: Value) -> Result<Value, Failure> {
    session.charge_steps(1)?;
    let (graph, kind) = resolve(graph, kind);
    if let Some((graph, item)) = definition(graph, kind) {
        return typed_item(session, graph, item, value);
    }
    let conversion = match (kind, &value) {
        (Type::Date, Value::String(_)) => &DATE,
        (Type::Time, Value::String(_)) => &TIME,
        (Type::DateTime, Value::String(_)) => &DATE_TIME,
        (Type::DaysTimeDuration | Type::YearsMonthsDuration | Type::Duration, Value::String(_)) => &DURATION,
        _ => return Ok(value),
    };
    convert(session, conversion, value)
}

fn typed_item(
    session: &mut Session<'_>,
    graph: &Arc<Graph>,
    item: &Item,
    value: Value,
) -> Result<Value, Failure> {
    match value {
        Value::List(list) if item.is_collection => {
            let mut items = Vec::with_capacity(list.len());
            for one in list.iter() {
                items.push(typed_shape(session, graph, &item.shape, one.clone())?);
            }
            session.list(items)
        }
        value => typed_shape(session, graph, &item.shape, value),
    }
}

fn typed_shape(
    session: &mut Session<'_>,
    graph: &Arc<Graph>,
    shape: &Shape,
    value: Value,
) -> Result<Value, Failure> {
    match (shape, value) {
        (Shape::Reference(kind), value) => typed(session, graph, kind, value),
        (Shape::Components(components), Value::Context(context)) => {
            let mut entries = context.entries().to_vec();
            for (name, entry) in &mut entries {
                if let Some((_, item)) = components.iter().find(|(known, _)| known == name) {
                    *entry = typed_item(session, graph, item, std::mem::take(entry))?;
                }
            }
            session.context(entries)
        }
        (Shape::Components(_) | Shape::Function(..), value) => Ok(value),
    }
}

/// The type that a model defines under a name, or imports under `import.name`.
pub(crate) fn defined(graph: &Graph, name: &str) -> Option<Type> {
    let position =
        |graph: &Graph, name: &str| graph.types.iter().position(|known| known.name.as_str() == name);
    if let Some(at) = position(graph, name) {
        return Some(Type::Defined(at));
    }
    graph.imports.iter().enumerate().find_map(|(import, known)| {
        let rest = name.strip_prefix(known.name.as_str())?.strip_prefix('.')?;
        Some(Type::Imported(import, position(&known.graph, rest)?))
    })
}
