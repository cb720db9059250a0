//! Service tasks: a job for a worker.

use std::sync::Arc;

use coreto_bpmn::{Job, Text};
use coreto_feel::Value;
use coreto_machine::{Head, Txn};
use coreto_record::event::{JobChanged, JobIntent};
use coreto_record::{Event, JobKey, Lifecycle};

use super::{Visit, expression, leave, mapping, take_result};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::{jobs, keys, subscription};

pub(super) fn activate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    job: &Job,
) -> Result<(), Trouble> {
    mapping::inputs(txn, head, visit)?;
    let job_type = text(txn, head, visit, "job type", &job.job_type)?;
    Trouble::check_name(&txn.env().limits, "job type", &job_type)?;
    let retries = number(txn, head, visit, "job retries", &job.retries)?;
    if !visit.element().awaited.is_empty() {
        subscription::open(txn, head, visit)?;
    }
    let key: JobKey = keys::next(txn);
    let instance = &visit.instance;
    txn.emit(&Event::Job(JobChanged {
        key,
        to: JobIntent::Created,
        job_type,
        retries,
        element_instance: visit.key,
        element: instance.element,
        instance: instance.instance,
        definition: instance.definition,
        tenant: instance.tenant,
        ..JobChanged::default()
    }));
    jobs::offer(txn, head, key);
    visit.goes_on(txn, Lifecycle::Activated);
    Ok(())
}

pub(super) fn complete(txn: &mut Txn<'_, Engine>, head: &Head, visit: &Visit) -> Result<(), Trouble> {
    take_result(txn, visit, visit.key);
    mapping::outputs(txn, head, visit)?;
    if !visit.element().awaited.is_empty() {
        subscription::close(txn, visit.key);
    }
    leave(txn, head, visit)
}

/// An attribute that must be a string.
pub(super) fn text(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    what: &str,
    text: &Text,
) -> Result<Arc<str>, Trouble> {
    mapping::with_variables(txn, head, visit, |scope, env| expression::string(what, text, scope, env))
}

/// An attribute that must be a number, whose integer part counts.
fn number(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    what: &str,
    text: &Text,
) -> Result<i32, Trouble> {
    match text {
        Text::Static(text) => {
            let number = Value::from_json(text.as_bytes()).ok().and_then(|value| whole(&value));
            number.ok_or_else(|| Trouble::no_number(what, text))
        }
        Text::Expression(expression) => mapping::with_variables(txn, head, visit, |scope, env| {
            expression::value(what, WANTED, expression, scope, env, whole)
        }),
    }
}

/// What retries have to be.
const WANTED: &str = "a number between -2147483648 and 2147483647";

/// The integer part of a number, within the bounds of retries.
fn whole(value: &Value) -> Option<i32> {
    let Value::Number(number) = value else { return None };
    let whole = number.to_i64()?;
    i32::try_from(whole).ok()
}
