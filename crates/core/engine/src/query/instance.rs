//! Process instances.

use std::ops::Bound;
use std::sync::Arc;

use coreto_machine::{Caller, Tenant, Timestamp};
use coreto_record::{
    ElementInstanceKey, Key, Lifecycle, ProcessDefinitionKey, ProcessInstanceKey, VariableKey,
};

use super::incident::IncidentView;
use super::job::JobView;
use super::{Answer, Page, element_id, page, process_of};
use crate::state::{ElementInstance, State};
use crate::variables;

/// Which instances.
#[derive(Clone, Debug, Default)]
pub struct InstanceFilter {
    /// Only instances of this process id.
    pub process: Option<Arc<str>>,
    /// Only those that are being cancelled, or only those that are not.
    pub terminating: Option<bool>,
    /// Only those with incidents, or only those without.
    pub incidents: Option<bool>,
    /// Which part of the list.
    pub page: Page,
}

/// A running process instance.
#[derive(Clone, Debug)]
pub struct InstanceView {
    /// Its key.
    pub key: ProcessInstanceKey,
    /// The process id.
    pub process: Arc<str>,
    /// The definition's version.
    pub version: u32,
    /// The definition.
    pub definition: ProcessDefinitionKey,
    /// The owner.
    pub tenant: Tenant,
    /// Whether it is being cancelled.
    pub terminating: bool,
    /// Its unresolved incidents.
    pub incidents: u32,
    /// When it started.
    pub started: Timestamp,
}

/// A process instance with all that it holds.
#[derive(Clone, Debug)]
pub struct InstanceDetails {
    /// The instance.
    pub instance: InstanceView,
    /// What runs in it, the process itself first.
    pub elements: Vec<ElementView>,
    /// Variables of all scopes.
    pub variables: Vec<VariableView>,
    /// Its jobs.
    pub jobs: Vec<JobView>,
    /// Its unresolved incidents.
    pub incidents: Vec<IncidentView>,
    /// A list was cut.
    pub truncated: bool,
}

/// One visit of one element.
#[derive(Clone, Debug)]
pub struct ElementView {
    /// Its key.
    pub key: ElementInstanceKey,
    /// The scope around it; unset for the process itself.
    pub scope: ElementInstanceKey,
    /// The element's id.
    pub element: Arc<str>,
    /// The element's type, such as `SERVICE_TASK`.
    pub element_type: &'static str,
    /// Where it stands in its life.
    pub state: Lifecycle,
}

/// A variable of one scope.
#[derive(Clone, Debug)]
pub struct VariableView {
    /// Its key.
    pub key: VariableKey,
    /// The scope.
    pub scope: ElementInstanceKey,
    /// Its name.
    pub name: Arc<str>,
    /// Its value as JSON text.
    pub value: Arc<str>,
}

/// Entries of one instance's list.
const LIST_MAX: usize = 1000;

pub(super) fn list(state: &State, caller: &Caller, filter: &InstanceFilter) -> Answer {
    let after = ProcessInstanceKey::from_raw(filter.page.after);
    let entries = state.instances.range((Bound::Excluded(after), Bound::Unbounded)).map(|key| {
        let root = find(state, caller, *key).filter(|root| {
            let definition = state.definitions.peek(&root.definition);
            let is_of = |process: &Arc<str>| definition.is_some_and(|found| found.record.id == *process);
            filter.process.as_ref().is_none_or(is_of)
                && filter.terminating.is_none_or(|ending| ending == (root.state == Lifecycle::Terminating))
        });
        let view = root.map(|root| view(state, *key, root));
        let matches = |view: &InstanceView| filter.incidents.is_none_or(|any| any == (view.incidents > 0));
        (key.raw(), view.filter(matches))
    });
    let (found, next) = page(filter.page, entries);
    Answer::Instances(found, next)
}

/// The root of an instance that the caller may see.
fn find<'a>(state: &'a State, caller: &Caller, key: ProcessInstanceKey) -> Option<&'a ElementInstance> {
    let root = state.elements.peek(&ElementInstanceKey::from(key))?;
    (root.is_root() && caller.sees(root.tenant)).then_some(root)
}

fn view(state: &State, key: ProcessInstanceKey, element: &ElementInstance) -> InstanceView {
    let root = ElementInstanceKey::from(key);
    let (process, version) = process_of(state, element.definition);
    let incidents: usize =
        inside(state, root).into_iter().map(|(key, _)| state.incidents_at(key).count()).sum();
    InstanceView {
        key,
        process,
        version,
        definition: element.definition,
        tenant: element.tenant,
        terminating: element.state == Lifecycle::Terminating,
        incidents: u32::try_from(incidents).unwrap_or(u32::MAX),
        started: element.started,
    }
}

pub(super) fn details(state: &State, caller: &Caller, key: ProcessInstanceKey) -> Option<InstanceDetails> {
    let instance = view(state, key, find(state, caller, key)?);
    let mut details = InstanceDetails {
        instance,
        elements: Vec::new(),
        variables: Vec::new(),
        jobs: Vec::new(),
        incidents: Vec::new(),
        truncated: false,
    };
    for (key, more) in inside(state, ElementInstanceKey::from(key)) {
        add(state, key, &mut details);
        details.truncated |= more;
    }
    Some(details)
}

/// An element instance and all that is in it, scopes before what is in them, without called processes. The last one
/// says whether there are more.
fn inside(state: &State, root: ElementInstanceKey) -> Vec<(ElementInstanceKey, bool)> {
    let (mut open, mut found) = (vec![root], Vec::<(ElementInstanceKey, bool)>::new());
    while let Some(key) = open.pop() {
        if found.len() == LIST_MAX {
            found.last_mut().expect("the list is full").1 = true;
            break;
        }
        found.push((key, false));
        let is_own = |child: &ElementInstanceKey| state.elements.peek(child).is_some_and(|it| !it.is_root());
        let children = state.children_from(key, ElementInstanceKey::default()).take(LIST_MAX);
        let children: Vec<_> = children.filter(is_own).collect();
        open.extend(children.into_iter().rev());
    }
    found
}

fn add(state: &State, key: ElementInstanceKey, details: &mut InstanceDetails) {
    let Some(element) = state.elements.peek(&key) else { return };
    let definition = state.definitions.peek(&element.definition);
    details.elements.push(ElementView {
        key,
        scope: element.scope,
        element: element_id(state, element.definition, element.element),
        element_type: definition
            .and_then(|definition| definition.element(element.element))
            .map_or("UNSPECIFIED", |element| element.kind.element_type()),
        state: element.state,
    });
    let room = LIST_MAX - details.variables.len();
    let variables = variables::all_local(state, key).take(room).map(|(name, variable)| VariableView {
        key: variable.key,
        scope: key,
        name: Arc::clone(name),
        value: Arc::clone(&variable.value),
    });
    details.variables.extend(variables);
    details.truncated |= details.variables.len() == LIST_MAX;
    if !element.job.is_unset() {
        details.jobs.extend(super::job::view(state, element.job));
    }
    details
        .incidents
        .extend(state.incidents_at(key).filter_map(|incident| super::incident::view(state, incident)));
}
