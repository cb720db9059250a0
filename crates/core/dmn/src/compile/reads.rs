//! Variables that a boxed expression reads.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::graph::{Logic, Node};
use crate::table::{InputCell, OutputCell, Table};

/// All names that expressions in a node read from outside of themselves, each once.
pub(super) fn of(node: &Node) -> Box<[Arc<str>]> {
    let mut found = BTreeSet::new();
    visit(node, &mut found);
    found.into_iter().map(Arc::from).collect()
}

fn visit<'n>(node: &'n Node, found: &mut BTreeSet<&'n str>) {
    match &node.logic {
        Logic::Literal(expression) => found.extend(expression.variables()),
        Logic::Broken(_) => (),
        Logic::Table(table) => visit_table(table, found),
        Logic::Context(context) => {
            context.values.iter().chain(&context.result).for_each(|node| visit(node, found));
        }
        Logic::List(items) => items.iter().for_each(|node| visit(node, found)),
        Logic::Relation(relation) => relation.rows.iter().flatten().for_each(|node| visit(node, found)),
        Logic::Conditional(parts) => parts.iter().for_each(|node| visit(node, found)),
        Logic::For(iterator) | Logic::Some(iterator) | Logic::Every(iterator) => {
            visit(&iterator.domain, found);
            visit(&iterator.body, found);
        }
        Logic::Filter(parts) => parts.iter().for_each(|node| visit(node, found)),
        Logic::Function(function) => visit(&function.body, found),
        Logic::Invocation(invocation) => {
            visit(&invocation.callee, found);
            invocation.arguments.iter().for_each(|(node, _)| visit(node, found));
        }
    }
}

fn visit_table<'n>(table: &'n Table, found: &mut BTreeSet<&'n str>) {
    table.inputs.iter().for_each(|column| visit(&column.expression, found));
    for rule in &table.rules {
        for cell in &rule.inputs {
            if let InputCell::Tests(tests) = cell {
                found.extend(tests.variables());
            }
        }
    }
    let defaults = table.outputs.iter().filter_map(|column| column.default.as_ref());
    for cell in table.rules.iter().flat_map(|rule| &rule.outputs).chain(defaults) {
        if let OutputCell::Expression(expression) = cell {
            found.extend(expression.variables());
        }
    }
}
