//! Process models.

/// A process with one service task, whose jobs have the process's id as their type.
pub(crate) fn one_task(process: &str) -> String {
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="urn:coreto:e2e">
  <process id="{process}" isExecutable="true">
    <startEvent id="start"/>
    <sequenceFlow id="to-task" sourceRef="start" targetRef="task"/>
    <serviceTask id="task">
      <extensionElements><zeebe:taskDefinition type="{process}" retries="100"/></extensionElements>
    </serviceTask>
    <sequenceFlow id="to-end" sourceRef="task" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>
"#
    )
}
