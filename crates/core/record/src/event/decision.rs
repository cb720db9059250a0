//! Decisions and the graphs that they stand in.

use std::sync::Arc;

use coreto_machine::{Tenant, message};

use crate::document::Document;
use crate::key::{
    DecisionKey, DecisionRequirementsKey, DeploymentKey, ElementInstanceKey, ElementNumber,
    ProcessDefinitionKey, ProcessInstanceKey,
};

message! {
    /// There is a new version of a decision requirements graph.
    pub struct RequirementsCreated {
        /// The graph.
        1 => pub key: DecisionRequirementsKey,
        /// The owner.
        2 => pub tenant: Tenant,
        /// The id of the definitions in the DMN.
        3 => pub id: Arc<str>,
        /// Their name.
        4 => pub name: Arc<str>,
        /// Counted per id and tenant from 1.
        5 => pub version: u32,
        /// Their namespace.
        6 => pub namespace: Arc<str>,
        /// The file name given at deployment.
        7 => pub resource_name: Arc<str>,
        /// The file.
        8 => pub resource: Arc<[u8]>,
        /// MD5 of the file.
        9 => pub checksum: [u8; 16],
        /// The deployment that made it.
        10 => pub deployment: DeploymentKey,
        /// The graphs that it imports, which the same deployment made, in the order of its file.
        11 => pub imports: Vec<DecisionRequirementsKey>,
    }
}

message! {
    /// There is a new version of a decision.
    pub struct DecisionCreated {
        /// The decision.
        1 => pub key: DecisionKey,
        /// The owner.
        2 => pub tenant: Tenant,
        /// The decision id in the DMN.
        3 => pub id: Arc<str>,
        /// Its name.
        4 => pub name: Arc<str>,
        /// Counted per id and tenant from 1.
        5 => pub version: u32,
        /// The version tag, or empty.
        6 => pub version_tag: Arc<str>,
        /// The graph that it stands in.
        7 => pub requirements: DecisionRequirementsKey,
        /// The id of that graph.
        8 => pub requirements_id: Arc<str>,
        /// The deployment that made it.
        9 => pub deployment: DeploymentKey,
    }
}

message! {
    /// A decision was evaluated, with all that it requires.
    pub struct DecisionEvaluation {
        /// The key of the evaluation.
        1 => pub key: u64,
        /// The decision.
        2 => pub decision: DecisionKey,
        /// Its id.
        3 => pub id: Arc<str>,
        /// Its name.
        4 => pub name: Arc<str>,
        /// Its version.
        5 => pub version: u32,
        /// The graph that it stands in.
        6 => pub requirements: DecisionRequirementsKey,
        /// The id of that graph.
        7 => pub requirements_id: Arc<str>,
        /// The owner.
        8 => pub tenant: Tenant,
        /// The result as JSON text; `null` when there is none.
        9 => pub output: Arc<str>,
        /// The variables that it could see.
        10 => pub variables: Document,
        /// Every decision that was evaluated, required ones before those that require them.
        11 => pub evaluated: Vec<EvaluatedDecision>,
        /// Why there is no result, or empty.
        12 => pub failure: Arc<str>,
        /// The id of the decision that failed, or empty.
        13 => pub failed: Arc<str>,
        /// The process instance that asked; unset outside of one, as are the next three.
        14 => pub instance: ProcessInstanceKey,
        /// Its definition.
        15 => pub definition: ProcessDefinitionKey,
        /// The element.
        16 => pub element: ElementNumber,
        /// The element instance.
        17 => pub element_instance: ElementInstanceKey,
    }
}

message! {
    /// One decision of an evaluation.
    pub struct EvaluatedDecision {
        /// The decision; unset when it is not one of the graph's own.
        1 => pub key: DecisionKey,
        /// Its id.
        2 => pub id: Arc<str>,
        /// Its name.
        3 => pub name: Arc<str>,
        /// Its version.
        4 => pub version: u32,
        /// What its logic is, such as `DECISION_TABLE`.
        5 => pub kind: Arc<str>,
        /// Its result as JSON text.
        6 => pub output: Arc<str>,
        /// Of a table: its inputs.
        7 => pub inputs: Vec<EvaluatedValue>,
        /// Of a table: the rules that matched.
        8 => pub rules: Vec<MatchedRule>,
    }
}

message! {
    /// The value of an input or output of a table.
    pub struct EvaluatedValue {
        /// The id of the column, or empty.
        1 => pub id: Arc<str>,
        /// Its label or name.
        2 => pub name: Arc<str>,
        /// The value as JSON text.
        3 => pub value: Arc<str>,
    }
}

message! {
    /// A rule that matched.
    pub struct MatchedRule {
        /// Its id, or empty.
        1 => pub id: Arc<str>,
        /// Its number in the table, from 1.
        2 => pub index: u32,
        /// What it gives.
        3 => pub outputs: Vec<EvaluatedValue>,
    }
}
