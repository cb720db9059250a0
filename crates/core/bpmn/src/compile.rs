//! From the tree of a document to its executable processes.

use std::sync::Arc;

use coreto_xml::NodeId;

use crate::check;
use crate::diagnostic::{Code, Report};
use crate::element::{self, Body, MultiInstance, Trigger, boolean};
use crate::extension::{self, IoMapping};
use crate::ids::Ids;
use crate::model::{Element, ElementNumber, Kind, Process, Resource};
use crate::tree::Tree;
use crate::vocabulary::{self, Role, Tag};

/// A flow element on its way into the graph.
pub(crate) struct Draft<'t> {
    pub(crate) node: NodeId,
    pub(crate) tag: Tag,
    /// Empty when the model gives none, which is reported.
    pub(crate) id: &'t str,
    /// Index of the draft that it stands in; the process stands in itself.
    pub(crate) scope: u32,
    /// Indices of flows, in document order.
    pub(crate) incoming: Vec<u32>,
    pub(crate) outgoing: Vec<u32>,
    /// Source and target of a flow.
    pub(crate) ends: Option<(u32, u32)>,
    /// Whether something in it was wrong or not built, which is reported.
    pub(crate) is_refused: bool,
}

/// All flow elements of one process in document order, the process first.
pub(crate) struct Drafts<'t> {
    pub(crate) all: Vec<Draft<'t>>,
    pub(crate) ids: &'t Ids<'t>,
}

impl Drafts<'_> {
    /// The draft that was made of a node.
    pub(crate) fn index_of(&self, node: NodeId) -> Option<u32> {
        let found = self.all.binary_search_by_key(&node, |draft| draft.node);
        found.ok().map(number)
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a process has no more elements than its text has bytes")
}

/// Compiles all executable processes; `None` when something is wrong, which is reported.
pub(crate) fn resource(tree: &Tree<'_>, report: &mut Report) -> Option<Resource> {
    let ids = Ids::of(tree, report);
    let mut resource = Resource { processes: Vec::new(), skipped: Vec::new() };
    let mut executable = 0;
    let mut first = None;
    for node in tree.children(Tree::ROOT).filter(|node| tree.is_bpmn(*node)) {
        let local = tree.local(node);
        if !vocabulary::is_root_element(local) {
            let message = format!("`{local}` is not an element that may stand in `definitions`");
            report.rule(Code::UnknownElement, tree.place(node), message);
        }
        if local != "process" {
            continue;
        }
        first = first.or(Some(node));
        if boolean(tree, node, "isExecutable", report) == Some(true) {
            executable += 1;
            resource.processes.extend(process(tree, node, &ids, report));
        } else {
            resource.skipped.extend(tree.attribute(node, "id").map(Arc::from));
        }
    }
    if executable == 0 {
        let place = tree.place(first.unwrap_or(Tree::ROOT));
        report
            .error(Code::NoExecutableProcess, place, "no process of the resource is executable")
            .help("set `isExecutable=\"true\"` on the process");
    }
    (!report.has_errors()).then_some(resource)
}

fn process(tree: &Tree<'_>, node: NodeId, ids: &Ids<'_>, report: &mut Report) -> Option<Process> {
    let mut drafts = collect(tree, node, ids, report);
    connect(tree, &mut drafts, report);
    extension::judge(tree, node, Tag::Process, report);
    let version_tag = element::version_tag(tree, node, report);
    let bodies: Vec<Option<Content>> =
        drafts.all.iter().map(|draft| content(tree, &drafts, draft, report)).collect();
    for (draft, body) in drafts.all.iter_mut().zip(&bodies) {
        draft.is_refused = body.is_none();
    }
    if report.checks_rules() {
        check::process(tree, &drafts, report);
    }
    if report.has_errors() {
        return None;
    }
    let mut elements = elements(tree, &drafts.all, bodies)?;
    link(tree, &drafts, &mut elements);
    Some(Process {
        id: elements[0].id.clone(),
        name: elements[0].name.clone(),
        version_tag,
        none_start: none_start(&elements),
        event_starts: event_starts(&elements),
        by_id: by_id(&elements[..drafts.all.len()]),
        elements,
    })
}

