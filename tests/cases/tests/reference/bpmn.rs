//! Processes as BPMN.

use std::fmt::Write;

use coreto_record::command::Resource;

use crate::spec::{At, Catch, Element, Expr, Kind, Process, Repeat, Timing, Trigger, Work};

const HEAD: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">"#;

/// One of the processes as a file.
pub(crate) fn resource(all: &[Process], process: &Process) -> Resource {
    let name = format!("{}.bpmn", process.id).into();
    Resource { name, content: model(all, process).into_bytes().into() }
}

/// The model of one of the processes.
pub(crate) fn model(all: &[Process], process: &Process) -> String {
    let mut writer = Writer { all, process, text: String::new(), behind: String::new() };
    writer.content(0);
    let Writer { text, behind, .. } = writer;
    format!(
        r#"{HEAD}<process id="{}" name="{}" isExecutable="true">{text}</process>{behind}</definitions>"#,
        process.id, process.version
    )
}

struct Writer<'a> {
    all: &'a [Process],
    process: &'a Process,
    text: String,
    /// Messages, signals and errors, which stand behind the process.
    behind: String,
}

impl Writer<'_> {
    fn content(&mut self, scope: At) {
        for at in self.process.inside(scope) {
            self.element(at);
            for target in &self.process.elements[at].flows {
                self.flow(at, *target);
            }
        }
    }

    fn flow(&mut self, from: At, to: At) {
        let source = &self.process.elements[from];
        let condition = match &source.kind {
            Kind::Choice { name, limit, is_strict: true } if source.flows[0] == to => {
                format!("<conditionExpression>={name} &gt; {limit}</conditionExpression>")
            }
            Kind::Choice { name, limit, .. } if source.flows[0] == to => format!(
                "<conditionExpression>=(if {name} instance of number then {name} else 0) &gt; {limit}</conditionExpression>"
            ),
            _ => String::new(),
        };
        let (source, target) = (&source.id, &self.process.elements[to].id);
        write!(
            self.text,
            r#"<sequenceFlow id="from_{source}_to_{target}" sourceRef="{source}" targetRef="{target}">{condition}</sequenceFlow>"#
        )
        .expect("writing to a string does not fail");
    }

    fn element(&mut self, at: At) {
        let element = self.process.elements[at].clone();
        let (tag, attributes) = self.tag(&element);
        write!(self.text, r#"<{tag} id="{}" {attributes}>"#, element.id)
            .expect("writing to a string does not fail");
        let extension = [self.extension(&element), mappings(&element)].concat();
        if !extension.is_empty() {
            write!(self.text, "<extensionElements>{extension}</extensionElements>")
                .expect("writing to a string does not fail");
        }
        self.text.push_str(&element.repeat.as_ref().map_or_else(String::new, marker));
        let definition = self.definition(&element);
        self.text.push_str(&definition);
        if matches!(element.kind, Kind::Scope | Kind::EventScope) {
            self.content(at);
        }
        write!(self.text, "</{tag}>").expect("writing to a string does not fail");
    }

    /// The name of an element's tag, and attributes but for its id.
    fn tag(&self, element: &Element) -> (&'static str, String) {
        let tag = match &element.kind {
            Kind::Process | Kind::Scope => "subProcess",
            Kind::Pass => "manualTask",
            Kind::End | Kind::Terminate | Kind::Throw(_) => "endEvent",
            Kind::Broadcast(_) | Kind::Task(Work::Throw) if element.flows.is_empty() => "endEvent",
            Kind::Broadcast(_) | Kind::Task(Work::Throw) => "intermediateThrowEvent",
            Kind::Task(Work::Service) => "serviceTask",
            Kind::Task(Work::Send) => "sendTask",
            Kind::Task(Work::Rule) => "businessRuleTask",
            Kind::Task(Work::Script) | Kind::Compute(..) => "scriptTask",
            Kind::Parallel => "parallelGateway",
            Kind::Merge => "exclusiveGateway",
            Kind::First => "eventBasedGateway",
            Kind::Call { .. } => "callActivity",
            Kind::Wait { is_task: false, .. } => "intermediateCatchEvent",
            Kind::Wait { is_task: true, .. } => {
                return ("receiveTask", format!(r#"messageRef="message_{}""#, element.id));
            }
            Kind::Start(catch) => {
                let interrupts = catch.as_ref().is_none_or(|catch| catch.interrupts);
                return ("startEvent", format!(r#"isInterrupting="{interrupts}""#));
            }
            Kind::EventScope => return ("subProcess", r#"triggeredByEvent="true""#.to_owned()),
            Kind::Choice { .. } => {
                let other = &self.process.elements[element.flows[1]].id;
                return ("exclusiveGateway", format!(r#"default="from_{}_to_{other}""#, element.id));
            }
            Kind::Boundary(host, Catch { interrupts, .. }) => {
                let host = &self.process.elements[*host].id;
                let attributes = format!(r#"attachedToRef="{host}" cancelActivity="{interrupts}""#);
                return ("boundaryEvent", attributes);
            }
        };
        (tag, String::new())
    }

    fn extension(&self, element: &Element) -> String {
        match &element.kind {
            Kind::Task(_) => r#"<zeebe:taskDefinition type="work"/>"#.to_owned(),
            Kind::Compute(name, expression) => {
                format!(r#"<zeebe:script expression="{expression}" resultVariable="{name}"/>"#)
            }
            Kind::Call { process, takes_all, gives_all } => format!(
                r#"<zeebe:calledElement processId="{}" propagateAllParentVariables="{takes_all}" propagateAllChildVariables="{gives_all}"/>"#,
                self.all[*process].id
            ),
            _ => String::new(),
        }
    }

    /// What an event is about.
    fn definition(&mut self, element: &Element) -> String {
        let Element { id, kind, .. } = element;
        match kind {
            Kind::Terminate => return "<terminateEventDefinition/>".to_owned(),
            Kind::Task(Work::Throw) => return "<messageEventDefinition/>".to_owned(),
            _ => (),
        }
        let thrown = match kind {
            Kind::Throw(code) => Some(Trigger::Error(Some(code.clone()))),
            Kind::Broadcast(name) => Some(Trigger::Signal(name.clone())),
            _ => None,
        };
        let Some(trigger) = kind.trigger().or(thrown.as_ref()) else { return String::new() };
        let (word, behind) = match trigger {
            Trigger::Timer(timing) => {
                let (tag, text) = time(*timing);
                return format!("<timerEventDefinition><{tag}>{text}</{tag}></timerEventDefinition>");
            }
            Trigger::Message { name, key } => ("message", message(id, name, key)),
            Trigger::Signal(name) => ("signal", format!(r#"<signal id="signal_{id}" name="{name}"/>"#)),
            Trigger::Error(None) => return "<errorEventDefinition/>".to_owned(),
            Trigger::Error(Some(code)) => {
                ("error", format!(r#"<error id="error_{id}" errorCode="{code}"/>"#))
            }
        };
        self.behind.push_str(&behind);
        if let Kind::Wait { is_task: true, .. } = kind {
            return String::new();
        }
        format!(r#"<{word}EventDefinition {word}Ref="{word}_{id}"/>"#)
    }
}

/// The tag of a time and what stands in it; games begin at the turn of a year.
fn time(timing: Timing) -> (&'static str, String) {
    match timing {
        Timing::After(millis) => ("timeDuration", format!("PT{}S", millis / 1000)),
        Timing::At(millis) => ("timeDate", format!("2026-01-01T00:00:{:02}Z", millis / 1000)),
        Timing::Each(millis, -1) => ("timeCycle", format!("R/PT{}S", millis / 1000)),
        Timing::Each(millis, times) => ("timeCycle", format!("R{times}/PT{}S", millis / 1000)),
        Timing::Clock(millis) => ("timeCycle", format!("*/{} * * * * *", millis / 1000)),
    }
}

/// A message; a start event of a process has no correlation key.
fn message(id: &str, name: &str, key: &str) -> String {
    let subscription = if key.is_empty() {
        String::new()
    } else {
        format!(
            r#"<extensionElements><zeebe:subscription correlationKey="=if {key} instance of number then string({key}) else &quot;none&quot;"/></extensionElements>"#
        )
    };
    format!(r#"<message id="message_{id}" name="{name}">{subscription}</message>"#)
}

fn mappings(element: &Element) -> String {
    let lines = |word: &str, mappings: &[(String, Expr)]| {
        let line = |(target, source): &(String, Expr)| {
            format!(r#"<zeebe:{word} source="{source}" target="{target}"/>"#)
        };
        mappings.iter().map(line).collect::<String>()
    };
    let all = lines("input", &element.inputs) + &lines("output", &element.outputs);
    if all.is_empty() { all } else { format!("<zeebe:ioMapping>{all}</zeebe:ioMapping>") }
}

fn marker(repeat: &Repeat) -> String {
    let items: Vec<String> = (1..=repeat.items).map(|item| item.to_string()).collect();
    let enough = repeat.enough.map_or_else(String::new, |enough| {
        format!("<completionCondition>=numberOfCompletedInstances &gt;= {enough}</completionCondition>")
    });
    let result = repeat.result.as_ref().map_or_else(String::new, |result| {
        format!(r#"outputCollection="{}" outputElement="{result}""#, repeat.results())
    });
    format!(
        r#"<multiInstanceLoopCharacteristics isSequential="{}"><extensionElements><zeebe:loopCharacteristics inputCollection="=[{}]" inputElement="{}" {result}/></extensionElements>{enough}</multiInstanceLoopCharacteristics>"#,
        repeat.in_turn,
        items.join(","),
        repeat.item()
    )
}
