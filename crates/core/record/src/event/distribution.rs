//! Bringing to all partitions what must be on each of them.

use coreto_machine::{Timestamp, Token, message};

use super::{DecisionCreated, DeploymentCreated, ProcessCreated, RequirementsCreated};
use crate::reply::Reply;

message! {
    /// Something is on its way to all other partitions.
    pub struct DistributionStarted {
        /// The distribution; the key of what is distributed.
        1 => pub key: u64,
        /// The value type of the command that is distributed.
        2 => pub value_type: u32,
        /// The intent of that command.
        3 => pub intent: u32,
        /// The partitions of the group; all but the first take part.
        4 => pub partitions: u32,
        /// Who waits for the answer, if anybody.
        5 => pub token: Option<Token>,
        /// The answer.
        6 => pub reply: Reply,
        /// When it goes out although a partition stays away.
        7 => pub answer_by: Timestamp,
    }
}

message! {
    /// A distribution went on.
    pub struct DistributionStep {
        /// The distribution.
        1 => pub key: u64,
        /// The partition that it is about.
        2 => pub partition: u32,
        /// The value type of the command that is distributed.
        3 => pub value_type: u32,
        /// The intent of that command.
        4 => pub intent: u32,
    }
}

message! {
    /// A deployment of the first partition is here, too, with the keys and versions that it gave.
    pub struct DeploymentTaken {
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
