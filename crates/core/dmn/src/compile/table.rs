//! Decision tables.

use coreto_feel::{Budget, Dialect, Env, Expression, Nothing, Text, UnaryTests, Value};
use coreto_xml::NodeId;

use super::{Compiler, one_blank};
use crate::diagnostic::Code;
use crate::frame::Names;
use crate::graph::{Allowed, Logic, Node};
use crate::table::{Aggregator, HitPolicy, InputCell, InputColumn, OutputCell, OutputColumn, Rule, Table};
use crate::tree::Space;
use crate::types::Type;

impl Compiler<'_, '_> {
    pub(super) fn table(&mut self, node: NodeId) -> Table {
        let tree = self.tree;
        let inputs: Vec<NodeId> = tree.all(node, "input").collect();
        let outputs: Vec<NodeId> = tree.all(node, "output").collect();
        if outputs.is_empty() {
            self.report.error(Code::TableShape, tree.place(node), "the decision table has no output");
        }
        let input_names = self.input_names(&inputs);
        let several = outputs.len() > 1;
        let policy = self.policy(node, several);
        let inputs = inputs.into_iter().map(|input| self.input_column(input)).collect::<Box<[_]>>();
        let outputs =
            outputs.into_iter().map(|output| self.output_column(node, output, several)).collect::<Box<[_]>>();
        let rules: Vec<NodeId> = tree.all(node, "rule").collect();
        let mark = self.names.mark();
        for name in input_names.iter().flat_map(|names| names.iter()) {
            self.names.push(name);
        }
        let rules = rules.into_iter().map(|rule| self.rule(rule, inputs.len(), outputs.len())).collect();
        self.names.forget(mark);
        Table { policy, inputs, outputs, rules, input_names }
    }

    /// Names that Camunda's models give to the values of input columns.
    fn input_names(&self, inputs: &[NodeId]) -> Option<Names> {
        let name = |input: &NodeId| self.tree.attribute_of(*input, Space::Camunda, "inputVariable");
        let is_named =
            self.options.dialect == Dialect::Camunda && inputs.iter().any(|input| name(input).is_some());
        let names = || inputs.iter().map(|input| Text::from(name(input).unwrap_or_default())).collect();
        is_named.then(|| Names::new(names()))
    }

    fn policy(&mut self, node: NodeId, several_outputs: bool) -> HitPolicy {
        let tree = self.tree;
        let name = tree.filled(node, "hitPolicy").unwrap_or("UNIQUE");
        let aggregation = tree.filled(node, "aggregation");
        let aggregator = match aggregation {
            None => None,
            Some("SUM") => Some(Aggregator::Sum),
            Some("COUNT") => Some(Aggregator::Count),
            Some("MIN") => Some(Aggregator::Min),
            Some("MAX") => Some(Aggregator::Max),
            Some(other) => {
                let message = format!("DMN has no aggregation `{other}`");
                self.report
                    .error(Code::HitPolicy, tree.place(node), message)
                    .help("use SUM, COUNT, MIN or MAX");
                None
            }
        };
        let policy = match name {
            "UNIQUE" => HitPolicy::Unique,
            "FIRST" => HitPolicy::First,
            "PRIORITY" => HitPolicy::Priority,
            "ANY" => HitPolicy::Any,
            "COLLECT" => HitPolicy::Collect(aggregator),
            "RULE ORDER" => HitPolicy::RuleOrder,
            "OUTPUT ORDER" => HitPolicy::OutputOrder,
            other => {
                let message = format!("DMN has no hit policy `{other}`");
                self.report.error(Code::HitPolicy, tree.place(node), message);
                HitPolicy::Unique
            }
        };
        if aggregator.is_some() && (several_outputs || !matches!(policy, HitPolicy::Collect(_))) {
            let name = policy.name();
            let message = format!(
                "an aggregation with hit policy {name} and {} output",
                if several_outputs { "more than one" } else { "one" }
            );
            self.report
                .error(Code::HitPolicy, tree.place(node), message)
                .help("aggregation needs hit policy COLLECT and one output");
        }
        policy
    }

    fn input_column(&mut self, node: NodeId) -> InputColumn {
        let tree = self.tree;
        let expression = if let Some(expression) = tree.one(node, "inputExpression") {
            self.input_expression(expression)
        } else {
            let message = "the input has no `inputExpression`";
            self.report.error(Code::MissingLogic, tree.place(node), message);
            Node { logic: Logic::Broken(message.into()), kind: Type::Any }
        };
        let text = tree.one(node, "inputExpression").and_then(|expression| tree.text_of(expression, "text"));
        InputColumn {
            id: self.id(node),
            label: tree.filled(node, "label").or(text).unwrap_or_default().into(),
            expression,
            allowed: self.allowed(node, "inputValues"),
        }
    }

