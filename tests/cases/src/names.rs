//! Names in the place of keys: `job:pack`, `task:pack#2`, `order`.

use std::collections::BTreeMap;

use coreto_bpmn::{Limits, Process, Purpose};
use coreto_record::{ElementNumber, Event, Key, Lifecycle, ProcessDefinitionKey, event};

/// Which key has which name, and the models that names come from.
#[derive(Default)]
pub struct Names {
    by_key: BTreeMap<u64, String>,
    by_name: BTreeMap<String, u64>,
    given: BTreeMap<String, u32>,
    models: BTreeMap<ProcessDefinitionKey, Process>,
}

impl Names {
    /// Gives names to what an event makes.
    pub fn learn(&mut self, event: &Event) {
        match event {
            Event::DeploymentCreated(made) => self.give("deployment", made.key.raw()),
            Event::RequirementsCreated(made) => self.give(&format!("graph:{}", made.id), made.key.raw()),
            Event::DecisionCreated(made) => self.give(&format!("decision:{}", made.id), made.key.raw()),
            Event::ProcessCreated(made) => self.learn_definition(made),
            Event::InstanceCreated(made) => {
                let id = self.element_id(made.definition, ElementNumber::PROCESS).to_owned();
                self.give(&id, made.instance.raw());
            }
            Event::Element(changed) if changed.to == Lifecycle::Activating && !changed.scope.is_unset() => {
                let name = self.kind_and_id(changed.definition, changed.element);
                self.give(&name, changed.key.raw());
            }
            Event::FlowTaken(taken) => {
                let name = self.kind_and_id(taken.definition, taken.element);
                self.give(&name, taken.key.raw());
            }
            Event::Job(changed) if changed.to == event::JobIntent::Created => {
                let name = format!("job:{}", self.element_id(changed.definition, changed.element));
                self.give(&name, changed.key.raw());
            }
            Event::InstanceStarted(made) => {
                let id = self.element_id(made.definition, ElementNumber::PROCESS).to_owned();
                self.give(&id, made.instance.raw());
            }
            Event::Timer(changed) if changed.to == event::TimerIntent::Created => {
                let name = format!("timer:{}", self.element_id(changed.definition, changed.element));
                self.give(&name, changed.key.raw());
            }
            Event::Message(changed) if changed.to == event::MessageIntent::Published => {
                self.give(&format!("message:{}", changed.name), changed.key.raw());
            }
            Event::IncidentCreated(made) => {
                let name = format!("incident:{}", self.element_id(made.definition, made.element));
                self.give(&name, made.key.raw());
            }
            _ => (),
        }
    }

    fn learn_definition(&mut self, made: &event::ProcessCreated) {
        self.give(&format!("definition:{}", made.id), made.key.raw());
        let (resource, _) = coreto_bpmn::read(&made.resource, Purpose::Load, &Limits::default());
        let processes = resource.map(|resource| resource.processes).unwrap_or_default();
        if let Some(process) = processes.into_iter().find(|process| process.id == made.id) {
            self.models.insert(made.key, process);
        }
    }

    /// Gives a name to a key, with a number from the second of that name on. The first name stays.
    fn give(&mut self, name: &str, key: u64) {
        if self.by_key.contains_key(&key) {
            return;
        }
        let given = self.given.entry(name.to_owned()).or_default();
        *given += 1;
        let name = if *given == 1 { name.to_owned() } else { format!("{name}#{given}") };
        self.by_key.insert(key, name.clone());
        self.by_name.insert(name, key);
    }

    /// The name of a key.
    pub fn name(&self, key: impl Key) -> &str {
        self.by_key.get(&key.raw()).map_or("?", String::as_str)
    }

    /// The key of a name, or of a number.
    pub fn key<K: Key>(&self, name: &str) -> Option<K> {
        let known = self.by_name.get(name).copied();
        known.or_else(|| name.parse().ok()).map(K::from_raw)
    }

    /// The id of an element of a definition.
    pub fn element_id(&self, definition: ProcessDefinitionKey, element: ElementNumber) -> &str {
        let process = self.models.get(&definition);
        let element = process.and_then(|process| process.element(coreto_bpmn::ElementNumber(element.0)));
        element.map_or("?", |element| &element.id)
    }

    fn kind_and_id(&self, definition: ProcessDefinitionKey, number: ElementNumber) -> String {
        use coreto_bpmn::Kind;
        let process = self.models.get(&definition);
        let element = process.and_then(|process| process.element(coreto_bpmn::ElementNumber(number.0)));
        let Some(element) = element else { return "?".to_owned() };
        let kind = match element.kind {
            Kind::Process => return element.id.to_string(),
            Kind::StartEvent(_) => "start",
            Kind::EndEvent(_) => "end",
            Kind::CatchEvent(_) => "catch",
            Kind::ReceiveTask(_)
            | Kind::ServiceTask(_)
            | Kind::SendTask(_)
            | Kind::ScriptTask(_)
            | Kind::BusinessRuleTask(_)
            | Kind::Task
            | Kind::ManualTask => "task",
            Kind::CallActivity(_) => "call",
            Kind::MultiInstance(_) => "body",
            Kind::SubProcess { .. } | Kind::EventSubProcess { .. } => "sub",
            Kind::BoundaryEvent(_) => "boundary",
            Kind::ThrowEvent(_) => "throw",
            Kind::ExclusiveGateway(_) | Kind::ParallelGateway | Kind::EventBasedGateway => "gateway",
            Kind::SequenceFlow { .. } => "flow",
        };
        format!("{kind}:{}", element.id)
    }

    /// A text with names in the place of the keys in it.
    pub fn in_text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut digits = String::new();
        for char in text.chars().chain(['\0']) {
            if char.is_ascii_digit() {
                digits.push(char);
                continue;
            }
            let known = digits.parse().ok().and_then(|key: u64| self.by_key.get(&key));
            out.push_str(known.unwrap_or(&digits));
            digits.clear();
            if char != '\0' {
                out.push(char);
            }
        }
        out
    }
}
