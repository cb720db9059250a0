//! The evaluation of decision tables. DMN 1.5, 8.

use std::sync::Arc;

use coreto_feel::{Context, Dialect, Expression, Nothing, Scope, Value, WarningKind};

use crate::evaluation::{Cell, EvaluatedInput, EvaluatedOutput, MatchedRule, Reason};
use crate::frame::Frame;
use crate::graph::{Allowed, Graph};
use crate::run::{Eval, Halt, Record, Run};
use crate::table::{Aggregator, HitPolicy, InputCell, OutputCell, OutputColumn, Table};

/// A rule that matches, with the values of its outputs.
struct Hit {
    /// Its position in the table.
    rule: usize,
    outputs: Vec<Value>,
}

impl Run<'_, '_> {
    /// The result of a table; what led to it goes into the record.
    pub(crate) fn table(
        &mut self,
        graph: &Arc<Graph>,
        table: &Table,
        scope: &dyn Scope,
        mut record: Option<&mut Record>,
    ) -> Eval {
        let mut inputs = Vec::with_capacity(table.inputs.len());
        for column in &table.inputs {
            let value = self
                .node(graph, &column.expression, scope)
                .map_err(|halt| in_cell(halt, None, &column.label))?;
            inputs.push(value);
        }
        if let Some(record) = record.as_deref_mut() {
            record.inputs = columns_with(table, &inputs);
        }
        for (column, value) in table.inputs.iter().zip(&inputs) {
            if !self.is_allowed(graph, column.allowed.as_ref(), value)? {
                let message = format!("input `{}` has a value that is not allowed", column.label);
                return self.violation(graph, message);
            }
        }
        let hits = self.hits(graph, table, &inputs, scope)?;
        if let Some(record) = record {
            record.rules = hits.iter().map(|hit| matched(table, hit)).collect();
        }
        for hit in &hits {
            for (column, value) in table.outputs.iter().zip(&hit.outputs) {
                if !self.is_allowed(graph, column.allowed.as_ref(), value)? {
                    let (rule, label) = (hit.rule + 1, &column.label);
                    let message = format!("rule {rule} gives output `{label}` a value that is not allowed");
                    return self.violation(graph, message);
                }
            }
        }
        self.result(graph, table, &hits, scope)
    }

    /// Values that are allowed only matter in the standard dialect.
    fn is_allowed(&mut self, graph: &Arc<Graph>, allowed: Option<&Allowed>, value: &Value) -> Eval<bool> {
        match allowed {
            Some(allowed) if graph.dialect == Dialect::Standard && !value.is_null() => {
                Ok(self.session.test(&allowed.tests, value, &Nothing)? == Some(true))
            }
            _ => Ok(true),
        }
    }

    fn hits(
        &mut self,
        graph: &Arc<Graph>,
        table: &Table,
        inputs: &[Value],
        scope: &dyn Scope,
    ) -> Eval<Vec<Hit>> {
        let named = table.input_names.as_ref().map(|names| Frame {
            graph,
            names,
            values: inputs,
            outer: Some(scope),
        });
        let scope = named.as_ref().map_or(scope, |named| named as &dyn Scope);
        let mut hits = Vec::new();
        for rule in 0..table.rules.len() {
            self.session.charge_steps(1)?;
            if !self.matches(table, rule, inputs, scope)? {
                continue;
            }
            let outputs = self.outputs(graph, table, rule, scope)?;
            hits.push(Hit { rule, outputs });
            if table.policy == HitPolicy::First {
                break;
            }
        }
        Ok(hits)
    }

