//! Script tasks: an expression that is evaluated here, or a job for a worker.

use coreto_bpmn::Script;
use coreto_feel::Expression;
use coreto_machine::{Head, Txn};
use coreto_record::{Document, Event};

use super::{Visit, mapping, pass, service_task};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::keys;

pub(super) fn activate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    script: &Script,
) -> Result<(), Trouble> {
    match script {
        Script::Job(job) => service_task::activate(txn, head, visit, job),
        Script::Expression { expression, result_variable } => {
            run(txn, head, visit, expression, result_variable)
        }
    }
}

/// Evaluates the expression. Its result waits for the completion, which follows at once.
fn run(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    expression: &Expression,
    result_variable: &str,
) -> Result<(), Trouble> {
    mapping::inputs(txn, head, visit)?;
    let evaluated = mapping::with_variables(txn, head, visit, |scope, env| expression.evaluate(scope, env))
        .map_err(|failure| Trouble::failed("script", expression.source(), &failure))?;
    let result = Document::from_entries(&[(result_variable, &*evaluated.value.to_json())]);
    let key = keys::next_raw(txn);
    txn.emit(&Event::ProcessEventTriggering(visit.process_event(key, result)));
    pass(txn, visit);
    Ok(())
}
