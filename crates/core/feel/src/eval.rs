//! Tree to value.

mod call;
mod collection;
mod iterate;
mod operator;
mod path;
mod test;
mod types;
mod variable;

use std::sync::Arc;

use crate::ast::{Kind, Node, Slot};
use crate::value::{Context, List, Text, Value};
use crate::{Dialect, Env, Evaluated, Failure, Resource, Scope, Session, Warning, WarningKind};

pub(crate) use test::at_once;

/// A value, unless the whole evaluation has failed.
pub(crate) type Eval<T = Value> = Result<T, Stopped>;

/// The evaluation has failed; the evaluator knows why. Empty, so that results stay in registers.
#[derive(Debug)]
pub(crate) struct Stopped;

/// One evaluation under way.
pub(crate) struct Evaluator<'e> {
    scope: &'e dyn Scope,
    env: &'e Env<'e>,
    dialect: Dialect,
    /// Frames of locals, the innermost last.
    stack: Vec<Value>,
    /// Where the innermost frame starts.
    base: usize,
    depth: u32,
    steps_left: u64,
    bytes_left: u64,
    /// How many random numbers were drawn.
    drawn: u64,
    warnings: Vec<Warning>,
    /// Why the evaluation has stopped, once it has.
    failure: Option<Box<Failure>>,
    /// Variables that are read in loops, by their numbers. A function that comes from another source counts them in
    /// another way, so only the very name that was kept counts.
    kept: Vec<Option<(Arc<str>, Value)>>,
}

impl<'e> Evaluator<'e> {
    /// An evaluation that begins with what is left in a session.
    pub(crate) fn new(session: Session<'e>, scope: &'e dyn Scope, slots: u32, dialect: Dialect) -> Self {
        let Session { env, depth, steps_left, bytes_left, drawn, warnings } = session;
        Self {
            scope,
            env,
            dialect,
            stack: frame(slots),
            base: 0,
            depth,
            steps_left,
            bytes_left,
            drawn,
            warnings,
            failure: None,
            kept: Vec::new(),
        }
    }

