//! Bringing to all partitions what must be on each of them.

use coreto_machine::message;

use crate::event::{DecisionCreated, DeploymentCreated, ProcessCreated, RequirementsCreated};

message! {
    /// Sends what is distributed to one partition.
    pub struct Distribute {
        /// The distribution.
        1 => pub key: u64,
        /// The partition.
        2 => pub partition: u32,
    }
}

message! {
    /// Takes over a deployment of the first partition, with the keys and versions that it gave.
    pub struct TakeDeployment {
        /// What was deployed.
        1 => pub deployment: DeploymentCreated,
        /// Its new decision requirements graphs.
        2 => pub requirements: Vec<RequirementsCreated>,
        /// Their decisions.
        3 => pub decisions: Vec<DecisionCreated>,
        /// Its new processes.
        4 => pub processes: Vec<ProcessCreated>,
    }
}

message! {
    /// A partition has what was distributed.
    pub struct AcknowledgeDistribution {
        /// The distribution.
        1 => pub key: u64,
        /// The partition.
        2 => pub partition: u32,
    }
}
