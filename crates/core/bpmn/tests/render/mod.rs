//! Graphs and diagnostics as text, for expectations that people read.

use std::fmt::Write;

use coreto_bpmn::{
    Diagnostic, Element, ElementNumber, EndEvent, ExclusiveGateway, Kind, Mapping, Process, Resource, Rule,
    Script, StartEvent, Text, Trigger,
};

/// What one reading gave.
pub(crate) fn outcome(resource: Option<&Resource>, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        writeln!(out, "{diagnostic}").unwrap();
    }
    if let Some(resource) = resource {
        for process in &resource.processes {
            render_process(process, &mut out);
        }
        for id in &resource.skipped {
            writeln!(out, "skipped {id}").unwrap();
        }
    }
    out
}

fn render_process(process: &Process, out: &mut String) {
    write!(out, "process {}", process.id).unwrap();
    if let Some(name) = &process.name {
        write!(out, " name={name:?}").unwrap();
    }
    if let Some(tag) = &process.version_tag {
        write!(out, " version-tag={tag:?}").unwrap();
    }
    if let Some(start) = process.none_start {
        write!(out, " none-start={}", process.elements[start.index()].id).unwrap();
    }
    out.push('\n');
    for (number, element) in process.elements.iter().enumerate().skip(1) {
        render_element(process, number, element, out);
        let found = process.element_by_id(&element.id).unwrap();
        let repeated = matches!(&process.elements[found.index()].kind, Kind::MultiInstance(_));
        assert!(
            found.index() == number || repeated && found.index() < number,
            "`{}` is not found",
            element.id
        );
    }
    assert_eq!(process.element_by_id("no such element"), None);
}

fn render_element(process: &Process, number: usize, element: &Element, out: &mut String) {
    let id = |number: &ElementNumber| process.elements[number.index()].id.to_string();
    let kind = element.kind.element_type();
    write!(out, "  {number} {kind} {} {}", element.kind.event_type(), element.id).unwrap();
    if let Some(name) = &element.name {
        write!(out, " name={name:?}").unwrap();
    }
    if let Kind::SequenceFlow { source, target, condition } = &element.kind {
        write!(out, " {} -> {}", id(source), id(target)).unwrap();
        if let Some(condition) = condition {
            write!(out, " if {}", condition.source()).unwrap();
        }
    }
    if let Kind::ExclusiveGateway(ExclusiveGateway { default: Some(default) }) = &element.kind {
        write!(out, " default={}", id(default)).unwrap();
    }
    match &element.kind {
        Kind::SubProcess { start } => write!(out, " start={}", id(&start.unwrap())).unwrap(),
        Kind::EventSubProcess { start, interrupting } => {
            let goes_on = if *interrupting { "" } else { " non-interrupting" };
            write!(out, " start={}{goes_on}", id(&start.unwrap())).unwrap();
        }
        Kind::BoundaryEvent(event) => {
            let goes_on = if event.interrupting { "" } else { " non-interrupting" };
            write!(out, " at={}{goes_on}", id(&event.host)).unwrap();
            if let Trigger::Error(_) = event.trigger {
                write!(out, " {:?}", event.trigger).unwrap();
            }
        }
        Kind::StartEvent(StartEvent::On(trigger)) if matches!(**trigger, Trigger::Error(_)) => {
            write!(out, " {trigger:?}").unwrap();
        }
        Kind::EndEvent(EndEvent::Error(code)) => write!(out, " code={}", text(code)).unwrap(),
        _ => (),
    }
    let lists = [
        ("in", &element.incoming),
        ("out", &element.outgoing),
        ("boundary", &element.boundary_events),
        ("event-subprocesses", &element.event_subprocesses),
        ("awaited", &element.awaited),
    ];
    for (what, flows) in lists {
        if !flows.is_empty() {
            write!(out, " {what}={}", flows.iter().map(id).collect::<Vec<_>>().join(",")).unwrap();
        }
    }
    out.push('\n');
    if let Kind::BusinessRuleTask(rule) = &element.kind
        && let Rule::Decision(called) = &**rule
    {
        let decision = text(&called.decision);
        writeln!(out, "      decision {decision}{} to {}", called.binding, called.result_variable).unwrap();
    }
    if let Kind::MultiInstance(around) = &element.kind {
        let (order, items) =
            (if around.sequential { "one by one" } else { "at once" }, around.items.source());
        write!(out, "      {} {order} for {items}", around.inner.0).unwrap();
        if let Some(item) = &around.item {
            write!(out, " as {item}").unwrap();
        }
        if let Some(output) = &around.output {
            let (element, variable) = (output.element.source(), output.variable.as_deref().unwrap_or("none"));
            write!(out, " collect {element} in {} variable={variable}", output.collection).unwrap();
        }
        if let Some(condition) = &around.condition {
            write!(out, " until {}", condition.source()).unwrap();
        }
        out.push('\n');
    }
    if let Kind::CallActivity(called) = &element.kind {
        let (takes, gives) = (called.takes_all, called.gives_all);
        let process = text(&called.process);
        writeln!(out, "      process {process}{} takes-all={takes} gives-all={gives}", called.binding)
            .unwrap();
    }
    if let Some(Trigger::Timer(timer)) = element.kind.trigger() {
        writeln!(out, "      {} {}", timer.kind, text(&timer.text)).unwrap();
    }
    if let Some(Trigger::Signal(name)) = element.kind.trigger() {
        writeln!(out, "      signal {}", text(name)).unwrap();
    }
    if let Some(Trigger::Message(message)) = element.kind.trigger() {
        let key = message.correlation_key.as_ref().map_or("", |key| key.source());
        writeln!(out, "      message {} about {key:?}", text(&message.name)).unwrap();
    }
    if let Kind::ScriptTask(script) = &element.kind
        && let Script::Expression { expression, result_variable } = &**script
    {
        writeln!(out, "      script {} to {result_variable}", expression.source()).unwrap();
    }
    if let Some(job) = element.kind.job() {
        writeln!(out, "      type {}", text(&job.job_type)).unwrap();
        writeln!(out, "      retries {}", text(&job.retries)).unwrap();
        writeln!(out, "      headers {}", job.headers_json).unwrap();
    }
    for (what, mapping) in [("inputs", &element.inputs), ("outputs", &element.outputs)] {
        if let Some(mapping) = mapping {
            writeln!(out, "      {what} {}", render_mapping(mapping)).unwrap();
        }
    }
}

fn text(text: &Text) -> String {
    match text {
        Text::Static(text) => format!("{text:?}"),
        Text::Expression(expression) => format!("= {}", expression.source()),
    }
}

fn render_mapping(mapping: &Mapping) -> String {
    match mapping.expression() {
        Some(expression) => expression.source().replace('\n', "⏎"),
        None => format!("{} by copy", mapping.names().join(",")),
    }
}