    fn input_expression(&mut self, node: NodeId) -> Node {
        let kind = self.type_of(node);
        Node { logic: self.literal(node), kind }
    }

    fn output_column(&mut self, table: NodeId, node: NodeId, several: bool) -> OutputColumn {
        let tree = self.tree;
        let name = one_blank(tree.filled(node, "name").unwrap_or_default());
        if several && name.as_bytes().is_empty() {
            let message = "an output of a table with several outputs has no `name`";
            self.report.error(Code::MissingName, tree.place(node), message);
        }
        let kind = self.type_of(node);
        let fallback = tree.filled(node, "label").or_else(|| tree.filled(table, "outputLabel"));
        let told = if name.as_bytes().is_empty() { fallback.unwrap_or_default() } else { name.as_str() };
        let label = if told.is_empty() { "output" } else { told };
        let (told, label) = (told.into(), label.into());
        let default = tree.one(node, "defaultOutputEntry").map(|entry| self.output_cell(entry));
        let allowed = self.allowed(node, "outputValues").or_else(|| self.allowed_by(&kind));
        OutputColumn { id: self.id(node), name, told, label, kind, allowed, default }
    }

    /// The values that the type of an output allows, which have an order, too.
    fn allowed_by(&self, kind: &Type) -> Option<Allowed> {
        let tests = match kind {
            Type::Defined(at) => self.definitions[*at].body.allowed.clone()?,
            Type::Imported(import, at) => self.imports[*import].graph.types[*at].body.allowed.clone()?,
            _ => return None,
        };
        Some(Allowed { order: order(self.options.dialect, &tests), tests })
    }

    /// Allowed values, with their order where they are a list of values.
    fn allowed(&mut self, node: NodeId, part: &'static str) -> Option<Allowed> {
        let part = self.tree.one(node, part)?;
        let text = self.tree.text_of(part, "text").filter(|text| !text.is_empty())?;
        let tests = self.tests(part, text).ok()?;
        let order = order(self.options.dialect, &tests);
        Some(Allowed { tests, order })
    }

    /// A rule; entries that are left out at its end count as empty.
    fn rule(&mut self, node: NodeId, inputs: usize, outputs: usize) -> Rule {
        let tree = self.tree;
        let input_entries: Vec<NodeId> = tree.all(node, "inputEntry").collect();
        let output_entries: Vec<NodeId> = tree.all(node, "outputEntry").collect();
        for (found, wanted, what) in
            [(input_entries.len(), inputs, "input"), (output_entries.len(), outputs, "output")]
        {
            let message = format!("the rule has {found} {what} entries for {wanted} {what} columns");
            if found > wanted {
                self.report.error(Code::TableShape, tree.place(node), message);
            } else if found < wanted {
                self.report.warning(Code::TableShape, tree.place(node), message);
            }
        }
        let mut input_cells: Vec<InputCell> =
            input_entries.into_iter().map(|entry| self.input_cell(entry)).collect();
        input_cells.resize_with(inputs, || InputCell::Any);
        let mut output_cells: Vec<OutputCell> =
            output_entries.into_iter().map(|entry| self.output_cell(entry)).collect();
        output_cells.resize_with(outputs, || OutputCell::Empty);
        Rule { id: self.id(node), inputs: input_cells.into(), outputs: output_cells.into() }
    }

    fn input_cell(&mut self, node: NodeId) -> InputCell {
        let text = self.tree.text_of(node, "text").unwrap_or_default();
        if text.is_empty() || text == "-" {
            return InputCell::Any;
        }
        match self.tests(node, text) {
            Ok(tests) => InputCell::Tests(tests),
            Err(message) => InputCell::Broken(message),
        }
    }

    fn output_cell(&mut self, node: NodeId) -> OutputCell {
        let text = self.tree.text_of(node, "text").unwrap_or_default();
        if text.is_empty() || text == "-" {
            return OutputCell::Empty;
        }
        match self.expression(node, text) {
            Ok(expression) => OutputCell::Expression(expression),
            Err(message) => OutputCell::Broken(message),
        }
    }
}

/// The values that tests list; none where they are more than a list of values.
fn order(dialect: Dialect, tests: &UnaryTests) -> Box<[Value]> {
    let source = format!("[{}]", tests.source());
    let Ok(list) = Expression::parse_in(dialect, &[], &source) else { return Box::default() };
    let budget = Budget { steps: 10_000, bytes: 1 << 20, ..Budget::default() };
    let env = Env { budget, ..Env::default() };
    match list.evaluate(&Nothing, &env) {
        Ok(evaluated) => evaluated.value.as_list().unwrap_or_default().into(),
        Err(_) => Box::default(),
    }
}
