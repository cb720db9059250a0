//! What definitions add to records, as JSON that is ready to be copied.

use std::collections::HashMap;
use std::sync::Arc;

use coreto_bpmn::{Element, Kind};
use coreto_engine::{Definition, Requirements};
use coreto_machine::Tenant;
use coreto_record::{DecisionRequirementsKey, ElementNumber, Key, ProcessDefinitionKey};

use super::json::{self, Object, name};
use crate::definitions::{Definitions, Unanswered};

/// Definitions that are remembered; more are asked for again.
const KNOWN_MAX: usize = 10_000;

/// What definitions add to records, looked up once.
pub(super) struct Models {
    definitions: Box<dyn Definitions>,
    known: HashMap<ProcessDefinitionKey, Arc<Model>>,
    /// Records that follow each other mostly speak of the same definition.
    last: Option<(ProcessDefinitionKey, Arc<Model>)>,
}

/// What one definition adds to records.
pub(super) struct Model {
    /// Process id, version and key, as members.
    process: String,
    /// Process id and key, as members.
    process_of_variable: String,
    elements: Box<[ElementModel]>,
    unknown_element: ElementModel,
}

/// What one element adds to records.
struct ElementModel {
    /// Its id as a JSON string.
    id: String,
    /// Members of the records of its instances, where nobody called the process.
    uncalled: String,
    /// The same, but for those that tell of calls.
    called: String,
    /// Its place among the call activities of its process, sorted by id; 0 for other elements.
    place_among_calls: u64,
    /// Members of the records of its jobs.
    job: String,
}

impl Models {
    pub(super) fn new(definitions: Box<dyn Definitions>) -> Self {
        Self { definitions, known: HashMap::new(), last: None }
    }

    /// What a definition adds to records.
    pub(super) fn get(&mut self, key: ProcessDefinitionKey) -> Result<Arc<Model>, Unanswered> {
        if let Some((last, model)) = &self.last
            && *last == key
        {
            return Ok(Arc::clone(model));
        }
        let model = match self.known.get(&key) {
            Some(model) => Arc::clone(model),
            None => self.learn(key)?,
        };
        self.last = Some((key, Arc::clone(&model)));
        Ok(model)
    }

    fn learn(&mut self, key: ProcessDefinitionKey) -> Result<Arc<Model>, Unanswered> {
        let model = match self.definition(key)? {
            Some(definition) => Model::of(&definition),
            None => Model::unknown(key),
        };
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        let model = Arc::new(model);
        self.known.insert(key, Arc::clone(&model));
        Ok(model)
    }

    /// A decision requirements graph itself.
    pub(super) fn requirements(
        &mut self,
        key: DecisionRequirementsKey,
    ) -> Result<Option<Arc<Requirements>>, Unanswered> {
        let requirements = self.definitions.requirements(key)?;
        if requirements.is_none() {
            tracing::warn!(requirements = key.raw(), "records speak of decisions that are not there");
        }
        Ok(requirements)
    }

    /// A definition itself.
    pub(super) fn definition(
        &mut self,
        key: ProcessDefinitionKey,
    ) -> Result<Option<Arc<Definition>>, Unanswered> {
        let definition = self.definitions.definition(key)?;
        if definition.is_none() {
            tracing::warn!(process_definition = key.raw(), "records speak of a definition that is not there");
        }
        Ok(definition)
    }
}

impl Model {
    fn of(definition: &Definition) -> Self {
        let record = &definition.record;
        let process = Process { id: quoted(&record.id), version: i64::from(record.version), key: record.key };
        match definition.process() {
            Some(compiled) => Self::with(&process, &compiled.elements),
            None => Self::with(&process, &[]),
        }
    }

    /// What is written where the definition is not known.
    pub(super) fn unknown(key: ProcessDefinitionKey) -> Self {
        Self::with(&Process { id: quoted(""), version: -1, key }, &[])
    }

