//! What expressions may call: knowledge models, decision services and boxed functions.

use std::sync::Arc;

use coreto_feel::{Callable, Captured, Failure, Session, Text, Value, WarningKind};

use crate::evaluation::Reason;
use crate::frame::Frame;
use crate::graph::{FunctionLogic, Graph, Parameter};
use crate::run::{Eval, Halt, Run};
use crate::trace::Trace;

/// A business knowledge model as a function.
pub(crate) struct KnowledgeCall {
    pub(crate) graph: Arc<Graph>,
    pub(crate) at: usize,
    pub(crate) trace: Option<Arc<Trace>>,
}

/// A decision service as a function.
pub(crate) struct ServiceCall {
    pub(crate) graph: Arc<Graph>,
    pub(crate) at: usize,
    pub(crate) trace: Option<Arc<Trace>>,
}

/// A function definition, with what it saw where it stands.
pub(crate) struct FunctionCall {
    pub(crate) graph: Arc<Graph>,
    pub(crate) function: Arc<FunctionLogic>,
    pub(crate) scope: Option<Captured>,
}

impl Callable for KnowledgeCall {
    fn parameters(&self) -> &[Text] {
        self.graph.knowledge[self.at].function.as_ref().map_or(&[], |function| &function.names)
    }

    fn call(&self, arguments: Vec<Value>, session: &mut Session<'_>) -> Result<Value, Failure> {
        let (graph, knowledge) = (&self.graph, &self.graph.knowledge[self.at]);
        let Some(function) = &knowledge.function else {
            let message = || format!("knowledge model `{}` has no logic", knowledge.name);
            return Ok(session.warn(WarningKind::NoFunctionFound, message));
        };
        ended(in_level(session, |session| {
            let Some(values) = arguments_of(graph, &function.parameters, arguments, session)? else {
                return Ok(Value::Null);
            };
            let mut run = Run::called(session, self.trace.as_ref());
            let required = run.requirements(graph, &knowledge.requirements)?;
            let outer = Frame { graph, names: &knowledge.requirements.names, values: &required, outer: None };
            let scope = Frame { graph, names: &function.names, values: &values, outer: Some(&outer) };
            let value = run.node(graph, &function.body, &scope)?;
            let (kind, graph) = knowledge.kind.result(graph);
            run.conform(graph, kind, value, &knowledge.name)
        }))
    }
}

impl Callable for ServiceCall {
    fn parameters(&self) -> &[Text] {
        &self.graph.services[self.at].names
    }

    fn call(&self, arguments: Vec<Value>, session: &mut Session<'_>) -> Result<Value, Failure> {
        let (graph, service) = (&self.graph, &self.graph.services[self.at]);
        ended(in_level(session, |session| {
            let Some(values) = arguments_of(graph, &service.parameters, arguments, session)? else {
                return Ok(Value::Null);
            };
            // Its decisions keep their warnings, and the caller keeps its own.
            let before = session.take_warnings();
            let mut run = Run::called(session, self.trace.as_ref());
            let result = run.service(graph, self.at, values);
            let path = run.path;
            if let Some(trace) = &self.trace {
                trace.add(path);
            }
            session.put_warnings_before(before);
            result
        }))
    }
}

impl Callable for FunctionCall {
    fn parameters(&self) -> &[Text] {
        &self.function.names
    }

    fn call(&self, arguments: Vec<Value>, session: &mut Session<'_>) -> Result<Value, Failure> {
        let (graph, function) = (&self.graph, &*self.function);
        ended(in_level(session, |session| {
            let Some(values) = arguments_of(graph, &function.parameters, arguments, session)? else {
                return Ok(Value::Null);
            };
            let outer = self.scope.as_deref().map(|scope| scope as &dyn coreto_feel::Scope);
            let scope = Frame { graph, names: &function.names, values: &values, outer };
            Run::called(session, None).node(graph, &function.body, &scope)
        }))
    }
}

impl Run<'_, '_> {
    /// The result of a decision service: that of its only output decision, or all by their names.
    pub(crate) fn service(&mut self, graph: &Arc<Graph>, at: usize, values: Vec<Value>) -> Eval {
        let service = &graph.services[at];
        for (target, value) in service.given.iter().zip(values) {
            self.give(graph, *target, value);
        }
        let value = match &*service.outputs {
            [(_, only)] => self.target(graph, *only)?,
            outputs => {
                let mut entries = Vec::with_capacity(outputs.len());
                for (name, target) in outputs {
                    entries.push((name.clone(), self.target(graph, *target)?));
                }
                self.session.context(entries)?
            }
        };
        let (kind, graph) = service.kind.result(graph);
        self.conform(graph, kind, value, &service.name)
    }
}

/// Arguments as values of their types; nothing, with a warning, when one is not, and then nothing is called.
fn arguments_of(
    graph: &Arc<Graph>,
    parameters: &[Parameter],
    arguments: Vec<Value>,
    session: &mut Session<'_>,
) -> Eval<Option<Vec<Value>>> {
    let mut run = Run::called(session, None);
    let mut values = Vec::with_capacity(arguments.len());
    for (parameter, argument) in parameters.iter().zip(arguments) {
        let was_null = argument.is_null();
        let value = run.conform(graph, &parameter.kind, argument, &parameter.name)?;
        if value.is_null() && !was_null {
            return Ok(None);
        }
        values.push(value);
    }
    Ok(Some(values))
}

fn in_level(session: &mut Session<'_>, run: impl FnOnce(&mut Session<'_>) -> Eval) -> Eval {
    session.enter()?;
    let result = run(session);
    session.leave();
    result
}

/// The end of a call, as the calling expression understands it.
fn ended(result: Eval) -> Result<Value, Failure> {
    result.map_err(|halt| match *halt {
        Halt { reason: Reason::Expression(failure), .. } => failure,
        Halt { reason, cell, .. } => {
            let column = cell.map(|cell| format!("column `{}`: ", cell.column)).unwrap_or_default();
            Failure::Assert { message: format!("{column}{reason}"), offset: 0 }
        }
    })
}
