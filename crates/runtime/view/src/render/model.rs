//! What definitions add to records, as JSON that is ready to be copied.

use std::collections::HashMap;
use std::sync::Arc;

use coreto_engine::Definition;
use coreto_machine::Tenant;
use coreto_record::{ElementNumber, Key, ProcessDefinitionKey};

use super::json::{self, Object};
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
    /// The same with the version by the name that jobs have for it.
    process_of_job: String,
    /// The process id as a JSON string.
    id: String,
    elements: Box<[ElementModel]>,
    unknown_element: ElementModel,
}

/// What one element adds to records.
struct ElementModel {
    /// Id, type and event type, as members.
    members: String,
    /// The id as a JSON string.
    id: String,
    /// The `elementType` of its jobs.
    element_type: &'static str,
    /// The `customHeaders` of its jobs.
    headers: Arc<str>,
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
        let elements = match definition.process() {
            Some(process) => process.elements.iter().map(ElementModel::of).collect(),
            None => Box::default(),
        };
        Self::with(quoted(&record.id), i64::from(record.version), record.key, elements)
    }

    /// What is written where the definition is not known.
    pub(super) fn unknown(key: ProcessDefinitionKey) -> Self {
        Self::with(quoted(""), -1, key, Box::default())
    }

    fn with(id: String, version: i64, key: ProcessDefinitionKey, elements: Box<[ElementModel]>) -> Self {
        let key = if key.is_unset() { -1 } else { key.raw().cast_signed() };
        Self {
            process: format!(r#""bpmnProcessId":{id},"version":{version},"processDefinitionKey":{key}"#),
            process_of_job: format!(
                r#""bpmnProcessId":{id},"processDefinitionVersion":{version},"processDefinitionKey":{key}"#
            ),
            id,
            elements,
            unknown_element: ElementModel::new("", "UNSPECIFIED", "UNSPECIFIED", "{}".into()),
        }
    }

    fn element(&self, number: ElementNumber) -> &ElementModel {
        self.elements.get(number.0 as usize).unwrap_or(&self.unknown_element)
    }

    /// Process id, version and definition key, by the names that most value types have for them.
    pub(super) fn process(&self, object: &mut Object<'_>) {
        object.members(&self.process);
    }

    /// Process id, version and definition key, by the names that jobs have for them.
    pub(super) fn process_of_job(&self, object: &mut Object<'_>) {
        object.members(&self.process_of_job);
    }

    pub(super) fn process_id(&self, object: &mut Object<'_>) {
        object.raw("bpmnProcessId", &self.id);
    }

    /// Id, type and event type of an element.
    pub(super) fn element_members(&self, number: ElementNumber, object: &mut Object<'_>) {
        object.members(&self.element(number).members);
    }

    pub(super) fn element_id(&self, name: &'static str, number: ElementNumber, object: &mut Object<'_>) {
        object.raw(name, &self.element(number).id);
    }

    pub(super) fn element_type(&self, number: ElementNumber, object: &mut Object<'_>) {
        object.word("elementType", self.element(number).element_type);
    }

    pub(super) fn headers(&self, number: ElementNumber, object: &mut Object<'_>) {
        object.raw("customHeaders", &self.element(number).headers);
    }
}

impl ElementModel {
    fn of(element: &coreto_bpmn::Element) -> Self {
        let headers = match &element.kind {
            coreto_bpmn::Kind::ServiceTask(job) => Arc::clone(&job.headers_json),
            coreto_bpmn::Kind::Process
            | coreto_bpmn::Kind::StartEvent(_)
            | coreto_bpmn::Kind::EndEvent(_)
            | coreto_bpmn::Kind::Task
            | coreto_bpmn::Kind::ManualTask
            | coreto_bpmn::Kind::SequenceFlow { .. } => "{}".into(),
        };
        Self::new(&element.id, element.kind.element_type(), element.kind.event_type(), headers)
    }

    fn new(id: &str, element_type: &'static str, event_type: &str, headers: Arc<str>) -> Self {
        let id = quoted(id);
        let members =
            format!(r#""elementId":{id},"bpmnElementType":"{element_type}","bpmnEventType":"{event_type}""#);
        Self { members, id, element_type, headers }
    }
}

fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    json::string(text, &mut out);
    String::from_utf8(out).expect("JSON of a string is one")
}

/// The owner.
pub(super) fn tenant(object: &mut Object<'_>, tenant: Tenant) {
    if tenant == Tenant::DEFAULT {
        object.members(r#""tenantId":"<default>""#);
    } else {
        object.text("tenantId", &tenant.raw().to_string());
    }
}
