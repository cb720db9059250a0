//! Decisions, and what evaluating them gave.

use coreto_record::Key;
use coreto_record::command::EvaluateDecision;
use coreto_record::event::{
    DecisionCreated, DecisionEvaluation, EvaluatedDecision, MatchedRule, RequirementsCreated,
};

use super::json::{Object, name};
use super::model::{self, Models};
use crate::definitions::Unanswered;

pub(super) fn requirements(event: &RequirementsCreated, value: &mut Object<'_>) {
    value.text(name!("decisionRequirementsId"), &event.id);
    value.text(name!("decisionRequirementsName"), &event.name);
    value.number(name!("decisionRequirementsVersion"), i64::from(event.version));
    value.key(name!("decisionRequirementsKey"), event.key.raw());
    value.text(name!("namespace"), &event.namespace);
    value.text(name!("resourceName"), &event.resource_name);
    value.base64(name!("checksum"), &event.checksum);
    value.base64(name!("resource"), &event.resource);
    value.boolean(name!("duplicate"), false);
    model::tenant(value, event.tenant);
    value.key(name!("deploymentKey"), event.deployment.raw());
}

pub(super) fn decision(event: &DecisionCreated, value: &mut Object<'_>) {
    value.text(name!("decisionId"), &event.id);
    value.text(name!("decisionName"), &event.name);
    value.number(name!("version"), i64::from(event.version));
    value.key(name!("decisionKey"), event.key.raw());
    value.text(name!("decisionRequirementsId"), &event.requirements_id);
    value.key(name!("decisionRequirementsKey"), event.requirements.raw());
    value.boolean(name!("duplicate"), false);
    model::tenant(value, event.tenant);
    value.key(name!("deploymentKey"), event.deployment.raw());
    value.text(name!("versionTag"), &event.version_tag);
}

/// An evaluation, with the whole way to its result.
pub(super) fn evaluation(
    event: &DecisionEvaluation,
    models: &mut Models,
    value: &mut Object<'_>,
) -> Result<(), Unanswered> {
    value.text(name!("decisionId"), &event.id);
    value.text(name!("decisionName"), &event.name);
    value.number(name!("decisionVersion"), i64::from(event.version));
    value.key(name!("decisionKey"), event.decision.raw());
    value.text(name!("decisionRequirementsId"), &event.requirements_id);
    value.key(name!("decisionRequirementsKey"), event.requirements.raw());
    value.text(name!("decisionOutput"), &event.output);
    value.raw(name!("variables"), event.variables.as_str());
    if event.instance.is_unset() {
        value.members(OUTSIDE);
    } else {
        let model = models.get(event.definition)?;
        model.process_of_variable(value);
        value.key(name!("processInstanceKey"), event.instance.raw());
        model.element_id(name!("elementId"), event.element, value);
        value.key(name!("elementInstanceKey"), event.element_instance.raw());
    }
    value.text(name!("evaluationFailureMessage"), &event.failure);
    value.text(name!("failedDecisionId"), &event.failed);
    value.list(name!("evaluatedDecisions"), &event.evaluated, |decision, object| {
        evaluated(decision, object);
        model::tenant(object, event.tenant);
    });
    model::tenant(value, event.tenant);
    Ok(())
}

/// Members that say that no process asked.
const OUTSIDE: &str = concat!(
    r#","bpmnProcessId":"","processDefinitionKey":-1,"processInstanceKey":-1"#,
    r#","elementId":"","elementInstanceKey":-1"#
);

fn evaluated(decision: &EvaluatedDecision, object: &mut Object<'_>) {
    object.text(name!("decisionId"), &decision.id);
    object.text(name!("decisionName"), &decision.name);
    object.key(name!("decisionKey"), decision.key.raw());
    object.number(name!("decisionVersion"), i64::from(decision.version));
    object.text(name!("decisionType"), &decision.kind);
    object.text(name!("decisionOutput"), &decision.output);
    object.list(name!("evaluatedInputs"), &decision.inputs, |input, object| {
        object.text(name!("inputId"), &input.id);
        object.text(name!("inputName"), &input.name);
        object.text(name!("inputValue"), &input.value);
    });
    object.list(name!("matchedRules"), &decision.rules, matched);
}

fn matched(rule: &MatchedRule, object: &mut Object<'_>) {
    object.text(name!("ruleId"), &rule.id);
    object.number(name!("ruleIndex"), i64::from(rule.index));
    object.list(name!("evaluatedOutputs"), &rule.outputs, |output, object| {
        object.text(name!("outputId"), &output.id);
        object.text(name!("outputName"), &output.name);
        object.text(name!("outputValue"), &output.value);
    });
}

/// An evaluation that was wished for.
pub(super) fn wished(evaluate: &EvaluateDecision, value: &mut Object<'_>) {
    value.text(name!("decisionId"), &evaluate.id);
    value.members(r#","decisionName":"","decisionVersion":-1"#);
    value.key(name!("decisionKey"), evaluate.decision.map_or(0, Key::raw));
    value.members(r#","decisionRequirementsId":"","decisionRequirementsKey":-1,"decisionOutput":"""#);
    value.raw(name!("variables"), evaluate.variables.as_str());
    value.members(OUTSIDE);
    value.members(r#","evaluationFailureMessage":"","failedDecisionId":"","evaluatedDecisions":[]"#);
    model::tenant(value, evaluate.tenant);
}
