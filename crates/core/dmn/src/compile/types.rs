//! Item definitions and references to them.

use coreto_feel::{Dialect, Text, UnaryTests};
use coreto_xml::NodeId;

use super::{Compiler, one_blank};
use crate::diagnostic::Code;
use crate::tree::Tree;
use crate::types::{Item, ItemDefinition, Shape, Type, built_in};

impl Compiler<'_, '_> {
    /// All named types. In Camunda's dialect there are none, since nothing there looks at types.
    pub(super) fn item_definitions(&mut self) -> Box<[ItemDefinition]> {
        let tree = self.tree;
        if self.options.dialect == Dialect::Camunda {
            return Box::default();
        }
        let nodes: Vec<NodeId> = tree.all(Tree::ROOT, "itemDefinition").collect();
        for (at, node) in nodes.iter().enumerate() {
            match tree.filled(*node, "name") {
                Some(name) => {
                    self.types.insert(name, at);
                }
                None => {
                    self.report.error(
                        Code::MissingName,
                        tree.place(*node),
                        "the item definition has no `name`",
                    );
                }
            }
        }
        let definitions: Box<[ItemDefinition]> = nodes
            .iter()
            .map(|node| ItemDefinition { name: self.name_of(*node), body: self.item(*node) })
            .collect();
        self.refuse_type_cycles(&nodes, &definitions);
        definitions
    }

    fn name_of(&self, node: NodeId) -> Text {
        one_blank(self.tree.filled(node, "name").unwrap_or_default())
    }

    fn item(&mut self, node: NodeId) -> Item {
        let tree = self.tree;
        let components: Vec<NodeId> = tree.all(node, "itemComponent").collect();
        let shape = if let Some(function) = tree.one(node, "functionItem") {
            let parameters = tree.all(function, "parameters").count();
            Shape::Function(parameters, self.type_ref(function, tree.filled(function, "outputTypeRef")))
        } else if components.is_empty() {
            Shape::Reference(self.type_ref(node, tree.text_of(node, "typeRef")))
        } else {
            let component = |component: &NodeId| {
                let name = self.name_of(*component);
                self.names.add_for_all(&name);
                (name, self.item(*component))
            };
            Shape::Components(components.iter().map(component).collect())
        };
        let allowed = self.item_tests(node, "allowedValues");
        let constraint = self.item_tests(node, "typeConstraint");
        Item { shape, is_collection: tree.flag(node, "isCollection"), allowed, constraint }
    }

    fn item_tests(&mut self, node: NodeId, part: &'static str) -> Option<UnaryTests> {
        let part = self.tree.one(node, part)?;
        let text = self.tree.text_of(part, "text").filter(|text| !text.is_empty())?;
        self.tests(part, text).ok()
    }

    /// The type of the variable of an element of the graph.
    pub(super) fn variable_type(&mut self, node: NodeId) -> Type {
        match self.tree.one(node, "variable") {
            Some(variable) => self.type_of(variable),
            None => Type::Any,
        }
    }

    /// The type that a node names by its attribute.
    pub(super) fn type_of(&mut self, node: NodeId) -> Type {
        let tree = self.tree;
        // DMN 1.1 has it as an element in some places.
        let name = tree.filled(node, "typeRef").or_else(|| tree.text_of(node, "typeRef"));
        self.type_ref(node, name)
    }

    fn type_ref(&mut self, node: NodeId, name: Option<&str>) -> Type {
        let Some(name) = name else { return Type::Any };
        if self.options.dialect == Dialect::Camunda {
            return Type::Any;
        }
        // In DMN 1.1 it is a qualified name.
        let local = name.rsplit_once(':').map_or(name, |(_, local)| local);
        let found = self.find_type(name).or_else(|| self.find_type(local));
        found.unwrap_or_else(|| {
            let message = format!("type `{name}` is not defined");
            let place = self.tree.place(node);
            if self.options.lenient {
                self.report.warning(Code::UnknownType, place, message);
            } else {
                self.report.error(Code::UnknownType, place, message);
            }
            Type::Any
        })
    }

    fn find_type(&self, name: &str) -> Option<Type> {
        if let Some(at) = self.types.get(name) {
            return Some(Type::Defined(*at));
        }
        let imported = self.imports.iter().enumerate().find_map(|(import, known)| {
            let rest = name.strip_prefix(known.name.as_str())?.strip_prefix('.')?;
            let at = known.graph.types.iter().position(|definition| definition.name.as_str() == rest)?;
            Some(Type::Imported(import, at))
        });
        imported.or_else(|| built_in(name))
    }

    /// Types that are only names of each other, going round.
    fn refuse_type_cycles(&mut self, nodes: &[NodeId], definitions: &[ItemDefinition]) {
        let alias = |at: usize| match &definitions[at].body {
            Item { shape: Shape::Reference(Type::Defined(next)), is_collection: false, .. } => Some(*next),
            _ => None,
        };
        // Each definition is visited once: what leads to a known end is not followed again.
        let mut seen = vec![usize::MAX; definitions.len()];
        for start in 0..definitions.len() {
            let mut at = Some(start);
            while let Some(current) = at {
                if seen[current] == start {
                    let message = format!("type `{}` is defined by itself", definitions[current].name);
                    self.report.error(Code::TypeCycle, self.tree.place(nodes[current]), message);
                    break;
                }
                if seen[current] != usize::MAX {
                    break;
                }
                seen[current] = start;
                at = alias(current);
            }
        }
    }
}
