//! What calls of `fromAi` tell an agent about the values that it is to fill in.

use crate::ast::{Arguments, Call, Callee, Kind, Node, StepKind};
use crate::lexer;
use crate::value::{Context, List, Text, Value};
use crate::{Expression, ParseError};

/// A value that an agent fills in, as a call of `fromAi` describes it.
#[derive(Clone, Debug)]
pub struct AgentParameter {
    /// The last name of the reference, e.g. `city` of `fromAi(toolCall.city)`.
    pub name: Text,
    /// What the value means.
    pub description: Option<Text>,
    /// The name of its type in JSON schema, e.g. `number`.
    pub type_name: Option<Text>,
    /// What its JSON schema says beside the type.
    pub schema: Option<Context>,
    /// Anything else, e.g. `{required: false}`.
    pub options: Option<Context>,
}

impl Expression {
    /// The parameters that calls of `fromAi` describe, in the order in which they are written. Nothing is evaluated:
    /// descriptions have to be literals.
    ///
    /// ```
    /// use coreto_feel::Expression;
    ///
    /// let mapping = Expression::parse(r#"fromAi(toolCall.city, "where to look", "string")"#).expect("well-formed");
    /// let parameters = mapping.agent_parameters().expect("described by literals");
    /// assert_eq!(&*parameters[0].name, "city");
    /// assert_eq!(parameters[0].description.as_deref(), Some("where to look"));
    /// ```
    ///
    /// # Errors
    /// When the first argument of a call is not a reference, or another one not a literal of its type.
    pub fn agent_parameters(&self) -> Result<Vec<AgentParameter>, ParseError> {
        let mut calls = Vec::new();
        collect(&self.compiled().root, &mut calls);
        calls.into_iter().map(|(call, at)| parameter(self.source(), call, at)).collect()
    }
}

/// The tree is only as deep as the parser lets it be.
fn collect<'n>(node: &'n Node, calls: &mut Vec<(&'n Arguments, u32)>) {
    if let Kind::Call(call) = &node.kind
        && let Call { callee: Callee::Builtin(builtin), arguments, .. } = &**call
        && builtin.name == "fromAi"
    {
        calls.push((arguments, node.at));
    }
    node.each_child(&mut |child| collect(child, calls));
}

fn parameter(source: &str, arguments: &Arguments, at: u32) -> Result<AgentParameter, ParseError> {
    let argument = |position: usize, name: &str| match &arguments.names {
        None => arguments.values.get(position),
        Some(names) => names.iter().position(|known| &**known == name).map(|at| &arguments.values[at]),
    };
    let wrong = |at: u32, expected: &str| {
        let token = lexer::token(source, at as usize);
        let found = format!("`{}`", source.get(token.start..token.end).unwrap_or_default());
        ParseError::new(source, at as usize, expected.to_owned(), found)
    };
    let value = argument(0, "value");
    let name = value.and_then(last_name).ok_or_else(|| {
        let at = value.map_or(at, |node| node.at);
        wrong(at, "a reference such as `toolCall.name` as what an agent fills in")
    })?;
    let refused = |node: &Node, name: &str, expected: &str| {
        wrong(node.at, &format!("{expected} or null as the {name} of a value from an agent"))
    };
    let given = |position: usize, name: &str| {
        let node = argument(position, name)?;
        Some((node, literal(node))).filter(|(_, value)| !matches!(value, Some(Value::Null)))
    };
    let text = |position: usize, name: &str| match given(position, name) {
        None => Ok(None),
        Some((_, Some(Value::String(text)))) => Ok(Some(text)),
        Some((node, _)) => Err(refused(node, name, "a string")),
    };
    let context = |position: usize, name: &str| match given(position, name) {
        None => Ok(None),
        Some((_, Some(Value::Context(context)))) => Ok(Some(context)),
        Some((node, _)) => Err(refused(node, name, "a context of literals")),
    };
    Ok(AgentParameter {
        name,
        description: text(1, "description")?,
        type_name: text(2, "type")?,
        schema: context(3, "schema")?,
        options: context(4, "options")?,
    })
}

/// The last name of a reference.
fn last_name(node: &Node) -> Option<Text> {
    match &node.kind {
        Kind::Free(free) => Some(Text::from(free.name.clone())),
        Kind::Filtered(filtered) => Some(Text::from(filtered.name.clone())),
        Kind::Path(path) => {
            let is_field = |kind: &StepKind| matches!(kind, StepKind::Field(_));
            let is_reference = matches!(path.base.kind, Kind::Free(_) | Kind::Filtered(_) | Kind::Local(_));
            match &path.steps.last()?.kind {
                StepKind::Field(name)
                    if is_reference && path.steps.iter().all(|step| is_field(&step.kind)) =>
                {
                    Some(name.clone())
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The value of a literal, whatever is in it being literals, too.
fn literal(node: &Node) -> Option<Value> {
    match &node.kind {
        Kind::Constant(value) => Some(value.clone()),
        Kind::List(items) => {
            let items: Option<Vec<Value>> = items.iter().map(literal).collect();
            List::new(items?).map(Value::List)
        }
        Kind::Context(entries) => {
            let entries: Option<Vec<(Text, Value)>> =
                entries.iter().map(|entry| Some((entry.key.clone(), literal(&entry.value)?))).collect();
            Context::new(entries?).map(Value::Context)
        }
        _ => None,
    }
}
