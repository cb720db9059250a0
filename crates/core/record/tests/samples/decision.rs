//! Decisions.

use coreto_machine::Tenant;
use coreto_record::event::{
    DecisionCreated, DecisionEvaluation, DeploymentCreated, EvaluatedDecision, EvaluatedValue, MatchedRule,
    RequirementsCreated,
};
use coreto_record::reply::Deployed;
use coreto_record::{DeployedDecision, DeployedRequirements, ElementNumber, Event, Reply};

use super::{document, key};

/// One event of each variant about decisions.
pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let tenant = Tenant::from_raw(3);
    let deployment = DeploymentCreated {
        key: key(1),
        tenant,
        requirements: vec![requirements()],
        decisions: vec![decision()],
        ..DeploymentCreated::default()
    };
    vec![
        ("DeploymentCreated/decisions", Event::DeploymentCreated(deployment)),
        (
            "RequirementsCreated",
            Event::RequirementsCreated(RequirementsCreated {
                key: key(2),
                tenant,
                id: "menu".into(),
                name: "Menu".into(),
                version: 2,
                namespace: "urn:menu".into(),
                resource_name: "menu.dmn".into(),
                resource: b"<definitions/>".as_slice().into(),
                checksum: [9; 16],
                deployment: key(1),
                imports: Vec::new(),
            }),
        ),
        (
            "RequirementsCreated/imports",
            Event::RequirementsCreated(RequirementsCreated {
                key: key(4),
                imports: vec![key(2), key(3)],
                ..RequirementsCreated::default()
            }),
        ),
        (
            "DecisionCreated",
            Event::DecisionCreated(DecisionCreated {
                key: key(3),
                tenant,
                id: "dish".into(),
                name: "Dish".into(),
                version: 2,
                version_tag: "v1".into(),
                requirements: key(2),
                requirements_id: "menu".into(),
                deployment: key(1),
            }),
        ),
        ("DecisionEvaluated", Event::DecisionEvaluated(evaluation())),
        (
            "DecisionFailed",
            Event::DecisionFailed(DecisionEvaluation {
                output: "null".into(),
                failure: "two rules match".into(),
                failed: "dish".into(),
                instance: key(7),
                definition: key(4),
                element: ElementNumber(2),
                element_instance: key(8),
                ..evaluation()
            }),
        ),
    ]
}

/// Replies about decisions.
pub(crate) fn replies() -> Vec<(&'static str, Reply)> {
    let deployed = Deployed {
        key: key(1),
        tenant: Tenant::from_raw(3),
        requirements: vec![requirements()],
        decisions: vec![decision()],
        ..Deployed::default()
    };
    vec![
        ("Deployed/decisions", Reply::Deployed(deployed)),
        ("DecisionEvaluated", Reply::DecisionEvaluated(evaluation())),
    ]
}

fn requirements() -> DeployedRequirements {
    DeployedRequirements {
        key: key(2),
        id: "menu".into(),
        name: "Menu".into(),
        version: 2,
        namespace: "urn:menu".into(),
        resource_name: "menu.dmn".into(),
        duplicate: true,
        checksum: [9; 16],
    }
}

fn decision() -> DeployedDecision {
    DeployedDecision {
        key: key(3),
        id: "dish".into(),
        name: "Dish".into(),
        version: 2,
        version_tag: "v1".into(),
        requirements: key(2),
        requirements_id: "menu".into(),
        duplicate: true,
    }
}

fn evaluation() -> DecisionEvaluation {
    let value = |id: &str| EvaluatedValue { id: id.into(), name: "season".into(), value: "\"dry\"".into() };
    DecisionEvaluation {
        key: 2_251_799_813_685_260,
        decision: key(3),
        id: "dish".into(),
        name: "Dish".into(),
        version: 2,
        requirements: key(2),
        requirements_id: "menu".into(),
        tenant: Tenant::from_raw(3),
        output: "\"salad\"".into(),
        variables: document(),
        evaluated: vec![EvaluatedDecision {
            key: key(3),
            id: "dish".into(),
            name: "Dish".into(),
            version: 2,
            kind: "DECISION_TABLE".into(),
            output: "\"salad\"".into(),
            inputs: vec![value("i1")],
            rules: vec![MatchedRule { id: "r2".into(), index: 2, outputs: vec![value("o1"), value("o2")] }],
        }],
        ..DecisionEvaluation::default()
    }
}
