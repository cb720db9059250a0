//! The functions that every expression may call.

#![allow(clippy::unnecessary_wraps, reason = "every function of the tables has the same shape")]

mod base64;
mod boolean;
mod chance;
mod context;
mod conversion;
mod format;
mod list;
mod number;
mod orchestration;
mod pattern;
mod range;
mod standard;
mod string;
mod temporal;
mod units;

use std::sync::LazyLock;

use crate::eval::{Eval, Evaluator};
use crate::value::{Text, Value};
use crate::{Dialect, WarningKind};

pub(crate) use pattern::Cache as PatternCache;

/// A function of the language. All signatures of one name are one function that looks at its arguments.
#[derive(Debug)]
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    /// Names of parameters, one list per signature.
    signatures: &'static [&'static [&'static str]],
    /// Whether it takes any number of arguments from the shortest signature on.
    pub(crate) variadic: bool,
    run: Run,
}

type Run = fn(&mut Call<'_, '_>, &[Value]) -> Eval;

impl Builtin {
    const fn new(name: &'static str, signatures: &'static [&'static [&'static str]], run: Run) -> Self {
        Self { name, signatures, variadic: false, run }
    }

    const fn variadic(name: &'static str, signatures: &'static [&'static [&'static str]], run: Run) -> Self {
        Self { name, signatures, variadic: true, run }
    }

    /// The shortest signature that has all these parameters; of several, the one that has them in this order.
    pub(crate) fn overload(&self, names: &[Text]) -> Option<&'static [&'static str]> {
        let has_all = |signature: &[&str]| names.iter().all(|name| signature.contains(&name.as_str()));
        let in_order =
            |signature: &[&str]| signature.iter().zip(names).all(|(known, name)| **known == **name);
        let fitting = self.signatures.iter().copied().filter(|signature| has_all(signature));
        fitting.min_by_key(|signature| (signature.len(), !in_order(signature)))
    }

    /// Whether a constant second argument (and those after it) is a pattern that is worth compiling once.
    pub(crate) fn takes_pattern(&self) -> bool {
        matches!(self.name, "matches" | "replace" | "split" | "extract")
    }

    pub(crate) fn takes(&self, count: usize) -> bool {
        let mut lengths = self.signatures.iter().map(|signature| signature.len());
        if self.variadic {
            lengths.any(|length| length <= count)
        } else {
            lengths.any(|length| length == count)
        }
    }
}

const GROUPS: [&[Builtin]; 11] = [
    base64::FUNCTIONS,
    boolean::FUNCTIONS,
    context::FUNCTIONS,
    conversion::FUNCTIONS,
    format::FUNCTIONS,
    list::FUNCTIONS,
    number::FUNCTIONS,
    orchestration::FUNCTIONS,
    range::FUNCTIONS,
    string::FUNCTIONS,
    temporal::FUNCTIONS,
];

/// The function of a name.
pub(crate) fn find(dialect: Dialect, name: &str) -> Option<&'static Builtin> {
    static SORTED: LazyLock<Box<[&'static Builtin]>> = LazyLock::new(|| {
        let mut all: Vec<&'static Builtin> = GROUPS.into_iter().flatten().collect();
        all.sort_by_key(|builtin| builtin.name);
        all.into()
    });
    if dialect.is_standard()
        && let Some(own) = standard::FUNCTIONS.iter().find(|builtin| builtin.name == name)
    {
        return Some(own);
    }
    SORTED.binary_search_by_key(&name, |builtin| builtin.name).ok().map(|at| SORTED[at])
}

/// Names and parameters of every signature, e.g. `("substring", ["string", "start position"])`.
pub fn signatures(dialect: Dialect) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    let more = if dialect.is_standard() { standard::FUNCTIONS } else { &[] };
    let all = GROUPS.into_iter().flatten().chain(more);
    all.flat_map(|builtin| builtin.signatures.iter().map(|parameters| (builtin.name, *parameters)))
}

