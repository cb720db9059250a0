//! From the tree of a document to what is evaluated.

mod cycle;
mod expression;
mod import;
mod logic;
mod names;
mod reads;
mod requirement;
mod table;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coreto_feel::{Dialect, Text};
use coreto_xml::NodeId;

use crate::diagnostic::{Code, Report};
use crate::graph::{
    Decision, Element, Graph, Import, Input, Knowledge, Logic, Node, Required, Service, Target,
};
use crate::library::Missing;
use crate::model::Options;
use crate::tree::{Space, Tree};
use crate::types::{ItemDefinition, Type};

use names::Names;

type Find<'f> = dyn Fn(&str) -> Result<Arc<Graph>, Missing> + 'f;

/// What compiling needs at every place.
pub(crate) struct Compiler<'c, 'a> {
    tree: &'c Tree<'a>,
    options: &'c Options<'c>,
    report: &'c mut Report,
    /// The model of a namespace.
    find: &'c Find<'c>,
    imports: Vec<Import>,
    /// Namespaces of imports that found no model; what refers to them is not reported, too.
    missing: BTreeSet<&'c str>,
    namespace: &'c str,
    /// Elements of the requirements graph, and their nodes, by identifier.
    elements: BTreeMap<&'c str, Element>,
    inputs: Vec<NodeId>,
    decisions: Vec<NodeId>,
    knowledge: Vec<NodeId>,
    services: Vec<NodeId>,
    types: BTreeMap<&'c str, usize>,
    definitions: Box<[ItemDefinition]>,
    names: Names,
    /// Whether expressions are in FEEL where nothing else is said.
    is_feel: bool,
}

/// Compiles the whole document; `None` when something is wrong, which is reported.
pub(crate) fn graph(
    tree: &Tree<'_>,
    options: &Options<'_>,
    find: &Find<'_>,
    report: &mut Report,
) -> Option<Graph> {
    let root = Tree::ROOT;
    let mut compiler = Compiler {
        tree,
        options,
        report,
        find,
        imports: Vec::new(),
        missing: BTreeSet::new(),
        namespace: tree.filled(root, "namespace").unwrap_or_default(),
        elements: BTreeMap::new(),
        inputs: Vec::new(),
        decisions: Vec::new(),
        knowledge: Vec::new(),
        services: Vec::new(),
        types: BTreeMap::new(),
        definitions: Box::default(),
        names: Names::new(options.dialect, options.limits.lookups_max),
        is_feel: expression::is_feel(tree.filled(root, "expressionLanguage")),
    };
    compiler.imports();
    compiler.index();
    compiler.definitions = compiler.item_definitions();
    let inputs = compiler.each(Compiler::input, |compiler| &compiler.inputs);
    let decisions = compiler.each(Compiler::decision, |compiler| &compiler.decisions);
    let knowledge = compiler.each(Compiler::knowledge, |compiler| &compiler.knowledge);
    let services = compiler.each(Compiler::service, |compiler| &compiler.services);
    compiler.refuse_cycles(&decisions);
    let mut by_id: Box<[usize]> = (0..decisions.len()).collect();
    by_id.sort_by(|left, right| decisions[*left].id.cmp(&decisions[*right].id));
    let graph = Graph {
        dialect: options.dialect,
        id: tree.filled(root, "id").map(Arc::from),
        name: tree.filled(root, "name").unwrap_or_default().into(),
        namespace: compiler.namespace.into(),
        import_depth: compiler.imports.iter().map(|import| import.graph.import_depth + 1).max().unwrap_or(0),
        imports: compiler.imports.into(),
        types: compiler.definitions,
        inputs,
        decisions,
        by_id,
        elements: compiler.elements.iter().map(|(id, element)| ((*id).into(), *element)).collect(),
        knowledge,
        services,
    };
    (!compiler.report.has_errors()).then_some(graph)
}

impl Compiler<'_, '_> {
    /// Finds the elements of the requirements graph and the types.
    fn index(&mut self) {
        let tree = self.tree;
        for node in tree.parts(Tree::ROOT) {
            let (all, element): (&mut Vec<NodeId>, fn(usize) -> Element) = match tree.local(node) {
                "inputData" => (&mut self.inputs, Element::Input),
                "decision" => (&mut self.decisions, Element::Decision),
                "businessKnowledgeModel" => (&mut self.knowledge, Element::Knowledge),
                "decisionService" => (&mut self.services, Element::Service),
                _ => continue,
            };
            let element = element(all.len());
            all.push(node);
            // Camunda 8 knows decisions by their identifiers, the standard by their names.
            let is_strict = self.options.dialect == Dialect::Camunda && tree.local(node) == "decision";
            let name = tree.filled(node, "name").filter(|_| !is_strict);
            let Some(id) = tree.filled(node, "id").or(name) else {
                let message = format!("the `{}` has no `id`", tree.local(node));
                self.report.error(Code::MissingId, tree.place(node), message);
                continue;
            };
            if self.elements.insert(id, element).is_some() {
                let message = format!("`{id}` is the `id` of an earlier element too");
                self.report.error(Code::DuplicateId, tree.place(node), message);
            }
        }
    }