    fn with(process: &Process, elements: &[Element]) -> Self {
        let Process { id, version, .. } = process;
        let key = process.key_or_unset();
        Self {
            process: format!(r#","bpmnProcessId":{id},"version":{version},"processDefinitionKey":{key}"#),
            process_of_variable: format!(r#","bpmnProcessId":{id},"processDefinitionKey":{key}"#),
            elements: number_calls(
                elements,
                elements.iter().map(|element| ElementModel::of(process, element)),
            ),
            unknown_element: ElementModel::new(process, "", "UNSPECIFIED", "UNSPECIFIED", "{}"),
        }
    }

    fn element(&self, number: ElementNumber) -> &ElementModel {
        self.elements.get(number.0 as usize).unwrap_or(&self.unknown_element)
    }

    /// Process id, version and definition key.
    pub(super) fn process(&self, object: &mut Object<'_>) {
        object.members(&self.process);
    }

    /// Process id and definition key.
    pub(super) fn process_of_variable(&self, object: &mut Object<'_>) {
        object.members(&self.process_of_variable);
    }

    /// All of an element instance that its definition knows, in a process that nobody called.
    pub(super) fn uncalled(&self, number: ElementNumber, object: &mut Object<'_>) {
        object.members(&self.element(number).uncalled);
    }

    /// All of an element instance that its definition knows, but for the calls that led to it.
    pub(super) fn called(&self, number: ElementNumber, object: &mut Object<'_>) {
        object.members(&self.element(number).called);
    }

    /// The place of a call activity among those of its process, sorted by id.
    pub(super) fn place_among_calls(&self, number: ElementNumber) -> u64 {
        self.element(number).place_among_calls
    }

    /// All of a job that its definition knows.
    pub(super) fn job(&self, number: ElementNumber, object: &mut Object<'_>) {
        object.members(&self.element(number).job);
    }

    pub(super) fn element_id(&self, name: &'static str, number: ElementNumber, object: &mut Object<'_>) {
        object.raw(name, &self.element(number).id);
    }
}

/// What all elements of a definition have in common.
struct Process {
    /// The process id as a JSON string.
    id: String,
    version: i64,
    key: ProcessDefinitionKey,
}

impl Process {
    fn key_or_unset(&self) -> i64 {
        if self.key.is_unset() { -1 } else { self.key.raw().cast_signed() }
    }
}

impl ElementModel {
    fn of(process: &Process, element: &Element) -> Self {
        let headers = element.kind.job().map_or("{}", |job| &*job.headers_json);
        Self::new(process, &element.id, element.kind.element_type(), element.kind.event_type(), headers)
    }

    fn new(process: &Process, id: &str, element_type: &str, event_type: &str, headers: &str) -> Self {
        let Process { id: process_id, version, .. } = process;
        let id = quoted(id);
        let key = process.key_or_unset();
        let path = if process.key.is_unset() { String::new() } else { key.to_string() };
        let of_process =
            format!(r#""bpmnProcessId":{process_id},"version":{version},"processDefinitionKey":{key}"#);
        let of_element =
            format!(r#""elementId":{id},"bpmnElementType":"{element_type}","bpmnEventType":"{event_type}""#);
        let called = format!(r#",{of_process},{of_element},"tags":[]"#);
        // Nobody called the process.
        let calls = r#""parentProcessInstanceKey":-1,"parentElementInstanceKey":-1,"callingElementPath":[]"#;
        let uncalled =
            format!(r#",{of_process},{of_element},{calls},"processDefinitionPath":[{path}],"tags":[]"#);
        // Every job is that of an element: there are no listeners.
        let kind = r#""jobKind":"BPMN_ELEMENT","jobListenerEventType":"UNSPECIFIED""#;
        let job = format!(
            r#","bpmnProcessId":{process_id},"processDefinitionVersion":{version},"processDefinitionKey":{key},"elementId":{id},"elementType":"{element_type}","customHeaders":{headers},{kind},"changedAttributes":[],"tags":[]"#
        );
        Self { id, uncalled, called, place_among_calls: 0, job }
    }
}

/// Gives call activities their places.
fn number_calls(elements: &[Element], models: impl Iterator<Item = ElementModel>) -> Box<[ElementModel]> {
    let mut models: Box<[ElementModel]> = models.collect();
    let mut calls: Vec<(&str, usize)> = elements
        .iter()
        .enumerate()
        .filter(|(_, element)| matches!(element.kind, Kind::CallActivity(_)))
        .map(|(index, element)| (&*element.id, index))
        .collect();
    calls.sort_unstable();
    for (place, (_, index)) in (0..).zip(calls) {
        models[index].place_among_calls = place;
    }
    models
}

fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    json::string(text, &mut out);
    String::from_utf8(out).expect("JSON of a string is one")
}

/// The owner.
pub(super) fn tenant(object: &mut Object<'_>, tenant: Tenant) {
    if tenant == Tenant::DEFAULT {
        object.members(r#","tenantId":"<default>""#);
    } else {
        object.text(name!("tenantId"), &tenant.raw().to_string());
    }
}
