//! Boxed expressions to values. DMN 1.5, 7 and 10.

use std::sync::{Arc, LazyLock};

use coreto_feel::{Context, Dialect, Expression, Scope, Value, WarningKind};

use crate::call::FunctionCall;
use crate::frame::{Frame, Item};
use crate::graph::{ContextLogic, Graph, Invocation, Iterator, Logic, Node, Relation};
use crate::run::{Eval, Record, Run};

impl Run<'_, '_> {
    /// The value of a boxed expression, as one of its type.
    pub(crate) fn node(&mut self, graph: &Arc<Graph>, node: &Node, scope: &dyn Scope) -> Eval {
        self.node_recorded(graph, node, scope, None)
    }

    /// The same; a table tells how it was evaluated.
    pub(crate) fn node_recorded(
        &mut self,
        graph: &Arc<Graph>,
        node: &Node,
        scope: &dyn Scope,
        record: Option<&mut Record>,
    ) -> Eval {
        let value = match &node.logic {
            Logic::Literal(expression) => self.session.evaluate(expression, scope)?,
            Logic::Broken(message) => self.broken(message),
            Logic::Table(table) => self.table(graph, table, scope, record)?,
            // The others hold expressions again.
            logic => {
                self.session.enter()?;
                let value = self.composed(graph, logic, scope)?;
                self.session.leave();
                value
            }
        };
        self.conform(graph, &node.kind, value, "the result")
    }

    pub(crate) fn broken(&mut self, message: &str) -> Value {
        self.session.warn(WarningKind::Unknown, || message.to_owned())
    }

    fn composed(&mut self, graph: &Arc<Graph>, logic: &Logic, scope: &dyn Scope) -> Eval {
        match logic {
            Logic::Literal(_) | Logic::Broken(_) | Logic::Table(_) => {
                unreachable!("they hold no expressions")
            }
            Logic::Context(context) => self.context(graph, context, scope),
            Logic::List(items) => {
                let items = self.all(graph, items, scope)?;
                Ok(self.session.list(items)?)
            }
            Logic::Relation(relation) => self.relation(graph, relation, scope),
            Logic::Conditional(parts) => {
                let [condition, then, otherwise] = &**parts;
                match self.node(graph, condition, scope)? {
                    Value::Boolean(true) => self.node(graph, then, scope),
                    Value::Boolean(false) | Value::Null => self.node(graph, otherwise, scope),
                    other => Ok(self.no_boolean(&other)),
                }
            }
            Logic::For(iterator) => self.for_each(graph, iterator, scope),
            Logic::Some(iterator) => self.quantified(graph, iterator, scope, true),
            Logic::Every(iterator) => self.quantified(graph, iterator, scope, false),
            Logic::Filter(parts) => self.filter(graph, parts, scope),
            Logic::Function(function) => {
                let scope = scope.capture(&function.reads);
                let call = FunctionCall { graph: graph.clone(), function: function.clone(), scope };
                Ok(Value::Function(coreto_feel::Function::host(Arc::new(call))))
            }
            Logic::Invocation(invocation) => self.invocation(graph, invocation, scope),
        }
    }

    fn all(&mut self, graph: &Arc<Graph>, nodes: &[Node], scope: &dyn Scope) -> Eval<Vec<Value>> {
        nodes.iter().map(|node| self.node(graph, node, scope)).collect()
    }

    fn context(&mut self, graph: &Arc<Graph>, context: &ContextLogic, outer: &dyn Scope) -> Eval {
        let names = &context.names;
        let mut values = Vec::with_capacity(names.len());
        for node in &context.values {
            let scope = Frame { graph, names, values: &values, outer: Some(outer) };
            let value = self.node(graph, node, &scope)?;
            values.push(value);
        }
        if let Some(result) = &context.result {
            return self.node(graph, result, &Frame { graph, names, values: &values, outer: Some(outer) });
        }
        Ok(self.session.context(names.iter().cloned().zip(values).collect())?)
    }

    fn relation(&mut self, graph: &Arc<Graph>, relation: &Relation, scope: &dyn Scope) -> Eval {
        let mut rows = Vec::with_capacity(relation.rows.len());
        for row in &relation.rows {
            let values = self.all(graph, row, scope)?;
            rows.push(self.session.context(relation.columns.iter().cloned().zip(values).collect())?);
        }
        Ok(self.session.list(rows)?)
    }

