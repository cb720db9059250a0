//! Business rule tasks: a decision that is evaluated here, or a job for a worker.

use std::sync::Arc;

use coreto_bpmn::{Binding, CalledDecision, Rule};
use coreto_machine::{Head, Txn};
use coreto_record::command::CompleteElement;
use coreto_record::event::{DecisionCreated, DecisionEvaluation};
use coreto_record::{Command, Document, Event, IncidentKind, Lifecycle};

use super::{Visit, mapping, service_task};
use crate::engine::Engine;
use crate::incident::Trouble;
use crate::state::State;
use crate::{decision, keys, variables};

pub(super) fn activate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    rule: &Rule,
) -> Result<(), Trouble> {
    match rule {
        Rule::Job(job) => service_task::activate(txn, head, visit, job),
        Rule::Decision(called) => call(txn, head, visit, called),
    }
}

/// Evaluates the decision with all visible variables. Its result waits for the completion, which follows at once.
fn call(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    called: &CalledDecision,
) -> Result<(), Trouble> {
    mapping::inputs(txn, head, visit)?;
    let id = service_task::text(txn, head, visit, "decision id", &called.decision)?;
    let unknown = |why: &str| Trouble {
        kind: IncidentKind::CalledDecisionError,
        message: format!("the decision `{id}`{} {why}", called.binding),
    };
    let found = find(txn.state(), visit, &id, &called.binding).ok_or_else(|| unknown("is not deployed"))?;
    let state = txn.state();
    let seen = variables::visible(state, visit.key, &[], usize::MAX).unwrap_or_default();
    let evaluated = mapping::with_variables(txn, head, visit, |scope, env| {
        decision::evaluate(scope.state, &found, scope, env)
    });
    let evaluated = evaluated.ok_or_else(|| unknown("cannot be loaded"))?;
    let instance = &visit.instance;
    let evaluation = DecisionEvaluation {
        key: keys::next_raw(txn),
        variables: seen,
        instance: instance.instance,
        definition: instance.definition,
        element: instance.element,
        element_instance: visit.key,
        ..evaluated
    };
    if !evaluation.failed.is_empty() {
        let message = evaluation.failure.to_string();
        txn.emit(&Event::DecisionFailed(evaluation));
        return Err(Trouble { kind: IncidentKind::DecisionEvaluationError, message });
    }
    let result = Document::from_entries(&[(&*called.result_variable, &*evaluation.output)]);
    txn.emit(&Event::DecisionEvaluated(evaluation));
    let key = keys::next_raw(txn);
    txn.emit(&Event::ProcessEventTriggering(visit.process_event(key, result)));
    visit.goes_on(txn, Lifecycle::Activated);
    txn.follow_up(Command::CompleteElement(CompleteElement { key: visit.key }));
    Ok(())
}

/// The version that the binding picks.
fn find(state: &State, visit: &Visit, id: &str, binding: &Binding) -> Option<Arc<DecisionCreated>> {
    let tenant = visit.instance.tenant;
    match binding {
        Binding::Latest => decision::latest(state, tenant, id),
        Binding::Deployment => {
            let deployment = state.definitions.peek(&visit.instance.definition)?.record.deployment;
            decision::deployed_with(state, deployment, id)
        }
        Binding::VersionTag(tag) => decision::tagged(state, tenant, id, tag),
    }
}
