//! What an element requires: references to others of this model and of imported ones.

use coreto_feel::{Dialect, Text};
use coreto_xml::NodeId;

use super::{Compiler, one_blank};
use crate::diagnostic::Code;
use crate::frame::Names;
use crate::graph::{Element, Parameter, Required, Requirements, Target};
use crate::types::Type;

/// What of an imported model is required, under the names there.
type Imported = Vec<(usize, Vec<(Text, Target)>)>;

impl Compiler<'_, '_> {
    /// All requirements of a decision or knowledge model.
    pub(super) fn requirements(&mut self, node: NodeId) -> Requirements {
        let tree = self.tree;
        let (mut names, mut values): (Vec<Text>, Vec<Required>) = (Vec::new(), Vec::new());
        let mut imported: Imported = Vec::new();
        let required = tree
            .parts(node)
            .filter(|part| matches!(tree.local(*part), "informationRequirement" | "knowledgeRequirement"))
            .flat_map(|part| tree.parts(part))
            .filter(|part| {
                matches!(tree.local(*part), "requiredDecision" | "requiredInput" | "requiredKnowledge")
            });
        for reference in required {
            let Some(target) = self.reference(reference) else { continue };
            let name = self.target_name(target);
            let known = self.names_of(name, target).into_iter();
            match target.import {
                Some(import) => {
                    let known = known.map(|name| (name, target));
                    match imported.iter_mut().find(|(known, _)| *known == import) {
                        Some((_, targets)) => targets.extend(known),
                        None => imported.push((import, known.collect())),
                    }
                }
                None => {
                    for name in known {
                        names.push(name);
                        values.push(Required::One(target));
                    }
                }
            }
        }
        for (import, targets) in imported {
            names.push(self.imports[import].name.clone());
            values.push(Required::Import(targets.into()));
        }
        Requirements { names: Names::new(names), values: values.into() }
    }

    /// The names by which an expression reaches what it requires. Camunda 8 knows decisions and knowledge models by
    /// their identifiers too, and all variables without being told.
    fn names_of(&self, name: Text, target: Target) -> Vec<Text> {
        if self.options.dialect == Dialect::Standard {
            return vec![name];
        }
        let id = match (target.import, target.element) {
            (None, Element::Input(_)) => return Vec::new(),
            (None, element) => Text::from(self.tree.filled(self.node_of(element), "id").unwrap_or_default()),
            (Some(import), element) => self.imports[import].graph.id_of(element),
        };
        if id == name || id.is_empty() { vec![name] } else { vec![name, id] }
    }

    /// The element that a reference leads to; none, which is reported, when there is no such element.
    fn reference(&mut self, node: NodeId) -> Option<Target> {
        let tree = self.tree;
        let href = tree.filled(node, "href").unwrap_or_default();
        let (namespace, id) = href.rsplit_once('#').unwrap_or(("", href));
        let found = if namespace.is_empty() || namespace == self.namespace {
            self.elements.get(id).map(|element| Target { import: None, element: *element })
        } else {
            self.imports.iter().enumerate().find_map(|(import, known)| {
                let element = (&*known.graph.namespace == namespace).then(|| known.graph.element(id))??;
                Some(Target { import: Some(import), element })
            })
        };
        if found.is_some() || self.missing.contains(namespace) {
            return found;
        }
        let message = format!("`{href}` is not in the model");
        // Inputs need not be drawn where every variable is seen anyway.
        if self.options.dialect == Dialect::Camunda && tree.local(node) == "requiredInput" {
            self.report.warning(Code::UnknownReference, tree.place(node), message);
        } else {
            self.report.error(Code::UnknownReference, tree.place(node), message);
        }
        None
    }

    fn target_name(&self, target: Target) -> Text {
        if let Some(import) = target.import {
            return self.imports[import].graph.name_of(target.element);
        }
        self.variable(self.node_of(target.element))
    }

    fn node_of(&self, element: Element) -> NodeId {
        match element {
            Element::Input(at) => self.inputs[at],
            Element::Decision(at) => self.decisions[at],
            Element::Knowledge(at) => self.knowledge[at],
            Element::Service(at) => self.services[at],
        }
    }

    fn target_type(&mut self, target: Target) -> Type {
        let Some(import) = target.import else { return self.variable_type(self.node_of(target.element)) };
        match self.imports[import].graph.type_of(target.element) {
            Type::Defined(at) => Type::Imported(import, at),
            // What the imported model imports itself is looked at there.
            Type::Imported(..) => Type::Any,
            simple => simple,
        }
    }

    /// Parameters of a service in the order of a call, and what stands behind each. DMN 1.5, 10.4.
    pub(super) fn service_parameters(&mut self, node: NodeId) -> (Box<[Parameter]>, Box<[Target]>) {
        let tree = self.tree;
        let mut parameters = Vec::new();
        let mut given = Vec::new();
        for reference in tree.all(node, "inputData").chain(tree.all(node, "inputDecision")) {
            if let Some(target) = self.reference(reference) {
                let name = self.target_name(target);
                parameters.push(Parameter { name, kind: self.target_type(target) });
                given.push(target);
            }
        }
        (parameters.into(), given.into())
    }

    /// The output decisions of a service by name.
    pub(super) fn service_outputs(&mut self, node: NodeId) -> Box<[(Text, Target)]> {
        let tree = self.tree;
        let mut outputs = Vec::new();
        for reference in tree.all(node, "outputDecision") {
            if let Some(target) = self.reference(reference) {
                outputs.push((one_blank(&self.target_name(target)), target));
            }
        }
        outputs.into()
    }
}
