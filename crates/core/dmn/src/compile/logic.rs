//! Boxed expressions.

use std::sync::Arc;

use coreto_feel::Text;
use coreto_xml::NodeId;

use super::{Compiler, one_blank, reads};
use crate::diagnostic::Code;
use crate::frame::Names;
use crate::graph::{ContextLogic, FunctionLogic, Invocation, Iterator, Logic, Node, Parameter, Relation};
use crate::types::Type;

/// Elements that are boxed expressions.
fn is_expression(local: &str) -> bool {
    matches!(
        local,
        "literalExpression"
            | "decisionTable"
            | "context"
            | "list"
            | "relation"
            | "conditional"
            | "for"
            | "some"
            | "every"
            | "filter"
            | "functionDefinition"
            | "invocation"
    )
}

impl Compiler<'_, '_> {
    /// The boxed expression in a node, if there is one.
    pub(super) fn logic_in(&mut self, node: NodeId) -> Option<Node> {
        let tree = self.tree;
        let expression = tree.parts(node).find(|part| is_expression(tree.local(*part)))?;
        Some(self.node(expression))
    }

    /// The boxed expression that must be in a node.
    fn expected(&mut self, node: NodeId) -> Node {
        self.logic_in(node).unwrap_or_else(|| self.missing(node, "expression that is read"))
    }

    /// The boxed expression in a part of a node.
    fn part(&mut self, node: NodeId, name: &'static str) -> Node {
        match self.tree.one(node, name) {
            Some(part) => self.expected(part),
            None => self.missing(node, &format!("`{name}`")),
        }
    }

    fn missing(&mut self, node: NodeId, what: &str) -> Node {
        let message = format!("the `{}` has no {what}", self.tree.local(node));
        let place = self.tree.place(node);
        if self.options.lenient {
            self.report.warning(Code::MissingLogic, place, message.as_str());
        } else {
            self.report.error(Code::MissingLogic, place, message.as_str());
        }
        Node { logic: Logic::Broken(message.into()), kind: Type::Any }
    }

    fn node(&mut self, node: NodeId) -> Node {
        let kind = self.type_of(node);
        let logic = match self.tree.local(node) {
            "literalExpression" => self.literal(node),
            "decisionTable" => Logic::Table(Box::new(self.table(node))),
            "context" => Logic::Context(Box::new(self.context(node))),
            "list" => Logic::List(self.items(node)),
            "relation" => Logic::Relation(Box::new(self.relation(node))),
            "conditional" => {
                let parts = ["if", "then", "else"].map(|part| self.part(node, part));
                Logic::Conditional(Box::new(parts))
            }
            "for" => Logic::For(Box::new(self.iterator(node, "return"))),
            "some" => Logic::Some(Box::new(self.iterator(node, "satisfies"))),
            "every" => Logic::Every(Box::new(self.iterator(node, "satisfies"))),
            "filter" => {
                let parts = ["in", "match"].map(|part| self.part(node, part));
                Logic::Filter(Box::new(parts))
            }
            "functionDefinition" => match self.function(node) {
                Some(function) => Logic::Function(function),
                None => self.missing(node, "expression that is read").logic,
            },
            _ => Logic::Invocation(Box::new(self.invocation(node))),
        };
        Node { logic, kind }
    }

    pub(super) fn literal(&mut self, node: NodeId) -> Logic {
        let text = self.tree.text_of(node, "text").unwrap_or_default();
        if text.is_empty() {
            return self.missing(node, "text").logic;
        }
        match self.expression(node, text) {
            Ok(expression) => Logic::Literal(expression),
            Err(message) => Logic::Broken(message),
        }
    }

    fn items(&mut self, node: NodeId) -> Box<[Node]> {
        let tree = self.tree;
        let items: Vec<NodeId> = tree.parts(node).filter(|part| is_expression(tree.local(*part))).collect();
        items.into_iter().map(|item| self.node(item)).collect()
    }

