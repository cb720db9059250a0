//! The functions that every expression may call.

mod boolean;

use std::sync::LazyLock;

use crate::WarningKind;
use crate::eval::{Eval, Evaluator};
use crate::value::{Text, Value};

/// A function of the language. All signatures of one name are one function that looks at its arguments.
#[derive(Debug)]
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    /// Names of parameters, one list per signature.
    pub(crate) signatures: &'static [&'static [&'static str]],
    /// Whether the last parameter may come any number of times.
    pub(crate) variadic: bool,
    pub(crate) run: fn(&mut Call<'_, '_>, &[Value]) -> Eval,
}

impl Builtin {
    const fn new(
        name: &'static str,
        signatures: &'static [&'static [&'static str]],
        run: fn(&mut Call<'_, '_>, &[Value]) -> Eval,
    ) -> Self {
        Self { name, signatures, variadic: false, run }
    }

    const fn variadic(
        name: &'static str,
        signatures: &'static [&'static [&'static str]],
        run: fn(&mut Call<'_, '_>, &[Value]) -> Eval,
    ) -> Self {
        Self { name, signatures, variadic: true, run }
    }

    /// The shortest signature that has all these parameters.
    pub(crate) fn overload(&self, names: &[Text]) -> Option<&'static [&'static str]> {
        let has_all = |signature: &[&str]| names.iter().all(|name| signature.contains(&name.as_str()));
        self.signatures
            .iter()
            .copied()
            .filter(|signature| has_all(signature))
            .min_by_key(|signature| signature.len())
    }

    fn takes(&self, count: usize) -> bool {
        self.variadic || self.signatures.iter().any(|signature| signature.len() == count)
    }
}

/// The function of a name.
pub(crate) fn find(name: &str) -> Option<&'static Builtin> {
    static SORTED: LazyLock<Box<[&'static Builtin]>> = LazyLock::new(|| {
        let groups: [&'static [Builtin]; 1] = [boolean::FUNCTIONS];
        let mut all: Vec<&'static Builtin> = groups.into_iter().flatten().collect();
        all.sort_by_key(|builtin| builtin.name);
        all.into()
    });
    SORTED.binary_search_by_key(&name, |builtin| builtin.name).ok().map(|at| SORTED[at])
}

/// Calls a function with arguments by position.
pub(crate) fn run(
    evaluator: &mut Evaluator<'_>,
    builtin: &'static Builtin,
    values: &[Value],
    at: u32,
) -> Eval {
    if !builtin.takes(values.len()) {
        return Ok(evaluator.no_function(builtin.name, values.iter().map(Value::type_name), at));
    }
    evaluator.charge_steps(1, at)?;
    (builtin.run)(&mut Call { evaluator, builtin, at }, values)
}

/// The constant that a temporal function of one literal stands for; nothing for other functions, null for what
/// cannot be read.
pub(crate) fn temporal_literal(_builtin: &Builtin, _text: &str) -> Option<Value> {
    None
}

/// One call of a function.
pub(crate) struct Call<'c, 'e> {
    pub(crate) evaluator: &'c mut Evaluator<'e>,
    builtin: &'static Builtin,
    at: u32,
}

impl Call<'_, '_> {
    /// Null, with a warning that tells the types of the arguments.
    fn illegal(&mut self, values: &[Value]) -> Eval {
        let types: Vec<&str> = values.iter().map(Value::type_name).collect();
        self.fail(&format!("it does not take ({})", types.join(", ")))
    }

    /// Null, with a warning that tells the reason.
    fn fail(&mut self, reason: &str) -> Eval {
        let name = self.builtin.name;
        Ok(self.evaluator.warn(WarningKind::FunctionInvocationFailure, self.at, || {
            format!("cannot call `{name}`: {reason}")
        }))
    }
}