    fn each<T>(&mut self, compile: fn(&mut Self, NodeId) -> T, nodes: fn(&Self) -> &Vec<NodeId>) -> Box<[T]> {
        let nodes = nodes(self).clone();
        nodes.into_iter().map(|node| compile(self, node)).collect()
    }

    fn id(&self, node: NodeId) -> Option<Arc<str>> {
        self.tree.filled(node, "id").map(Arc::from)
    }

    /// What an element is called in expressions: by the name of its variable, else by its own.
    fn variable(&self, node: NodeId) -> Text {
        let variable =
            self.tree.one(node, "variable").and_then(|variable| self.tree.filled(variable, "name"));
        one_blank(variable.or_else(|| self.tree.filled(node, "name")).unwrap_or_default())
    }

    fn input(&mut self, node: NodeId) -> Input {
        Input { id: self.id(node), name: self.variable(node), kind: self.variable_type(node) }
    }

    fn decision(&mut self, node: NodeId) -> Decision {
        let tree = self.tree;
        let kind = self.variable_type(node);
        let requirements = self.requirements(node);
        let mark = self.names.mark();
        for name in requirements.names.iter() {
            self.names.push(name);
        }
        let logic = self.logic_in(node);
        self.names.forget(mark);
        if logic.is_none() && self.is_camunda() {
            self.report.error(Code::MissingLogic, tree.place(node), "the decision has no logic");
        }
        let gives_function = matches!(logic, Some(Node { logic: Logic::Function(_), .. }));
        let kind = if gives_function { Type::Any } else { kind };
        let name = tree.filled(node, "name").unwrap_or_default();
        Decision {
            id: tree.filled(node, "id").unwrap_or(name).into(),
            name: name.into(),
            variable: self.variable(node),
            version_tag: self.version_tag(node),
            kind,
            requirements,
            logic,
        }
    }

    fn knowledge(&mut self, node: NodeId) -> Knowledge {
        let kind = self.variable_type(node);
        let name = self.variable(node);
        let mut requirements = self.requirements(node);
        let mark = self.names.mark();
        self.names.push(&name);
        for name in requirements.names.iter() {
            self.names.push(name);
        }
        let function = self.tree.one(node, "encapsulatedLogic").and_then(|logic| self.function(logic));
        self.names.forget(mark);
        // It may call itself without saying that it requires itself.
        let calls_itself = function.iter().any(|function| function.reads.iter().any(|read| **read == *name));
        if calls_itself && !requirements.names.contains(&name) {
            let at = self.knowledge.iter().position(|known| *known == node).unwrap_or_default();
            let itself = Target { import: None, element: Element::Knowledge(at) };
            requirements = requirements.with(name.clone(), Required::One(itself));
        }
        Knowledge { id: self.id(node), name, kind, requirements, function }
    }

    fn service(&mut self, node: NodeId) -> Service {
        let (parameters, given) = self.service_parameters(node);
        Service {
            id: self.id(node),
            name: self.variable(node),
            kind: self.variable_type(node),
            names: parameters.iter().map(|parameter| parameter.name.clone()).collect(),
            parameters,
            given,
            outputs: self.service_outputs(node),
        }
    }

    fn version_tag(&self, node: NodeId) -> Option<Arc<str>> {
        let tree = self.tree;
        let extensions = tree.all(node, "extensionElements").flat_map(|all| tree.children(all));
        let mut tags =
            extensions.filter(|tag| tree.space(*tag) == Space::Zeebe && tree.local(*tag) == "versionTag");
        let zeebe = tags.next().and_then(|tag| tree.filled(tag, "value"));
        let tag = zeebe.or_else(|| tree.attribute_of(node, Space::Camunda, "versionTag"));
        tag.map(Arc::from)
    }

    fn is_camunda(&self) -> bool {
        self.options.dialect == Dialect::Camunda
    }
}

/// A name with single blanks between its words.
fn one_blank(name: &str) -> Text {
    let mut words = name.split_whitespace();
    let first = words.next().unwrap_or_default();
    Text::from(words.fold(first.to_owned(), |name, word| name + " " + word))
}
