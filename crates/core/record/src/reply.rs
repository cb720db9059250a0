//! Answers to commands that were carried out.

use std::sync::Arc;

use coreto_machine::{Tenant, Timestamp, message, message_field, union};

use crate::document::Document;
use crate::event::DecisionEvaluation;
use crate::key::{
    DecisionKey, DecisionRequirementsKey, DeploymentKey, ElementInstanceKey, JobKey, MessageKey,
    ProcessDefinitionKey, ProcessInstanceKey, SignalKey,
};

union! {
    /// The answer to a command that was carried out.
    pub enum Reply {
        /// It is done, and there is nothing to tell.
        1 => Done(()),
        /// Resources are deployed.
        2 => Deployed(Deployed),
        /// An instance was created.
        3 => InstanceCreated(InstanceCreated),
        /// An instance was created and has completed.
        4 => InstanceCompleted(InstanceCompleted),
        /// Jobs were handed out; none when there were none and nobody waits.
        5 => JobsActivated(JobsActivated),
        /// Variables were set.
        6 => VariablesSet(VariablesSet),
        /// A decision was evaluated, or failed.
        7 => DecisionEvaluated(DecisionEvaluation),
        /// A message was published.
        10 => MessagePublished(MessagePublished),
        /// A signal was broadcast.
        11 => SignalBroadcasted(SignalBroadcasted),
        /// A resource was deleted.
        20 => ResourceDeleted(ResourceDeleted),
    }
}

impl Default for Reply {
    fn default() -> Self {
        Self::Done(())
    }
}

message_field!(Reply);

message! {
    /// What a deployment made or found.
    pub struct Deployed {
        /// The deployment.
        1 => pub key: DeploymentKey,
        /// Its processes, in document order of its resources.
        2 => pub processes: Vec<DeployedProcess>,
        /// The owner.
        3 => pub tenant: Tenant,
        /// Its decision requirements graphs, in order of its resources.
        4 => pub requirements: Vec<DeployedRequirements>,
        /// Its decisions, in document order of its resources.
        5 => pub decisions: Vec<DeployedDecision>,
    }
}

message! {
    /// One decision requirements graph of a deployment.
    pub struct DeployedRequirements {
        /// The graph; an older one when nothing changed.
        1 => pub key: DecisionRequirementsKey,
        /// The id of the definitions in the DMN.
        2 => pub id: Arc<str>,
        /// Their name.
        3 => pub name: Arc<str>,
        /// Counted per id and tenant from 1.
        4 => pub version: u32,
        /// Their namespace.
        5 => pub namespace: Arc<str>,
        /// The file name given at deployment.
        6 => pub resource_name: Arc<str>,
        /// Nothing changed against the latest version.
        7 => pub duplicate: bool,
        /// MD5 of the resource.
        8 => pub checksum: [u8; 16],
    }
}

message! {
    /// One decision of a deployment.
    pub struct DeployedDecision {
        /// The decision; an older one when nothing changed.
        1 => pub key: DecisionKey,
        /// The decision id in the DMN.
        2 => pub id: Arc<str>,
        /// Its name.
        3 => pub name: Arc<str>,
        /// Counted per id and tenant from 1.
        4 => pub version: u32,
        /// The version tag, or empty.
        5 => pub version_tag: Arc<str>,
        /// The graph that it stands in.
        6 => pub requirements: DecisionRequirementsKey,
        /// The id of that graph.
        7 => pub requirements_id: Arc<str>,
        /// Nothing changed against the latest version.
        8 => pub duplicate: bool,
    }
}

message! {
    /// One process of a deployment.
    pub struct DeployedProcess {
        /// The definition; an older one when nothing changed.
        1 => pub key: ProcessDefinitionKey,
        /// The process id in the BPMN.
        2 => pub id: Arc<str>,
        /// Counted per id and tenant from 1.
        3 => pub version: u32,
        /// The file name given at deployment.
        4 => pub resource_name: Arc<str>,
        /// Nothing changed against the latest version.
        5 => pub duplicate: bool,
        /// MD5 of the resource.
        6 => pub checksum: [u8; 16],
        /// The version tag, or empty.
        7 => pub version_tag: Arc<str>,
    }
}

message! {
    /// A new instance.
    pub struct InstanceCreated {
        /// The instance.
        1 => pub key: ProcessInstanceKey,
        /// Its definition.
        2 => pub definition: ProcessDefinitionKey,
        /// The process id in the BPMN.
        3 => pub process: Arc<str>,
        /// The definition's version.
        4 => pub version: u32,
        /// The owner.
        5 => pub tenant: Tenant,
    }
}

message! {
    /// An instance that has completed while its creator waited.
    pub struct InstanceCompleted {
        /// The instance, as it was created.
        1 => pub created: InstanceCreated,
        /// Its root variables, all or those asked for.
        2 => pub variables: Document,
    }
}

message! {
    /// Jobs that were handed out.
    pub struct JobsActivated {
        /// In the order of their keys.
        1 => pub jobs: Vec<ActivatedJob>,
        /// More jobs would have fitted the number asked for, but not the size of a message.
        2 => pub truncated: bool,
    }
}

message! {
    /// A job as its worker gets it.
    pub struct ActivatedJob {
        /// The job.
        1 => pub key: JobKey,
        /// Its type.
        2 => pub job_type: Arc<str>,
        /// The process instance.
        3 => pub instance: ProcessInstanceKey,
        /// The process id in the BPMN.
        4 => pub process: Arc<str>,
        /// The definition's version.
        5 => pub version: u32,
        /// The definition.
        6 => pub definition: ProcessDefinitionKey,
        /// The element's id in the BPMN.
        7 => pub element: Arc<str>,
        /// The element instance.
        8 => pub element_instance: ElementInstanceKey,
        /// Modelled headers, a JSON object of texts.
        9 => pub headers: Arc<str>,
        /// Who took it.
        10 => pub worker: Arc<str>,
        /// Retries left; negative numbers do not occur.
        11 => pub retries: i32,
        /// Until when the worker holds it.
        12 => pub deadline: Timestamp,
        /// Visible variables, all or those asked for.
        13 => pub variables: Document,
        /// The owner.
        14 => pub tenant: Tenant,
    }
}

message! {
    /// A message was published.
    pub struct MessagePublished {
        /// The message.
        1 => pub key: MessageKey,
    }
}

message! {
    /// A signal was broadcast.
    pub struct SignalBroadcasted {
        /// The signal.
        1 => pub key: SignalKey,
    }
}

message! {
    /// Variables were set in a scope.
    pub struct VariablesSet {
        /// The key of the command.
        1 => pub key: u64,
    }
}

message! {
    /// A resource was deleted.
    pub struct ResourceDeleted {
        /// The deletion.
        1 => pub key: u64,
        /// What was deleted.
        2 => pub resource: u64,
    }
}
