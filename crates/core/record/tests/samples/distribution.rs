//! What is brought to all partitions.

use coreto_machine::Token;
use coreto_record::command::{AcknowledgeDistribution, Distribute};
use coreto_record::event::{
    DecisionCreated, DeploymentCreated, DeploymentTaken, DistributionStarted, DistributionStep,
    ProcessCreated, RequirementsCreated,
};
use coreto_record::{Command, Event, Reply};

use super::{key, time};

pub(super) fn commands() -> Vec<(&'static str, Command)> {
    vec![
        ("Distribute", Command::Distribute(Distribute { key: 7, partition: 3 })),
        ("TakeDeployment", Command::TakeDeployment(Box::new(taken()))),
        (
            "AcknowledgeDistribution",
            Command::AcknowledgeDistribution(AcknowledgeDistribution { key: 7, partition: 3 }),
        ),
    ]
}

pub(super) fn events() -> Vec<(&'static str, Event)> {
    let step = DistributionStep { key: 7, partition: 3, value_type: 4, intent: 0 };
    vec![
        (
            "DistributionStarted",
            Event::DistributionStarted(DistributionStarted {
                key: 7,
                value_type: 4,
                intent: 0,
                partitions: 3,
                token: Some(Token::from_raw(5)),
                reply: Reply::Done(()),
                answer_by: time(),
            }),
        ),
        ("DistributionSent", Event::DistributionSent(step.clone())),
        ("DistributionAcknowledged", Event::DistributionAcknowledged(step.clone())),
        ("DistributionFinished", Event::DistributionFinished(step.clone())),
        ("DistributionAnswered", Event::DistributionAnswered(step)),
        ("DeploymentTaken", Event::DeploymentTaken(taken())),
    ]
}

fn taken() -> DeploymentTaken {
    DeploymentTaken {
        deployment: DeploymentCreated { key: key(7), ..DeploymentCreated::default() },
        requirements: vec![RequirementsCreated { key: key(8), ..RequirementsCreated::default() }],
        decisions: vec![DecisionCreated { key: key(9), ..DecisionCreated::default() }],
        processes: vec![ProcessCreated { key: key(10), ..ProcessCreated::default() }],
    }
}
