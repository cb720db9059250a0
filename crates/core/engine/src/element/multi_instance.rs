//! Activities that are repeated for each item of a collection, one after the other or all at once.
//!
//! The collection is read once and kept. Repetitions are entered a bounded number at a time, so that others go on
//! beside a large collection.

use std::borrow::Cow;
use std::sync::Arc;

use coreto_bpmn::{Kind, LOOP_COUNTER, MultiInstance, Output};
use coreto_feel::{Expression, Scope, Value, Variable};
use coreto_machine::{Head, Txn};
use coreto_record::command::{ActivateChildren, ActivateElement, CompleteElement, TerminateChildren};
use coreto_record::event::{LoopBegun, LoopStep, OutputCollected};
use coreto_record::{Command, ElementInstanceKey, ElementNumber, Event, IncidentKind, Lifecycle, document};

use super::{Visit, complete_scope_if_done, completed, expression, leave_by, mapping};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::state::ElementInstance;
use crate::variables::Visible;
use crate::{handler, subscription, variables};

/// Up to so many items, the output collection is written anew with each result; of more it is when all are there, since
/// that would take time and space by the square of their number.
const WRITTEN_EACH_TIME_MAX: u32 = 1000;

/// Reads the collection, and begins with the first repetition, or with all.
pub(super) fn activate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    model: &MultiInstance,
) -> Result<(), Trouble> {
    let items = items(txn, head, visit, model)?;
    let total = u32::try_from(document::items(&items).count()).expect("a list has no more items than bytes");
    if !visit.element().awaited.is_empty() {
        subscription::open(txn, head, visit)?;
    }
    visit.goes_on(txn, Lifecycle::Activated);
    txn.emit(&Event::LoopBegun(LoopBegun { key: visit.key, items, total }));
    if let Some(output) = &model.output {
        let entry = (Cow::Borrowed(&*output.collection), &*nulls(total));
        variables::merge_local(txn, &visit.instance, visit.key, std::iter::once(entry));
    }
    match total {
        0 => txn.follow_up(Command::CompleteElement(CompleteElement { key: visit.key })),
        _ if model.sequential => enter(txn, visit.key, &visit.instance, model, 1),
        _ => txn.follow_up(Command::ActivateChildren(ActivateChildren { scope: visit.key, from: 1 })),
    }
    Ok(())
}

/// The collection as JSON text.
fn items(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    model: &MultiInstance,
) -> Result<Arc<str>, Trouble> {
    // A variable is taken as it is, however large.
    let variable = model.variable.as_ref().and_then(|name| variables::value(txn.state(), visit.key, name));
    if let Some(list) = variable.filter(|value| value.starts_with('[')) {
        return Ok(list.into());
    }
    let list = |found: &Value| matches!(found, Value::List(_)).then(|| found.to_json().into());
    mapping::with_variables(txn, head, visit, |scope, env| {
        expression::value("input collection", "a list", &model.items, scope, env, list)
    })
}

/// A list of so many nulls.
fn nulls(count: u32) -> String {
    list(std::iter::repeat_n("null", count as usize))
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(item);
    }
    text.push(']');
    text
}

/// Asks for the repetition with this number, from 1.
fn enter(
    txn: &mut Txn<'_, Engine>,
    key: ElementInstanceKey,
    around: &ElementInstance,
    model: &MultiInstance,
    loop_counter: u32,
) {
    txn.follow_up(Command::ActivateElement(ActivateElement {
        instance: around.instance,
        scope: key,
        element: ElementNumber(model.inner.0),
        loop_counter,
        ..ActivateElement::default()
    }));
}

/// Asks for some of the repetitions from `from` on. Gives the first of those that are left.
pub(crate) fn enter_some(txn: &mut Txn<'_, Engine>, around: &Visit, from: u32) -> Option<u32> {
    let Kind::MultiInstance(model) = &around.element().kind else { return None };
    let limit = u32::try_from(txn.env().limits.children_per_step).unwrap_or(u32::MAX).max(1);
    let total = txn.state().loops.peek(&around.key)?.total;
    let next = from.saturating_add(limit);
    for loop_counter in from..next.min(total + 1) {
        enter(txn, around.key, &around.instance, model, loop_counter);
    }
    (next <= total).then_some(next)
}

/// Gives a repetition that was entered its item and its number, if it has none yet.
pub(super) fn give_item(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    let Some(model) = around(visit) else { return };
    if variables::is_local(txn.state(), visit.key, LOOP_COUNTER) {
        return;
    }
    let loop_counter = visit.instance.loop_counter;
    let counter = loop_counter.to_string();
    let kept = txn.state().items.get(&visit.instance.scope);
    let item = kept.as_ref().and_then(|items| items.get(loop_counter)).unwrap_or("null");
    let variable = model.output.as_ref().and_then(|output| output.variable.as_ref());
    let entries = [
        model.item.as_ref().map(|name| (&**name, item)),
        variable.map(|name| (&**name, "null")),
        Some((LOOP_COUNTER, &*counter)),
    ];
    let entries = entries.into_iter().flatten().map(|(name, value)| (Cow::Borrowed(name), value));
    variables::merge_local(txn, &visit.instance, visit.key, entries);
}

/// What repeats an activity.
fn around(visit: &Visit) -> Option<&MultiInstance> {
    match &visit.process.elements[visit.element().scope.index()].kind {
        Kind::MultiInstance(model) => Some(model),
        _ => None,
    }
}