    fn for_each(&mut self, graph: &Arc<Graph>, iterator: &Iterator, outer: &dyn Scope) -> Eval {
        let Some(items) = self.items(graph, &iterator.domain, outer)? else { return Ok(Value::Null) };
        let reads_partial = iterator.reads_partial;
        let mut results: Vec<Value> = Vec::new();
        for item in items {
            self.session.charge_steps(1)?;
            let partial = if reads_partial { self.session.list(results.clone())? } else { Value::Null };
            let values = [item, partial];
            let scope = Frame { graph, names: &iterator.names, values: &values, outer: Some(outer) };
            let value = self.node(graph, &iterator.body, &scope)?;
            results.push(value);
        }
        Ok(self.session.list(results)?)
    }

    /// Decided by the first result that is `decisive`; else unknown if one was.
    fn quantified(
        &mut self,
        graph: &Arc<Graph>,
        iterator: &Iterator,
        outer: &dyn Scope,
        decisive: bool,
    ) -> Eval {
        let Some(items) = self.items(graph, &iterator.domain, outer)? else { return Ok(Value::Null) };
        let mut unknown = false;
        for item in items {
            self.session.charge_steps(1)?;
            let scope = Frame { graph, names: &iterator.names, values: &[item], outer: Some(outer) };
            match self.node(graph, &iterator.body, &scope)? {
                Value::Boolean(holds) if holds == decisive => return Ok(Value::Boolean(decisive)),
                Value::Boolean(_) => (),
                Value::Null => unknown = true,
                other => return Ok(self.no_boolean(&other)),
            }
        }
        Ok(if unknown { Value::Null } else { Value::Boolean(!decisive) })
    }

    fn filter(&mut self, graph: &Arc<Graph>, parts: &[Node; 2], outer: &dyn Scope) -> Eval {
        let [domain, condition] = parts;
        let list = match self.node(graph, domain, outer)? {
            Value::Null => return Ok(Value::Null),
            Value::List(list) => list.to_vec(),
            single => vec![single],
        };
        let mut kept = Vec::new();
        for item in list {
            self.session.charge_steps(1)?;
            let scope = Item { graph, value: &item, outer };
            match self.node(graph, condition, &scope)? {
                Value::Boolean(true) => kept.push(item),
                Value::Boolean(false) | Value::Null => (),
                other => return Ok(self.no_boolean(&other)),
            }
        }
        Ok(self.session.list(kept)?)
    }

    fn no_boolean(&mut self, found: &Value) -> Value {
        let found = found.type_name();
        self.session
            .warn(WarningKind::InvalidType, || format!("the condition is to be boolean, found {found}"))
    }

    /// What an iteration goes over; nothing, with a warning, when that is no list.
    fn items(&mut self, graph: &Arc<Graph>, domain: &Node, scope: &dyn Scope) -> Eval<Option<Vec<Value>>> {
        static ITEMS: LazyLock<Expression> = LazyLock::new(|| {
            let source = "for item in domain return item";
            Expression::parse_in(Dialect::Standard, &[], source).expect("a sound expression")
        });
        let domain = match self.node(graph, domain, scope)? {
            Value::List(list) => return Ok(Some(list.to_vec())),
            domain => Context::new(vec![("domain".into(), domain)]).unwrap_or_else(Context::empty),
        };
        match self.session.evaluate(&ITEMS, &domain)? {
            Value::List(list) => Ok(Some(list.to_vec())),
            _ => Ok(None),
        }
    }

    fn invocation(&mut self, graph: &Arc<Graph>, invocation: &Invocation, scope: &dyn Scope) -> Eval {
        let callee = self.node(graph, &invocation.callee, scope)?;
        let mut values = Vec::with_capacity(invocation.arguments.len());
        for ((node, kind), name) in invocation.arguments.iter().zip(&invocation.names) {
            let value = self.node(graph, node, scope)?;
            values.push(self.conform(graph, kind, value, name)?);
        }
        let Value::Function(function) = callee else {
            let found = callee.type_name();
            return Ok(self.session.warn(WarningKind::NoFunctionFound, || {
                format!("what is invoked is to be a function, found {found}")
            }));
        };
        Ok(self.session.call(graph.dialect, &function, &invocation.names, &values)?)
    }
}