/// Calls a function with arguments by name, which are in the order of a signature of it.
pub(crate) fn run_named(
    evaluator: &mut Evaluator<'_>,
    builtin: &'static Builtin,
    parameters: &[&str],
    values: &[Value],
    at: u32,
) -> Eval {
    // Where a function takes one key or a path of keys, the name tells which is meant.
    let is_misnamed = |(parameter, value): (&&str, &Value)| match value {
        Value::List(_) => *parameter == "key",
        Value::String(_) => *parameter == "keys",
        _ => false,
    };
    if parameters.iter().zip(values).any(is_misnamed) {
        return Call { evaluator, name: builtin.name, patterns: None, refused: false, at }.illegal(values);
    }
    run(evaluator, builtin, values, None, at)
}

/// Calls a function with arguments by position.
pub(crate) fn run(
    evaluator: &mut Evaluator<'_>,
    builtin: &'static Builtin,
    values: &[Value],
    patterns: Option<&PatternCache>,
    at: u32,
) -> Eval {
    if !builtin.takes(values.len()) {
        return Ok(evaluator.no_function(builtin.name, values.iter().map(Value::type_name), at));
    }
    evaluator.charge_steps(1, at)?;
    let warnings = evaluator.warnings();
    let mut call = Call { evaluator, name: builtin.name, patterns, refused: false, at };
    if !call.evaluator.dialect().is_standard() {
        return (builtin.run)(&mut call, values);
    }
    let result = (builtin.run)(&mut call, values)?;
    if !call.refused {
        return Ok(result);
    }
    // What a function does not take as it is may fit as the one item of a list, or as a list of it.
    for coerced in [items_of_lists(values), list_of_first(values)].into_iter().flatten() {
        call.refused = false;
        let result = (builtin.run)(&mut call, &coerced)?;
        if !call.refused {
            call.evaluator.forget_warnings(warnings);
            return Ok(result);
        }
    }
    Ok(result)
}

fn items_of_lists(values: &[Value]) -> Option<Vec<Value>> {
    let single = |value: &Value| match value {
        Value::List(list) if list.len() == 1 => Some(list[0].clone()),
        _ => None,
    };
    values
        .iter()
        .any(|value| single(value).is_some())
        .then(|| values.iter().map(|value| single(value).unwrap_or_else(|| value.clone())).collect())
}

fn list_of_first(values: &[Value]) -> Option<Vec<Value>> {
    let (first, rest) = values.split_first()?;
    if first.is_null() || matches!(first, Value::List(_)) {
        return None;
    }
    let list = Value::List(crate::value::List::new(vec![first.clone()])?);
    Some(std::iter::once(list).chain(rest.iter().cloned()).collect())
}

/// The constant that a temporal function of one literal stands for; nothing for other functions and for what
/// cannot be read.
pub(crate) fn temporal_literal(builtin: &Builtin, text: &str) -> Option<Value> {
    match builtin.name {
        "date" => conversion::date_of_text(text),
        "time" => conversion::time_of_text(text),
        "date and time" => conversion::date_time_of_text(text),
        "duration" => conversion::duration_of_text(text),
        _ => None,
    }
}

/// One call of a function.
struct Call<'c, 'e> {
    evaluator: &'c mut Evaluator<'e>,
    name: &'static str,
    /// Where the compiled pattern is kept, if the call has a constant one.
    patterns: Option<&'c PatternCache>,
    /// Whether the arguments were not of the right types.
    refused: bool,
    at: u32,
}

impl Call<'_, '_> {
    /// Null, with a warning that tells the types of the arguments.
    fn illegal(&mut self, values: &[Value]) -> Eval {
        self.refused = true;
        let types: Vec<&str> = values.iter().map(Value::type_name).collect();
        self.fail(format_args!("it does not take ({})", types.join(", ")))
    }

    /// Null, with a warning that tells the reason.
    fn fail(&mut self, reason: impl std::fmt::Display) -> Eval {
        let name = self.name;
        let message = || format!("cannot call `{name}`: {reason}");
        Ok(self.evaluator.warn(WarningKind::FunctionInvocationFailure, self.at, message))
    }

    fn charge_steps(&mut self, steps: usize) -> Eval<()> {
        self.evaluator.charge_steps(steps, self.at)
    }

    fn list(&mut self, items: Vec<Value>) -> Eval {
        self.evaluator.make_list(items, self.at)
    }

    fn context(&mut self, entries: Vec<(Text, Value)>) -> Eval {
        self.evaluator.make_context(entries, self.at)
    }

    fn string(&mut self, text: String) -> Eval {
        self.evaluator.make_string(text, self.at)
    }
}