/// One repetition has done its work: collects its result, and goes on with the next one or ends the loop.
pub(super) fn leave(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    let Some(model) = around(visit) else { return Ok(()) };
    let scope = visit.instance.scope;
    if let Some(output) = &model.output {
        collect(txn, head, visit, output)?;
    }
    if let Some(condition) = &model.condition
        && is_fulfilled(txn, head, visit, model, condition)?
    {
        txn.emit(&Event::LoopFulfilled(LoopStep { key: scope }));
    }
    if completed(txn, visit) {
        go_on(txn, scope, model);
    }
    Ok(())
}

/// The last of the repetitions that were entered was ended early.
pub(super) fn emptied(txn: &mut Txn<'_, Engine>, key: ElementInstanceKey, body: &ElementInstance) {
    let Ok(process) = handler::process(txn.state(), body.definition) else { return };
    if let Kind::MultiInstance(model) = &process.elements[body.element.0 as usize].kind {
        go_on(txn, key, model);
    }
}

fn go_on(txn: &mut Txn<'_, Engine>, key: ElementInstanceKey, model: &MultiInstance) {
    let Some(body) = txn.state().elements.get(&key) else { return };
    if body.interrupted_by != ElementNumber::PROCESS && body.children > 0 {
        let from = ElementInstanceKey::default();
        return txn.follow_up(Command::TerminateChildren(TerminateChildren { scope: key, from }));
    }
    let Some((total, entered)) = txn.state().loops.peek(&key).map(|kept| (kept.total, kept.entered)) else {
        return;
    };
    let stopped = body.interrupted_by != ElementNumber::PROCESS;
    if !stopped && model.sequential && entered < total {
        enter(txn, key, &body, model, entered + 1);
    } else if stopped || entered == total {
        complete_scope_if_done(txn, key);
    }
}

fn collect(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit, output: &Output) -> Result<(), Trouble> {
    let element = &output.element;
    let evaluated = mapping::with_variables(txn, head, visit, |scope, env| element.evaluate(scope, env))
        .map_err(|failure| Trouble::failed("output element", element.source(), &failure))?;
    let (scope, number) = (visit.instance.scope, visit.instance.loop_counter);
    let value = evaluated.value.to_json();
    let total = txn.state().loops.peek(&scope).map_or(0, |kept| kept.total);
    if total > WRITTEN_EACH_TIME_MAX {
        let collected = OutputCollected { key: scope, number, value: value.into() };
        txn.emit(&Event::OutputCollected(collected));
        return Ok(());
    }
    let before = collected(txn, scope, output, total)?;
    let after =
        list((1..).zip(document::items(&before)).map(|(at, item)| if at == number { &*value } else { item }));
    let entry = (Cow::Borrowed(&*output.collection), &*after);
    variables::merge_local(txn, &visit.instance, scope, std::iter::once(entry));
    Ok(())
}

/// The output collection so far, which nobody else may have written.
fn collected(
    txn: &Txn<'_, Engine>,
    scope: ElementInstanceKey,
    output: &Output,
    total: u32,
) -> Result<String, Trouble> {
    let list = variables::local(txn.state(), scope, &output.collection).unwrap_or_default();
    if document::items(list).count() == total as usize {
        return Ok(list.to_owned());
    }
    Err(Trouble {
        kind: IncidentKind::ExtractValueError,
        message: format!(
            "the variable `{}` is not the list of {total} results any more; something else has written it",
            output.collection
        ),
    })
}

/// How far a loop is, for its completion condition.
struct Counted<'a> {
    inside: &'a Visible<'a>,
    counts: [(&'static str, String); 4],
}

impl Scope for Counted<'_> {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        let count = self.counts.iter().find(|(count, _)| *count == name);
        match count {
            Some((_, text)) => Some(Variable::Json(text.as_bytes())),
            None => self.inside.variable(name),
        }
    }
}

fn is_fulfilled(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    model: &MultiInstance,
    condition: &Expression,
) -> Result<bool, Trouble> {
    let scope = visit.instance.scope;
    let state = txn.state();
    let kept = state.loops.get(&scope).unwrap_or_default();
    let children = state.elements.peek(&scope).map_or(0, |body| body.children);
    // The one that is completing is among the children still.
    let created = if model.sequential { kept.entered } else { kept.total };
    let terminated = kept.entered.saturating_sub(children).saturating_sub(kept.completed);
    let completed = kept.completed + 1;
    let active = created.saturating_sub(completed).saturating_sub(terminated);
    let counts = [
        ("numberOfInstances", created),
        ("numberOfActiveInstances", active),
        ("numberOfCompletedInstances", completed),
        ("numberOfTerminatedInstances", terminated),
    ];
    let counts = counts.map(|(name, count)| (name, count.to_string()));
    mapping::with_variables(txn, head, visit, |inside, env| {
        expression::boolean("completion condition", condition, &Counted { inside, counts }, env)
    })
}

/// All repetitions have ended: hands out what was collected.
pub(super) fn complete(
    txn: &mut Txn<'_, Engine>,
    visit: &Visit,
    model: &MultiInstance,
) -> Result<(), Trouble> {
    let total = txn.state().loops.peek(&visit.key).map_or(0, |kept| kept.total);
    if let Some(output) = &model.output {
        let mut all = collected(txn, visit.key, output, total)?;
        if total > WRITTEN_EACH_TIME_MAX {
            all = list(txn.state().outputs_of(visit.key, total));
            let entry = (Cow::Borrowed(&*output.collection), &*all);
            variables::merge_local(txn, &visit.instance, visit.key, std::iter::once(entry));
        }
        let entry = (Cow::Borrowed(&*output.collection), &*all);
        variables::propagate(txn, &visit.instance, visit.instance.scope, std::iter::once(entry));
    }
    if !visit.element().awaited.is_empty() {
        subscription::close(txn, visit.key);
    }
    leave_by(txn, visit, &visit.element().outgoing);
    Ok(())
}
