//! Blocks as BPMN.

use std::fmt::Write;

use super::Block;

const HEAD: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">"#;

impl Block {
    /// The process and those that it calls: names and models.
    pub(crate) fn models(&self) -> Vec<(String, String)> {
        let mut models = vec![("main".to_owned(), model("main", self))];
        self.called(&mut models);
        models
    }

    fn called(&self, models: &mut Vec<(String, String)>) {
        match self {
            Self::Task(_) | Self::Pass(_) => (),
            Self::Sequence(parts) | Self::Branches(_, parts) => {
                for part in parts {
                    part.called(models);
                }
            }
            Self::Scope(_, inner) | Self::Loop { inner, .. } => inner.called(models),
            Self::Call(number, inner) => {
                let name = format!("called-{number}");
                models.push((name.clone(), model(&name, inner)));
                inner.called(models);
            }
        }
    }
}

fn model(id: &str, block: &Block) -> String {
    let mut writer = Writer { text: format!(r#"{HEAD}<process id="{id}" isExecutable="true">"#), flows: 0 };
    writer.content(id, block);
    writer.text.push_str("</process></definitions>");
    writer.text
}

struct Writer {
    text: String,
    flows: u32,
}

impl Writer {
    fn add(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A start event, and what begins there.
    fn content(&mut self, scope: &str, block: &Block) {
        let start = format!("start-of-{scope}");
        self.add(&format!(r#"<startEvent id="{start}"/>"#));
        let (first, _) = self.block(block);
        self.flow(scope, &start, &first);
    }

    fn flow(&mut self, scope: &str, from: &str, to: &str) {
        self.flows += 1;
        let number = self.flows;
        write!(self.text, r#"<sequenceFlow id="f{number}-in-{scope}" sourceRef="{from}" targetRef="{to}"/>"#)
            .expect("writing to a string does not fail");
    }

    /// Writes a block, and gives its first and last elements.
    fn block(&mut self, block: &Block) -> (String, String) {
        match block {
            Block::Task(number) => self.task(*number, ""),
            Block::Pass(number) => {
                let id = format!("pass-{number}");
                self.add(&format!(r#"<manualTask id="{id}"/>"#));
                (id.clone(), id)
            }
            Block::Sequence(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.block(part)).collect();
                for pair in parts.windows(2) {
                    self.flow("sequence", &pair[0].1, &pair[1].0);
                }
                (parts[0].0.clone(), parts[parts.len() - 1].1.clone())
            }
            Block::Branches(number, parts) => {
                let (fork, join) = (format!("fork-{number}"), format!("join-{number}"));
                self.add(&format!(r#"<parallelGateway id="{fork}"/><parallelGateway id="{join}"/>"#));
                for part in parts {
                    let (first, last) = self.block(part);
                    self.flow("branch", &fork, &first);
                    self.flow("branch", &last, &join);
                }
                (fork, join)
            }
            Block::Scope(number, inner) => self.scope(&format!("scope-{number}"), "", inner),
            Block::Call(number, _) => {
                let id = format!("call-{number}");
                self.add(&format!(
                    r#"<callActivity id="{id}"><extensionElements><zeebe:calledElement processId="called-{number}" propagateAllChildVariables="false"/></extensionElements></callActivity>"#
                ));
                (id.clone(), id)
            }
            Block::Loop { number, items, in_turn, enough, inner } => {
                let marker = marker(*number, *items, *in_turn, *enough);
                match &**inner {
                    Block::Task(task) => self.task(*task, &marker),
                    inner => self.scope(&format!("loop-{number}"), &marker, inner),
                }
            }
        }
    }

    fn task(&mut self, number: u32, marker: &str) -> (String, String) {
        let id = format!("task-{number}");
        self.add(&format!(
            r#"<serviceTask id="{id}"><extensionElements><zeebe:taskDefinition type="work"/></extensionElements>{marker}</serviceTask>"#
        ));
        (id.clone(), id)
    }

    fn scope(&mut self, id: &str, marker: &str, inner: &Block) -> (String, String) {
        self.add(&format!(r#"<subProcess id="{id}">{marker}"#));
        self.content(id, inner);
        self.add("</subProcess>");
        (id.to_owned(), id.to_owned())
    }
}

fn marker(number: u32, items: u32, in_turn: bool, enough: Option<u32>) -> String {
    let condition = enough.map_or_else(String::new, |enough| {
        format!("<completionCondition>=numberOfCompletedInstances &gt;= {enough}</completionCondition>")
    });
    let list = (1..=items).map(|item| item.to_string()).collect::<Vec<_>>().join(",");
    format!(
        r#"<multiInstanceLoopCharacteristics isSequential="{in_turn}"><extensionElements><zeebe:loopCharacteristics inputCollection="=[{list}]" inputElement="item_{number}" outputCollection="results_{number}" outputElement="=r"/></extensionElements>{condition}</multiInstanceLoopCharacteristics>"#
    )
}
