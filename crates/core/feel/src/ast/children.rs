//! What stands directly inside of a node.

use super::{Arguments, Kind, Node, StepKind, Test};

impl Node {
    /// Visits the nodes directly inside of this one, in the order in which they were written.
    pub(crate) fn each_child<'n>(&'n self, visit: &mut dyn FnMut(&'n Self)) {
        match &self.kind {
            Kind::Constant(_) | Kind::Local(_) | Kind::Item(_) | Kind::Free(_) => (),
            Kind::Filtered(filtered) => visit(&filtered.otherwise),
            Kind::Or(nodes) | Kind::And(nodes) | Kind::List(nodes) => nodes.iter().for_each(visit),
            Kind::Negate(node) => visit(node),
            Kind::Compare(_, nodes) => {
                visit(&nodes.0);
                visit(&nodes.1);
            }
            Kind::Arithmetic(chain) => {
                visit(&chain.first);
                chain.rest.iter().for_each(|(_, node)| visit(node));
            }
            Kind::Between(nodes) | Kind::If(nodes) => nodes.iter().for_each(visit),
            Kind::In(test) => {
                visit(&test.input);
                each_of_tests(&test.tests, visit);
            }
            Kind::InstanceOf(parts) => visit(&parts.0),
            Kind::For(expression) => {
                each_of_iterations(&expression.iterations, visit);
                visit(&expression.body);
            }
            Kind::Quantified(expression) => {
                each_of_iterations(&expression.iterations, visit);
                visit(&expression.condition);
            }
            Kind::Path(path) => {
                visit(&path.base);
                path.steps.iter().for_each(|step| match &step.kind {
                    StepKind::Field(_) => (),
                    StepKind::Method(_, arguments) | StepKind::Call(arguments) => {
                        each_of_arguments(arguments, visit);
                    }
                    StepKind::Filter { predicate, .. } => visit(predicate),
                });
            }
            Kind::Call(call) => each_of_arguments(&call.arguments, visit),
            Kind::Context(entries) => entries.iter().for_each(|entry| visit(&entry.value)),
            Kind::Range(range) => {
                visit(&range.start);
                visit(&range.end);
            }
            Kind::Function(literal) => visit(&literal.body),
            Kind::Tests(tests, _) => each_of_tests(tests, visit),
        }
    }
}

fn each_of_arguments<'n>(arguments: &'n Arguments, visit: &mut dyn FnMut(&'n Node)) {
    arguments.values.iter().for_each(visit);
}

fn each_of_iterations<'n>(iterations: &'n [super::Iteration], visit: &mut dyn FnMut(&'n Node)) {
    for iteration in iterations {
        visit(&iteration.domain);
        iteration.end.iter().for_each(&mut *visit);
    }
}

/// Tests inside of `not(…)` nest only as deep as a source may.
fn each_of_tests<'n>(tests: &'n [Test], visit: &mut dyn FnMut(&'n Node)) {
    for test in tests {
        match test {
            Test::Any => (),
            Test::Not(tests) => each_of_tests(tests, visit),
            Test::Compare(_, node) | Test::Value(node, _) => visit(node),
        }
    }
}