    fn matches(&mut self, table: &Table, rule: usize, inputs: &[Value], scope: &dyn Scope) -> Eval<bool> {
        for ((cell, column), input) in table.rules[rule].inputs.iter().zip(&table.inputs).zip(inputs) {
            let passes = match cell {
                InputCell::Any => true,
                InputCell::Tests(tests) => {
                    let passes = self.session.test(tests, input, scope);
                    passes.map_err(|failure| in_cell(failure.into(), Some(rule), &column.label))?
                        == Some(true)
                }
                InputCell::Broken(message) => {
                    self.broken(message);
                    false
                }
            };
            if !passes {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn outputs(
        &mut self,
        graph: &Arc<Graph>,
        table: &Table,
        rule: usize,
        scope: &dyn Scope,
    ) -> Eval<Vec<Value>> {
        let mut values = Vec::with_capacity(table.outputs.len());
        for (cell, column) in table.rules[rule].outputs.iter().zip(&table.outputs) {
            let value = self.output(graph, cell, column, scope);
            values.push(value.map_err(|halt| in_cell(halt, Some(rule), &column.label))?);
        }
        Ok(values)
    }

    fn output(
        &mut self,
        graph: &Arc<Graph>,
        cell: &OutputCell,
        column: &OutputColumn,
        scope: &dyn Scope,
    ) -> Eval {
        let value = match cell {
            OutputCell::Empty => return Ok(Value::Null),
            OutputCell::Expression(expression) => self.session.evaluate(expression, scope)?,
            OutputCell::Broken(message) => self.broken(message),
        };
        self.conform(graph, &column.kind, value, &column.label)
    }

    fn result(&mut self, graph: &Arc<Graph>, table: &Table, hits: &[Hit], scope: &dyn Scope) -> Eval {
        let [first, others @ ..] = hits else { return self.default(graph, table, scope) };
        match table.policy {
            HitPolicy::Unique if !others.is_empty() => {
                let numbers: Vec<String> = hits.iter().map(|hit| (hit.rule + 1).to_string()).collect();
                let message = format!(
                    "hit policy UNIQUE allows one matching rule, but rules {} match",
                    numbers.join(", ")
                );
                self.violation(graph, message)
            }
            HitPolicy::Any => self.any(graph, table, first, others),
            HitPolicy::Unique | HitPolicy::First => self.row(table, &first.outputs),
            HitPolicy::Priority => {
                let sorted = self.sorted(graph, table, hits)?;
                self.row(table, &sorted[0].outputs)
            }
            HitPolicy::OutputOrder => {
                let sorted = self.sorted(graph, table, hits)?;
                self.rows(table, &sorted)
            }
            HitPolicy::RuleOrder | HitPolicy::Collect(None) => {
                let all: Vec<&Hit> = hits.iter().collect();
                self.rows(table, &all)
            }
            HitPolicy::Collect(Some(aggregator)) => self.aggregated(graph, table, aggregator, hits),
        }
    }

    fn any(&mut self, graph: &Arc<Graph>, table: &Table, first: &Hit, others: &[Hit]) -> Eval {
        for other in others {
            for (left, right) in first.outputs.iter().zip(&other.outputs) {
                if self.session.equal(graph.dialect, left, right)? != Some(true) {
                    let message = format!(
                        "hit policy ANY allows one output, but rules {} and {} give different ones",
                        first.rule + 1,
                        other.rule + 1
                    );
                    return self.violation(graph, message);
                }
            }
        }
        self.row(table, &first.outputs)
    }

    /// Hits by where their outputs stand in the lists of allowed outputs; the first column weighs most, and what is in
    /// no list comes last. DMN 1.5, 8.2.10.
    fn sorted<'h>(&mut self, graph: &Arc<Graph>, table: &Table, hits: &'h [Hit]) -> Eval<Vec<&'h Hit>> {
        let mut ranked = Vec::with_capacity(hits.len());
        for hit in hits {
            let mut rank = Vec::with_capacity(hit.outputs.len());
            for (column, value) in table.outputs.iter().zip(&hit.outputs) {
                rank.push(self.place(graph, column, value)?);
            }
            ranked.push((rank, hit));
        }
        ranked.sort_by(|(left, _), (right, _)| left.cmp(right));
        Ok(ranked.into_iter().map(|(_, hit)| hit).collect())
    }

    fn place(&mut self, graph: &Arc<Graph>, column: &OutputColumn, value: &Value) -> Eval<usize> {
        let order = column.allowed.as_ref().map_or(&[][..], |allowed| &allowed.order);
        for (at, known) in order.iter().enumerate() {
            if self.session.equal(graph.dialect, known, value)? == Some(true) {
                return Ok(at);
            }
        }
        Ok(usize::MAX)
    }

    /// One hit as a value: that of its only output, or all by their names.
    fn row(&mut self, table: &Table, outputs: &[Value]) -> Eval {
        if let ([_], [only]) = (&*table.outputs, outputs) {
            return Ok(only.clone());
        }
        let names = table.outputs.iter().map(|column| column.name.clone());
        Ok(self.session.context(names.zip(outputs.iter().cloned()).collect())?)
    }

    fn rows(&mut self, table: &Table, hits: &[&Hit]) -> Eval {
        let rows = hits.iter().map(|hit| self.row(table, &hit.outputs)).collect::<Eval<Vec<Value>>>()?;
        Ok(self.session.list(rows)?)
    }

    /// What no matching rule gives: the default outputs, or null.
    fn default(&mut self, graph: &Arc<Graph>, table: &Table, scope: &dyn Scope) -> Eval {
        if table.outputs.iter().all(|column| column.default.is_none()) {
            return Ok(Value::Null);
        }
        let mut values = Vec::with_capacity(table.outputs.len());
        for column in &table.outputs {
            let value = match &column.default {
                None => Ok(Value::Null),
                Some(cell) => self.output(graph, cell, column, scope),
            };
            values.push(value.map_err(|halt| in_cell(halt, None, &column.label))?);
        }
        self.row(table, &values)
    }

    fn aggregated(
        &mut self,
        graph: &Arc<Graph>,
        table: &Table,
        aggregator: Aggregator,
        hits: &[Hit],
    ) -> Eval {
        let mut values = Vec::with_capacity(table.outputs.len());
        for (at, column) in table.outputs.iter().enumerate() {
            let collected: Vec<Value> = hits.iter().map(|hit| hit.outputs[at].clone()).collect();
            let collected = self.session.list(collected)?;
            let scope = Context::new(vec![("values".into(), collected)]).unwrap_or_else(Context::empty);
            let value = self.session.evaluate(aggregator.expression(), &scope)?;
            if value.is_null() {
                let message = format!("the values of output `{}` cannot be aggregated", column.label);
                return self.violation(graph, message);
            }
            values.push(value);
        }
        self.row(table, &values)
    }

    /// A table that contradicts itself: null in the standard dialect, the end of the evaluation in Camunda's.
    fn violation(&mut self, graph: &Graph, message: String) -> Eval {
        match graph.dialect {
            Dialect::Standard => Ok(self.session.warn(WarningKind::Unknown, || message)),
            Dialect::Camunda => Err(Box::new(Halt::new(Reason::Rules(message)))),
        }
    }
}

impl Aggregator {
    fn expression(self) -> &'static Expression {
        use std::sync::LazyLock;
        static ALL: LazyLock<[Expression; 4]> = LazyLock::new(|| {
            ["sum(values)", "count(values)", "min(values)", "max(values)"]
                .map(|source| Expression::parse(source).expect("a sound expression"))
        });
        match self {
            Self::Sum => &ALL[0],
            Self::Count => &ALL[1],
            Self::Min => &ALL[2],
            Self::Max => &ALL[3],
        }
    }
}

fn columns_with(table: &Table, inputs: &[Value]) -> Vec<EvaluatedInput> {
    let columns = table.inputs.iter().zip(inputs);
    columns
        .map(|(column, value)| EvaluatedInput {
            id: column.id.clone(),
            name: column.label.clone(),
            value: value.clone(),
        })
        .collect()
}

fn matched(table: &Table, hit: &Hit) -> MatchedRule {
    let outputs = table.outputs.iter().zip(&hit.outputs).map(|(column, value)| EvaluatedOutput {
        id: column.id.clone(),
        name: column.told.clone(),
        value: value.clone(),
    });
    MatchedRule { id: table.rules[hit.rule].id.clone(), index: number(hit.rule), outputs: outputs.collect() }
}

/// The number of a rule as people count.
fn number(rule: usize) -> u32 {
    u32::try_from(rule + 1).unwrap_or(u32::MAX)
}

#[expect(clippy::unnecessary_box_returns, reason = "the error of every evaluation is in a box")]
fn in_cell(mut halt: Box<Halt>, rule: Option<usize>, column: &Arc<str>) -> Box<Halt> {
    halt.cell.get_or_insert_with(|| Cell { rule: rule.map(number), column: column.clone() });
    halt
}