/// All flow elements in the process, those inside subprocesses too.
fn collect<'t>(tree: &'t Tree<'_>, process: NodeId, ids: &'t Ids<'t>, report: &mut Report) -> Drafts<'t> {
    let mut all = vec![draft(tree, process, Tag::Process, 0, report)];
    let mut scopes: Vec<(NodeId, u32)> = vec![(tree.end(process), 0)];
    let mut at = process.next();
    // Bound: every turn moves `at` forward.
    while at < tree.end(process) {
        while scopes.last().is_some_and(|(end, _)| *end <= at) {
            scopes.pop();
        }
        let scope = scopes.last().map_or(0, |(_, scope)| *scope);
        let node = at;
        at = tree.end(node);
        if !tree.is_bpmn(node) {
            continue;
        }
        match vocabulary::role(tree.local(node)) {
            Role::Flow(tag) => {
                if tag.is_scope() {
                    scopes.push((tree.end(node), number(all.len())));
                    at = node.next();
                }
                all.push(draft(tree, node, tag, scope, report));
            }
            Role::Passive | Role::Marker => (),
            Role::Foreign => {
                let message = format!("`{}` is not an element that may stand here", tree.local(node));
                report.rule(Code::UnknownElement, tree.place(node), message);
            }
        }
    }
    Drafts { all, ids }
}

fn draft<'t>(tree: &'t Tree<'_>, node: NodeId, tag: Tag, scope: u32, report: &mut Report) -> Draft<'t> {
    let id = tree.attribute(node, "id").unwrap_or_default();
    if id.is_empty() {
        let message = format!("the {} has no `id`", tag.noun());
        report.error(Code::MissingId, tree.place(node), message);
    }
    Draft { node, tag, id, scope, incoming: Vec::new(), outgoing: Vec::new(), ends: None, is_refused: false }
}

fn connect(tree: &Tree<'_>, drafts: &mut Drafts<'_>, report: &mut Report) {
    for index in 0..drafts.all.len() {
        if drafts.all[index].tag != Tag::SequenceFlow {
            continue;
        }
        let Some((source, target)) = element::ends(tree, drafts.all[index].node, drafts, report) else {
            continue;
        };
        drafts.all[index].ends = Some((source, target));
        drafts.all[source as usize].outgoing.push(number(index));
        drafts.all[target as usize].incoming.push(number(index));
    }
}

fn body(tree: &Tree<'_>, drafts: &Drafts<'_>, draft: &Draft<'_>, report: &mut Report) -> Option<Body> {
    let kind = match draft.tag {
        Tag::Process => Kind::Process,
        Tag::SequenceFlow => {
            extension::judge(tree, draft.node, draft.tag, report);
            let condition = element::condition(tree, draft.node, report).map(Box::new);
            let (source, target) = draft.ends?;
            Kind::SequenceFlow { source: ElementNumber(source), target: ElementNumber(target), condition }
        }
        _ => return element::compile(tree, drafts, draft, report),
    };
    Some(Body { kind, mapping: IoMapping::default() })
}

/// What an element is, and how often.
struct Content {
    body: Body,
    repeated: Option<MultiInstance>,
}

fn content(tree: &Tree<'_>, drafts: &Drafts<'_>, draft: &Draft<'_>, report: &mut Report) -> Option<Content> {
    let body = body(tree, drafts, draft, report);
    let repeated = element::repeated(tree, draft, report);
    Some(Content { body: body?, repeated: repeated.ok()? })
}

/// All elements, and behind them what is repeated.
fn elements(tree: &Tree<'_>, drafts: &[Draft<'_>], contents: Vec<Option<Content>>) -> Option<Box<[Element]>> {
    let (mut elements, mut repeated) = (Vec::with_capacity(drafts.len()), Vec::new());
    for (draft, content) in drafts.iter().zip(contents) {
        let Content { body, repeated: repetition } = content?;
        let element = finish(tree, draft, body);
        elements.push(match repetition {
            None => element,
            Some(repetition) => {
                let inner = ElementNumber(number(drafts.len() + repeated.len()));
                let scope = ElementNumber(number(elements.len()));
                let (around, activity) = wrap(element, MultiInstance { inner, ..repetition }, scope);
                repeated.push(activity);
                around
            }
        });
    }
    // What stands in an activity that is repeated, stands in each repetition.
    for index in 0..elements.len() {
        let scope: ElementNumber = elements[index].scope;
        if let Kind::MultiInstance(around) = &elements[scope.index()].kind {
            elements[index].scope = around.inner;
        }
    }
    elements.append(&mut repeated);
    Some(elements.into())
}

/// An activity apart from what repeats it: flows lead to and from what is around, which may be left by boundary events.
fn wrap(activity: Element, repetition: MultiInstance, scope: ElementNumber) -> (Element, Element) {
    let around = Element {
        kind: Kind::MultiInstance(Box::new(repetition)),
        inputs: None,
        outputs: None,
        ..activity.clone()
    };
    let inner = Element { scope, incoming: Box::default(), outgoing: Box::default(), ..activity };
    (around, inner)
}