    /// What is left for others; the warnings go along.
    pub(crate) fn rest(&mut self) -> Session<'e> {
        Session {
            env: self.env,
            depth: self.depth,
            steps_left: self.steps_left,
            bytes_left: self.bytes_left,
            drawn: self.drawn,
            warnings: std::mem::take(&mut self.warnings),
        }
    }

    /// Lends what is left to somebody, and takes back what they leave.
    fn lent<T>(&mut self, run: impl FnOnce(&mut Session<'e>) -> Result<T, Failure>) -> Eval<T> {
        let mut session = self.rest();
        let result = run(&mut session);
        self.steps_left = session.steps_left;
        self.bytes_left = session.bytes_left;
        self.drawn = session.drawn;
        self.warnings = session.warnings;
        result.or_else(|failure| self.stop(failure))
    }

    /// Fails.
    #[cold]
    pub(crate) fn stop<T>(&mut self, failure: Failure) -> Eval<T> {
        self.failure = Some(Box::new(failure));
        Err(Stopped)
    }

    /// A result for those who do not know the evaluator, which ends with it.
    pub(crate) fn told<T>(&mut self, result: Eval<T>) -> Result<T, Failure> {
        result.map_err(|Stopped| *self.failure.take().expect("what stops an evaluation says why"))
    }

    /// Goes on in another scope, with a frame of its own.
    fn in_scope<T>(&mut self, scope: &dyn Scope, run: impl FnOnce(&mut Evaluator<'_>) -> Eval<T>) -> Eval<T> {
        let dialect = self.dialect;
        self.lent(|session| session.within(scope, 0, dialect, run))
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many warnings there are, to go back to by [`Self::forget_warnings`].
    pub(crate) fn warnings(&self) -> usize {
        self.warnings.len()
    }

    /// Forgets the warnings of an attempt.
    pub(crate) fn forget_warnings(&mut self, count: usize) {
        self.warnings.truncate(count);
    }

    /// The number of the next draw of chance, from 0.
    pub(crate) const fn next_draw(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn - 1
    }

    /// Puts the input of unary tests where they read it.
    pub(crate) fn set_input(&mut self, input: Value) {
        self.set(0, input);
    }

    /// The result of a whole expression.
    pub(crate) fn run(mut self, root: &Node) -> Result<Evaluated, Failure> {
        let Some(verdict) = self.verdict(root) else {
            let result = self.eval(root);
            return self.told(result).map(|value| Evaluated { value, warnings: self.warnings });
        };
        // A value of its own here, which is made where it stays, see `Value::assign`.
        match verdict {
            Ok(Some(boolean)) => {
                Ok(Evaluated { value: Value::Boolean(boolean), warnings: std::mem::take(&mut self.warnings) })
            }
            Ok(None) => Ok(Evaluated { value: Value::Null, warnings: std::mem::take(&mut self.warnings) }),
            Err(stopped) => self.told(Err(stopped)),
        }
    }

    pub(crate) const fn env(&self) -> &'e Env<'e> {
        self.env
    }

    /// The value of a node.
    pub(crate) fn eval(&mut self, node: &Node) -> Eval {
        match &node.kind {
            Kind::Constant(value) => Ok(value.clone()),
            Kind::Local(slot) => Ok(self.local(*slot).clone()),
            Kind::Item(slot) => Ok(self.item(*slot).clone()),
            Kind::Free(free) => self.free(free, node.at),
            Kind::Arithmetic(_) if let Some(integer) = self.integer_result(node) => Ok(Value::from(integer)),
            Kind::Arithmetic(chain) if let Some(number) = self.at_hand_result(chain) => {
                Ok(Value::Number(number))
            }
            _ => match self.verdict(node) {
                Some(verdict) => verdict.map(Value::from),
                None => self.deeper(node.at, |evaluator| evaluator.eval_inner(node)),
            },
        }
    }

    /// What a condition gives, a boolean or nothing, which is null; nothing at all for every other node.
    fn verdict(&mut self, node: &Node) -> Option<Eval<Option<bool>>> {
        let at = node.at;
        Some(match &node.kind {
            Kind::Or(operands) => self.deeper(at, |evaluator| evaluator.connected(operands, true)),
            Kind::And(operands) => self.deeper(at, |evaluator| evaluator.connected(operands, false)),
            Kind::Compare(comparison, operands) => {
                self.deeper(at, |evaluator| evaluator.compare(*comparison, operands, at))
            }
            Kind::Between(operands) => self.deeper(at, |evaluator| evaluator.between(operands, at)),
            Kind::In(test) => self.deeper(at, |evaluator| evaluator.in_tests(test, at)),
            Kind::InstanceOf(parts) => {
                self.deeper(at, |evaluator| evaluator.instance_of(&parts.0, &parts.1, at))
            }
            Kind::Quantified(expression) => self.deeper(at, |evaluator| evaluator.quantified(expression, at)),
            Kind::Tests(tests, slot) => self.deeper(at, |evaluator| evaluator.any_test(tests, *slot, at)),
            Kind::Constant(_)
            | Kind::Local(_)
            | Kind::Item(_)
            | Kind::Free(_)
            | Kind::Filtered(_)
            | Kind::Negate(_)
            | Kind::Arithmetic(_)
            | Kind::If(_)
            | Kind::For(_)
            | Kind::Path(_)
            | Kind::Call(_)
            | Kind::List(_)
            | Kind::Context(_)
            | Kind::Range(_)
            | Kind::Function(_) => return None,
        })
    }

    /// Guards everything that recurses.
    #[inline]
    fn deeper<T>(&mut self, at: u32, run: impl FnOnce(&mut Self) -> Eval<T>) -> Eval<T> {
        if self.depth >= self.env.budget.depth {
            return self.exhausted(Resource::Depth, at);
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    /// Adds the value of a node to a list that is being made.
    fn eval_onto(&mut self, node: &Node, items: &mut Vec<Value>) -> Eval<()> {
        if let Some(integer) = self.integer_result(node) {
            items.push(Value::from(integer));
            return Ok(());
        }
        self.eval_onto_slowly(node, items)
    }

    /// Kept apart, so that the short way above pushes from registers, see [`Value::assign`].
    #[inline(never)]
    fn eval_onto_slowly(&mut self, node: &Node, items: &mut Vec<Value>) -> Eval<()> {
        items.push(self.eval(node)?);
        Ok(())
    }

    fn eval_inner(&mut self, node: &Node) -> Eval {
        let at = node.at;
        match &node.kind {
            Kind::Constant(_)
            | Kind::Local(_)
            | Kind::Item(_)
            | Kind::Free(_)
            | Kind::Or(_)
            | Kind::And(_)
            | Kind::Compare(..)
            | Kind::Between(_)
            | Kind::In(_)
            | Kind::InstanceOf(_)
            | Kind::Quantified(_)
            | Kind::Tests(..) => self.eval(node),
            Kind::Filtered(filtered) => self.filtered(filtered, at),
            Kind::Negate(operand) => self.negate(operand, at),
            Kind::Arithmetic(chain) => self.chain(chain, at),
            Kind::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                let branch = if self.truth(condition, true)? == Some(true) { then } else { otherwise };
                self.eval(branch)
            }
            Kind::For(expression) => self.for_expression(expression, at),
            Kind::Path(path) => self.path(path),
            Kind::Call(call) => self.call(call, at),
            Kind::List(items) => self.list(items, at),
            Kind::Context(entries) => self.context(entries, at),
            Kind::Range(range) => self.range(range, at),
            Kind::Function(literal) => Ok(self.closure(literal)),
        }
    }

    fn local(&self, slot: Slot) -> &Value {
        &self.stack[self.base + slot as usize]
    }

    /// What `item` means for the item of a slot.
    #[inline]
    fn item(&self, slot: Slot) -> &Value {
        match self.local(slot) {
            Value::Context(entries) => entries.get("item").unwrap_or(self.local(slot)),
            item => item,
        }
    }

    fn assign(&mut self, slot: Slot, value: &Value) {
        self.stack[self.base + slot as usize].assign(value);
    }

    fn set(&mut self, slot: Slot, value: Value) {
        self.stack[self.base + slot as usize] = value;
    }

    /// Charges turns of a loop, calls, or items that are looked at.
    pub(crate) fn charge_steps(&mut self, steps: usize, at: u32) -> Eval<()> {
        match self.steps_left.checked_sub(steps as u64) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => self.exhausted(Resource::Steps, at),
        }
    }

    /// Charges memory of what is about to be made.
    pub(crate) fn charge_bytes(&mut self, bytes: usize, at: u32) -> Eval<()> {
        match self.bytes_left.checked_sub(bytes as u64) {
            Some(left) => {
                self.bytes_left = left;
                Ok(())
            }
            None => self.exhausted(Resource::Bytes, at),
        }
    }

    /// Charges walking over a whole value, as comparing does.
    pub(crate) fn charge_walk(&mut self, value: &Value, at: u32) -> Eval<()> {
        const BYTES_PER_STEP: u64 = 64;
        self.charge_steps(usize::try_from(value.weight() / BYTES_PER_STEP).unwrap_or(usize::MAX), at)
    }

    /// Fails when a list would be longer than allowed.
    pub(crate) fn check_length(&mut self, length: usize, at: u32) -> Eval<()> {
        if length as u64 > self.env.budget.list_length {
            self.exhausted(Resource::ListLength, at)
        } else {
            Ok(())
        }
    }

    /// A list as a value, charged.
    pub(crate) fn make_list(&mut self, items: Vec<Value>, at: u32) -> Eval {
        self.check_length(items.len(), at)?;
        self.charge_bytes(KEPT + items.len() * size_of::<Value>(), at)?;
        match List::new(items) {
            Some(list) if list.weight() > self.env.budget.bytes => self.exhausted(Resource::Bytes, at),
            Some(list) => Ok(Value::List(list)),
            None => self.exhausted(Resource::Depth, at),
        }
    }

    /// A context as a value, charged.
    pub(crate) fn make_context(&mut self, entries: Vec<(Text, Value)>, at: u32) -> Eval {
        self.charge_bytes(KEPT + entries.len() * size_of::<(Text, Value)>(), at)?;
        match Context::new(entries) {
            Some(context) if context.weight() > self.env.budget.bytes => self.exhausted(Resource::Bytes, at),
            Some(context) => Ok(Value::Context(context)),
            None => self.exhausted(Resource::Depth, at),
        }
    }

    /// A string as a value, charged.
    pub(crate) fn make_string(&mut self, text: impl Into<Text> + AsRef<str>, at: u32) -> Eval {
        self.charge_bytes(text.as_ref().len(), at)?;
        Ok(Value::String(text.into()))
    }

    /// Fails for wanting more than the budget.
    #[cold]
    fn exhausted<T>(&mut self, resource: Resource, at: u32) -> Eval<T> {
        self.stop(Failure::BudgetExhausted { resource, offset: at })
    }

    /// Null, with a warning that says why.
    pub(crate) fn warn(&mut self, kind: WarningKind, at: u32, message: impl FnOnce() -> String) -> Value {
        if self.warnings.len() < Evaluated::WARNINGS_MAX {
            self.warnings.push(Warning { kind, message: message(), offset: at });
        }
        Value::Null
    }

    pub(crate) fn invalid_type(&mut self, expected: &str, found: &Value, at: u32) -> Value {
        let found = found.type_name();
        self.warn(WarningKind::InvalidType, at, || format!("expected {expected}, found {found}"))
    }
}

/// Bytes that a list or context takes beside what is in it.
const KEPT: usize = 80;

/// An empty frame; most expressions need none.
fn frame(slots: u32) -> Vec<Value> {
    let mut stack = Vec::new();
    if slots > 0 {
        stack.resize(slots as usize, Value::Null);
    }
    stack
}
