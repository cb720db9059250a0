//! Exclusive gateways: the first way whose condition is true, in the order of the model.

use coreto_bpmn::{ElementNumber, ExclusiveGateway, Kind};
use coreto_feel::Expression;
use coreto_machine::{Head, Txn};
use coreto_record::IncidentKind;

use super::{Visit, expression, mapping, pass_at_once};
use crate::engine::Engine;
use crate::incident::Trouble;

pub(super) fn activate(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    gateway: ExclusiveGateway,
) -> Result<(), Trouble> {
    let way = choose(txn, head, visit, gateway)?;
    pass_at_once(txn, visit, way.as_slice());
    Ok(())
}

/// The flow to take; none when none leaves the gateway.
fn choose(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    gateway: ExclusiveGateway,
) -> Result<Option<ElementNumber>, Trouble> {
    let outgoing = &visit.element().outgoing;
    for &flow in outgoing.iter().filter(|flow| Some(**flow) != gateway.default) {
        let fulfilled = match condition(visit, flow) {
            Some(condition) => is_true(txn, head, visit, condition)?,
            // A deployment has such a flow only when it is the only one.
            None => true,
        };
        if fulfilled {
            return Ok(Some(flow));
        }
    }
    match gateway.default {
        None if !outgoing.is_empty() => Err(Trouble {
            kind: IncidentKind::ConditionError,
            message: "no condition of an outgoing flow is true, and there is no default flow".to_owned(),
        }),
        default => Ok(default),
    }
}

fn condition(visit: &Visit, flow: ElementNumber) -> Option<&Expression> {
    match &visit.process.elements[flow.index()].kind {
        Kind::SequenceFlow { condition, .. } => condition.as_deref(),
        _ => None,
    }
}

/// Whether a condition holds. What is no boolean is not taken for false.
fn is_true(
    txn: &mut Txn<'_, Engine>,
    head: &Head,
    visit: &Visit,
    condition: &Expression,
) -> Result<bool, Trouble> {
    mapping::with_variables(txn, head, visit, |scope, env| {
        expression::boolean("condition", condition, scope, env)
    })
}
