//! The processes that are run.

use std::fmt::Write as _;

/// What every instance does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// One service task.
    OneTask,
    /// Ten service tasks, one after the other.
    TenTasks,
    /// A message that is waited for, published once the instance is there, then one service task.
    Message,
    /// One service task that nobody works on.
    Parked,
    /// A timer, then one service task: many wait, and come due at `--rate`. With --in-process only.
    Timers,
}

impl Scenario {
    /// Name on the command line and in process ids.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneTask => "one-task",
            Self::TenTasks => "ten-tasks",
            Self::Message => "message",
            Self::Parked => "parked",
            Self::Timers => "timers",
        }
    }

    /// Number of jobs that an instance needs done.
    pub fn tasks(self) -> u32 {
        match self {
            Self::OneTask | Self::Message | Self::Parked | Self::Timers => 1,
            Self::TenTasks => 10,
        }
    }

    /// Id of its process, also the type of all its jobs and the name of the message.
    pub fn process_id(self, suffix: &str) -> String {
        format!("bench-{}{suffix}", self.name())
    }
}

/// The process as BPMN.
pub(crate) fn bpmn(scenario: Scenario, suffix: &str) -> String {
    let id = scenario.process_id(suffix);
    let mut text = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="http://coreto/bench">
  <message id="message" name="{id}"><extensionElements><zeebe:subscription correlationKey="=bench"/></extensionElements></message>
  <process id="{id}" isExecutable="true">
    <startEvent id="start"/>
"#
    );
    let mut before = "start".to_owned();
    if scenario == Scenario::Message {
        text.push_str(
            r#"    <sequenceFlow id="to-message" sourceRef="start" targetRef="wait"/>
    <intermediateCatchEvent id="wait"><messageEventDefinition messageRef="message"/></intermediateCatchEvent>
"#,
        );
        "wait".clone_into(&mut before);
    }
    for step in 1..=scenario.tasks() {
        let task = format!("task-{step}");
        // Writing to a text cannot fail.
        let _ = write!(
            text,
            r#"    <sequenceFlow id="to-{task}" sourceRef="{before}" targetRef="{task}"/>
    <serviceTask id="{task}"><extensionElements><zeebe:taskDefinition type="{id}"/></extensionElements></serviceTask>
"#
        );
        before = task;
    }
    let _ = write!(
        text,
        r#"    <sequenceFlow id="to-end" sourceRef="{before}" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>
"#
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_as_many_tasks_as_it_says() {
        for scenario in [Scenario::OneTask, Scenario::TenTasks, Scenario::Message, Scenario::Parked] {
            let text = bpmn(scenario, "-x");
            let tasks = scenario.tasks() as usize;
            assert_eq!(text.matches("<serviceTask").count(), tasks);
            let events = text.matches("<intermediateCatchEvent").count();
            assert_eq!(events, usize::from(scenario == Scenario::Message));
            assert_eq!(text.matches("<sequenceFlow").count(), tasks + events + 1);
            assert_eq!(text.matches(&format!(r#"type="bench-{}-x""#, scenario.name())).count(), tasks);
        }
    }
}
