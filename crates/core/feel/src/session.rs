//! Several expressions as one evaluation.

use crate::compiled::Compiled;
use crate::eval::{Eval, Evaluator, at_once};
use crate::value::{Function, Text, equal_in};
use crate::{
    Dialect, Env, Evaluated, Expression, Failure, Nothing, Resource, Scope, UnaryTests, Value, Warning,
    WarningKind,
};

/// An evaluation that goes through several expressions: all of them use one budget, and their warnings are kept
/// together.
#[derive(Debug)]
pub struct Session<'e> {
    pub(crate) env: &'e Env<'e>,
    pub(crate) depth: u32,
    pub(crate) steps_left: u64,
    pub(crate) bytes_left: u64,
    pub(crate) drawn: u64,
    pub(crate) warnings: Vec<Warning>,
}

impl<'e> Session<'e> {
    /// A session that has used nothing yet.
    pub const fn new(env: &'e Env<'e>) -> Self {
        let (steps_left, bytes_left) = (env.budget.steps, env.budget.bytes);
        Self { env, depth: 0, steps_left, bytes_left, drawn: 0, warnings: Vec::new() }
    }

    /// Computes the value of an expression.
    ///
    /// # Errors
    /// As for [`Expression::evaluate`].
    pub fn evaluate(&mut self, expression: &Expression, scope: &dyn Scope) -> Result<Value, Failure> {
        let Compiled { root, slots, dialect, .. } = expression.compiled();
        self.within(scope, *slots, *dialect, |evaluator| evaluator.eval(root))
    }

    /// Whether an input passes unary tests; nothing when that cannot be told.
    ///
    /// # Errors
    /// As for [`Expression::evaluate`].
    pub fn test(
        &mut self,
        tests: &UnaryTests,
        input: &Value,
        scope: &dyn Scope,
    ) -> Result<Option<bool>, Failure> {
        let Compiled { root, slots, dialect, .. } = tests.compiled();
        if let Some(passes) = at_once(*dialect, root, input) {
            return Ok(Some(passes));
        }
        let passes = self.within(scope, *slots, *dialect, |evaluator| {
            evaluator.set_input(input.clone());
            evaluator.eval(root)
        });
        passes.map(|passes| passes.as_bool())
    }

    /// Calls a function with arguments by name; missing ones are null, and names that it does not have give null.
    ///
    /// # Errors
    /// As for [`Expression::evaluate`].
    pub fn call(
        &mut self,
        dialect: Dialect,
        function: &Function,
        names: &[Text],
        values: &[Value],
    ) -> Result<Value, Failure> {
        let call =
            |evaluator: &mut Evaluator<'_>| evaluator.invoke_by_name(function, "function", names, values, 0);
        self.within(&Nothing, 0, dialect, call)
    }

    /// Goes one level deeper, into something that may come back here; [`Self::leave`] comes out again.
    ///
    /// # Errors
    /// When that is too deep.
    pub const fn enter(&mut self) -> Result<(), Failure> {
        if self.depth >= self.env.budget.depth {
            return Err(Failure::BudgetExhausted { resource: Resource::Depth, offset: 0 });
        }
        self.depth += 1;
        Ok(())
    }

    /// Comes out of one level.
    pub const fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Charges turns of a loop.
    ///
    /// # Errors
    /// When there are not so many left.
    pub fn charge_steps(&mut self, steps: usize) -> Result<(), Failure> {
        match self.steps_left.checked_sub(steps as u64) {
            Some(left) => self.steps_left = left,
            None => return Err(Failure::BudgetExhausted { resource: Resource::Steps, offset: 0 }),
        }
        Ok(())
    }

    /// Whether two values are equal; nothing when their types cannot be compared. Walking over them is charged.
    ///
    /// # Errors
    /// When there are not so many steps left.
    pub fn equal(&mut self, dialect: Dialect, left: &Value, right: &Value) -> Result<Option<bool>, Failure> {
        let charged = self.within(&Nothing, 0, dialect, |evaluator| {
            evaluator.charge_steps(1, 0)?;
            evaluator.charge_walk(left, 0)
        });
        charged?;
        Ok(equal_in(dialect, left, right))
    }

    /// A list, charged.
    ///
    /// # Errors
    /// When it is too long, too large or too deep.
    pub fn list(&mut self, items: Vec<Value>) -> Result<Value, Failure> {
        self.make(|evaluator| evaluator.make_list(items, 0))
    }

    /// A context, charged.
    ///
    /// # Errors
    /// When it is too large or too deep.
    pub fn context(&mut self, entries: Vec<(Text, Value)>) -> Result<Value, Failure> {
        self.make(|evaluator| evaluator.make_context(entries, 0))
    }

    /// Null, with a warning that says why.
    pub fn warn(&mut self, kind: WarningKind, message: impl FnOnce() -> String) -> Value {
        let null =
            self.within(&Nothing, 0, Dialect::default(), |evaluator| Ok(evaluator.warn(kind, 0, message)));
        null.unwrap_or_default()
    }

    /// The warnings so far; they are not told again.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    /// Runs something whose warnings are nobody's concern.
    pub fn quietly<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let kept = self.take_warnings();
        let result = run(self);
        self.warnings = kept;
        result
    }

    /// Gives back warnings that were taken, as the first ones.
    pub fn put_warnings_before(&mut self, mut warnings: Vec<Warning>) {
        warnings.append(&mut self.warnings);
        warnings.truncate(Evaluated::WARNINGS_MAX);
        self.warnings = warnings;
    }

    fn make(&mut self, make: impl FnOnce(&mut Evaluator<'_>) -> Eval) -> Result<Value, Failure> {
        self.within(&Nothing, 0, Dialect::default(), make)
    }

    /// Runs a part of this session as an evaluation in a scope.
    pub(crate) fn within<T>(
        &mut self,
        scope: &dyn Scope,
        slots: u32,
        dialect: Dialect,
        run: impl FnOnce(&mut Evaluator<'_>) -> Eval<T>,
    ) -> Result<T, Failure> {
        let warnings = std::mem::take(&mut self.warnings);
        let session = Session { env: self.env, warnings, ..*self };
        let mut evaluator = Evaluator::new(session, scope, slots, dialect);
        let result = run(&mut evaluator);
        let result = evaluator.told(result);
        let Session { steps_left, bytes_left, drawn, warnings, .. } = evaluator.rest();
        (self.steps_left, self.bytes_left, self.drawn) = (steps_left, bytes_left, drawn);
        self.warnings = warnings;
        result
    }
}