fn finish(tree: &Tree<'_>, draft: &Draft<'_>, body: Body) -> Element {
    let numbers = |flows: &[u32]| flows.iter().map(|flow| ElementNumber(*flow)).collect();
    Element {
        id: draft.id.into(),
        name: tree.attribute(draft.node, "name").filter(|name| !name.is_empty()).map(Into::into),
        kind: body.kind,
        scope: ElementNumber(draft.scope),
        incoming: numbers(&draft.incoming),
        outgoing: numbers(&draft.outgoing),
        boundary_events: Box::default(),
        event_subprocesses: Box::default(),
        awaited: Box::default(),
        inputs: body.mapping.inputs,
        outputs: body.mapping.outputs,
    }
}

/// Tells scopes where they begin, and activities and scopes what may happen in them.
fn link(tree: &Tree<'_>, drafts: &Drafts<'_>, elements: &mut [Element]) {
    let (mut attached, mut inside) = (Vec::new(), Vec::new());
    for index in 0..elements.len() {
        let at = ElementNumber(number(index));
        let scope = elements[index].scope;
        match &elements[index].kind {
            Kind::BoundaryEvent(event) => attached.push((event.host, at)),
            Kind::EventSubProcess { .. } => inside.push((scope, at)),
            Kind::StartEvent(_) => match &mut elements[scope.index()].kind {
                Kind::SubProcess { start } => *start = Some(at),
                Kind::EventSubProcess { start, interrupting } => {
                    *interrupting = element::interrupts(tree, &drafts.all[index]);
                    *start = Some(at);
                }
                _ => (),
            },
            _ => (),
        }
    }
    distribute(attached, |owner, numbers| elements[owner.index()].boundary_events = numbers);
    distribute(inside, |owner, numbers| elements[owner.index()].event_subprocesses = numbers);
    for index in 0..elements.len() {
        elements[index].awaited = awaited(elements, &elements[index]);
    }
}

/// What an element waits for while it is active: event subprocesses come before boundary events.
fn awaited(elements: &[Element], owner: &Element) -> Box<[ElementNumber]> {
    if let Kind::EventBasedGateway = owner.kind {
        let target = |flow: &ElementNumber| match elements[flow.index()].kind {
            Kind::SequenceFlow { target, .. } => Some(target),
            _ => None,
        };
        return owner.outgoing.iter().filter_map(target).collect();
    }
    let starts = owner.event_subprocesses.iter().filter_map(|number| elements[number.index()].kind.start());
    let waits = |event: &ElementNumber| {
        elements[event.index()].kind.trigger().is_some_and(|trigger| !matches!(trigger, Trigger::Error(_)))
    };
    starts.chain(owner.boundary_events.iter().copied()).filter(waits).collect()
}

/// Gives every owner what belongs to it, in document order.
fn distribute(
    mut owned: Vec<(ElementNumber, ElementNumber)>,
    mut give: impl FnMut(ElementNumber, Box<[ElementNumber]>),
) {
    owned.sort_unstable();
    for group in owned.chunk_by(|a, b| a.0 == b.0) {
        give(group[0].0, group.iter().map(|(_, number)| *number).collect());
    }
}

fn none_start(elements: &[Element]) -> Option<ElementNumber> {
    let is_none_start = |element: &Element| {
        element.scope == ElementNumber::PROCESS
            && matches!(element.kind, Kind::StartEvent(element::StartEvent::None))
    };
    elements.iter().position(is_none_start).map(|index| ElementNumber(number(index)))
}

/// Start events of the process itself that wait for something.
fn event_starts(elements: &[Element]) -> Box<[ElementNumber]> {
    let waits = |element: &Element| {
        element.scope == ElementNumber::PROCESS
            && matches!(element.kind, Kind::StartEvent(element::StartEvent::On(_)))
    };
    let found = elements.iter().enumerate().filter(|(_, element)| waits(element));
    found.map(|(index, _)| ElementNumber(number(index))).collect()
}

fn by_id(elements: &[Element]) -> Box<[ElementNumber]> {
    let mut numbers: Box<[ElementNumber]> = (0..number(elements.len())).map(ElementNumber).collect();
    numbers.sort_unstable_by(|a, b| elements[a.index()].id.cmp(&elements[b.index()].id));
    numbers
}
