//! Processes to deploy.

use std::fmt::Write as _;

/// A process with this many flow nodes: in turns a service task with mappings and headers, a choice with a condition
/// and a default flow, and where its ways meet again. Numbers keep apart what must not be the same file.
pub fn chain(nodes: usize, number: u64) -> String {
    let mut xml = String::from(
        "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" \
         xmlns:zeebe=\"http://camunda.org/schema/zeebe/1.0\">",
    );
    let mut process = Process { xml: &mut xml, flows: 0 };
    process.put(format_args!("<process id=\"chain-{number}\" isExecutable=\"true\"><startEvent id=\"n0\"/>"));
    for node in (1..nodes - 1).step_by(3) {
        process.segment(node);
    }
    process.put(format_args!("</process></definitions>"));
    xml
}

struct Process<'a> {
    xml: &'a mut String,
    flows: usize,
}

impl Process<'_> {
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.xml.write_fmt(text).expect("a string takes all");
    }

    fn flow(&mut self, from: usize, to: usize, inside: &str) {
        self.flows += 1;
        let flow = self.flows;
        self.put(format_args!(
            "<sequenceFlow id=\"f{flow}\" sourceRef=\"n{from}\" targetRef=\"n{to}\">{inside}</sequenceFlow>"
        ));
    }

    /// A task, a choice behind it, and an end for one of its ways.
    fn segment(&mut self, at: usize) {
        let before = if at == 1 { 0 } else { at - 2 };
        let condition =
            format!("<conditionExpression>=total &gt; {at} and country = \"DE\"</conditionExpression>");
        self.flow(before, at, if at == 1 { "" } else { &condition });
        self.put(format_args!(
            "<serviceTask id=\"n{at}\" name=\"Step {at}\"><extensionElements>\
             <zeebe:taskDefinition type=\"work-{at}\" retries=\"3\"/>\
             <zeebe:taskHeaders><zeebe:header key=\"step\" value=\"{at}\"/></zeebe:taskHeaders>\
             <zeebe:ioMapping><zeebe:input source=\"=order.items[{at}]\" target=\"item\"/>\
             <zeebe:output source=\"=result.total + {at}\" target=\"total\"/></zeebe:ioMapping>\
             </extensionElements></serviceTask>"
        ));
        let (gateway, end) = (at + 1, at + 2);
        self.flow(at, gateway, "");
        let default = self.flows + 1;
        self.put(format_args!("<exclusiveGateway id=\"n{gateway}\" default=\"f{default}\"/>"));
        self.flow(gateway, end, "");
        self.put(format_args!("<endEvent id=\"n{end}\"/>"));
    }
}
