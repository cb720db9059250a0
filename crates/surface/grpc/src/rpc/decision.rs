//! Evaluating decisions.

use coreto_protocol::gateway as pb;
use coreto_record::command::EvaluateDecision;
use coreto_record::event::{DecisionEvaluation, EvaluatedDecision, MatchedRule};
use coreto_record::{Command, Reply};
use tonic::Request;

use crate::convert::{self, raw, text, version};
use crate::gateway::{Call, Gateway};
use crate::status::Failure;

pub(crate) async fn evaluate(
    gateway: &Gateway,
    request: Request<pb::EvaluateDecisionRequest>,
) -> Result<pb::EvaluateDecisionResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    let command = Command::EvaluateDecision(EvaluateDecision {
        tenant: convert::tenant("tenantId", &request.tenant_id)?,
        decision: convert::optional_key("decisionKey", request.decision_key)?,
        id: request.decision_id.into(),
        variables: convert::document("variables", &request.variables)?,
    });
    let Reply::DecisionEvaluated(evaluation) =
        gateway.command(Call { metadata: &metadata, operation_reference: None, command }).await?
    else {
        return Err(Failure::Mismatch { call: "an evaluation" });
    };
    Ok(response(&evaluation))
}

#[expect(deprecated, reason = "clients of 8.5 to 8.7 read the key under its old name")]
fn response(evaluation: &DecisionEvaluation) -> pb::EvaluateDecisionResponse {
    let tenant_id = convert::tenant_id(evaluation.tenant);
    let key = evaluation.key.cast_signed();
    let evaluated = evaluation.evaluated.iter().zip(1..);
    pb::EvaluateDecisionResponse {
        decision_key: raw(evaluation.decision),
        decision_id: text(&evaluation.id),
        decision_name: text(&evaluation.name),
        decision_version: version(evaluation.version),
        decision_requirements_id: text(&evaluation.requirements_id),
        decision_requirements_key: raw(evaluation.requirements),
        decision_output: text(&evaluation.output),
        evaluated_decisions: evaluated
            .map(|(decision, number)| evaluated_decision(decision, &tenant_id, format!("{key}-{number}")))
            .collect(),
        failed_decision_id: text(&evaluation.failed),
        failure_message: text(&evaluation.failure),
        tenant_id: tenant_id.clone(),
        decision_instance_key: key,
        decision_evaluation_key: key,
    }
}

fn evaluated_decision(
    decision: &EvaluatedDecision,
    tenant_id: &str,
    instance: String,
) -> pb::EvaluatedDecision {
    let input = |input: &coreto_record::event::EvaluatedValue| pb::EvaluatedDecisionInput {
        input_id: text(&input.id),
        input_name: text(&input.name),
        input_value: text(&input.value),
    };
    pb::EvaluatedDecision {
        decision_key: raw(decision.key),
        decision_id: text(&decision.id),
        decision_name: text(&decision.name),
        decision_version: version(decision.version),
        decision_type: text(&decision.kind),
        decision_output: text(&decision.output),
        matched_rules: decision.rules.iter().map(matched_rule).collect(),
        evaluated_inputs: decision.inputs.iter().map(input).collect(),
        tenant_id: tenant_id.to_owned(),
        decision_evaluation_instance_key: instance,
    }
}

fn matched_rule(rule: &MatchedRule) -> pb::MatchedDecisionRule {
    let output = |output: &coreto_record::event::EvaluatedValue| pb::EvaluatedDecisionOutput {
        output_id: text(&output.id),
        output_name: text(&output.name),
        output_value: text(&output.value),
    };
    pb::MatchedDecisionRule {
        rule_id: text(&rule.id),
        rule_index: version(rule.index),
        evaluated_outputs: rule.outputs.iter().map(output).collect(),
    }
}