    fn context(&mut self, node: NodeId) -> ContextLogic {
        let tree = self.tree;
        let mark = self.names.mark();
        let (mut names, mut values, mut result) = (Vec::new(), Vec::new(), None);
        for entry in tree.all(node, "contextEntry") {
            let mut value = self.expected(entry);
            let Some(variable) = tree.one(entry, "variable") else {
                result = Some(value);
                continue;
            };
            let name = one_blank(tree.filled(variable, "name").unwrap_or_default());
            let kind = self.type_of(variable);
            // Beside a function definition stands the type of what the function gives.
            if !matches!(kind, Type::Any) && !matches!(value.logic, Logic::Function(_)) {
                value.kind = kind;
            }
            self.names.push(&name);
            names.push(name);
            values.push(value);
        }
        self.names.forget(mark);
        ContextLogic { names: Names::new(names), values: values.into(), result }
    }

    fn relation(&mut self, node: NodeId) -> Relation {
        let tree = self.tree;
        let name = |column| one_blank(tree.filled(column, "name").unwrap_or_default());
        let columns: Box<[Text]> = tree.all(node, "column").map(name).collect();
        let mut rows = Vec::new();
        for row in tree.all(node, "row") {
            let cells = self.items(row);
            if cells.len() != columns.len() {
                let message = format!("a row of {} cells under {} columns", cells.len(), columns.len());
                self.report.error(Code::TableShape, tree.place(row), message);
            }
            rows.push(cells);
        }
        Relation { columns, rows: rows.into() }
    }

    fn iterator(&mut self, node: NodeId, body: &'static str) -> Iterator {
        let tree = self.tree;
        let domain = self.part(node, "in");
        let name = one_blank(tree.filled(node, "iteratorVariable").unwrap_or_default());
        let mark = self.names.mark();
        self.names.push(&name);
        let reads_partial = self.mentions(node, "partial");
        let body = self.part(node, body);
        self.names.forget(mark);
        let names = Names::new(vec![name, "partial".into()]);
        Iterator { names, reads_partial, domain, body }
    }

    /// Whether any text in a node contains a word.
    fn mentions(&self, node: NodeId, word: &str) -> bool {
        let mut at = node;
        while at < self.tree.end(node) {
            if self.tree.text(at).contains(word) {
                return true;
            }
            at = at.next();
        }
        false
    }

    /// A function definition, also that of a knowledge model.
    pub(super) fn function(&mut self, node: NodeId) -> Option<Arc<FunctionLogic>> {
        let tree = self.tree;
        let kind = tree.filled(node, "kind").unwrap_or("FEEL");
        let nodes: Vec<NodeId> = tree.all(node, "formalParameter").collect();
        let parameters: Box<[Parameter]> = nodes
            .into_iter()
            .map(|parameter| Parameter {
                name: one_blank(tree.filled(parameter, "name").unwrap_or_default()),
                kind: self.type_of(parameter),
            })
            .collect();
        let names = Names::new(parameters.iter().map(|parameter| parameter.name.clone()).collect());
        let body = if kind.eq_ignore_ascii_case("FEEL") {
            let mark = self.names.mark();
            for name in names.iter() {
                self.names.push(name);
            }
            let body = self.logic_in(node);
            self.names.forget(mark);
            body?
        } else {
            let message = format!("not implemented: a function of kind `{kind}`");
            let place = tree.place(node);
            if self.options.lenient {
                self.report.warning(Code::NotImplemented, place, message.as_str());
            } else {
                self.report.error(Code::NotImplemented, place, message.as_str());
            }
            Node { logic: Logic::Broken(message.into()), kind: Type::Any }
        };
        let reads = reads::of(&body);
        Some(Arc::new(FunctionLogic { parameters, names, reads, body }))
    }

    fn invocation(&mut self, node: NodeId) -> Invocation {
        let tree = self.tree;
        let callee = self.expected(node);
        let (mut names, mut arguments) = (Vec::new(), Vec::new());
        for binding in tree.all(node, "binding") {
            let parameter = tree.one(binding, "parameter");
            let name = parameter.and_then(|parameter| tree.filled(parameter, "name")).unwrap_or_default();
            let kind = parameter.map_or(Type::Any, |parameter| self.type_of(parameter));
            names.push(one_blank(name));
            arguments.push((self.expected(binding), kind));
        }
        Invocation { callee, names: names.into(), arguments: arguments.into() }
    }
}
