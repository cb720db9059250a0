//! One evaluation under way.

use std::collections::BTreeMap;
use std::sync::Arc;

use coreto_feel::{Dialect, Function, Nothing, Scope, Session, Text, Value, Variable, WarningKind};

use crate::call::{KnowledgeCall, ServiceCall};
use crate::evaluation::{Cell, DecisionKind, EvaluatedDecision, EvaluatedInput, MatchedRule, Reason};
use crate::frame::Frame;
use crate::graph::{Element, Graph, Logic, Required, Requirements, Target};
use crate::trace::Trace;
use crate::types::Type;

/// A value, or why the whole evaluation ends.
pub(crate) type Eval<T = Value> = Result<T, Box<Halt>>;

/// Why and where an evaluation ends.
#[derive(Debug)]
pub(crate) struct Halt {
    pub(crate) reason: Reason,
    pub(crate) cell: Option<Cell>,
    /// The innermost decision, identifier and name.
    pub(crate) decision: Option<(Arc<str>, Arc<str>)>,
}

impl Halt {
    pub(crate) const fn new(reason: Reason) -> Self {
        Self { reason, cell: None, decision: None }
    }
}

impl From<coreto_feel::Failure> for Box<Halt> {
    fn from(failure: coreto_feel::Failure) -> Self {
        Self::new(Halt::new(Reason::Expression(failure)))
    }
}

/// An element of one of the graphs.
type Key = (*const Graph, Element);

/// One evaluation: what it may use, and what is known so far.
pub(crate) struct Run<'r, 'e> {
    pub(crate) session: &'r mut Session<'e>,
    /// What the caller knows.
    variables: &'r dyn Scope,
    /// Results of decisions that others may ask for again, and values that were given in their place.
    known: BTreeMap<Key, Value>,
    pub(crate) path: Vec<EvaluatedDecision>,
    /// Where functions tell their decisions, if there are such functions.
    trace: Option<Arc<Trace>>,
}

/// What a table tells of its evaluation.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) inputs: Vec<EvaluatedInput>,
    pub(crate) rules: Vec<MatchedRule>,
}

impl<'r, 'e> Run<'r, 'e> {
    pub(crate) fn new(session: &'r mut Session<'e>, variables: &'r dyn Scope) -> Self {
        Self { session, variables, known: BTreeMap::new(), path: Vec::new(), trace: None }
    }

    /// A run that is one call of a function, and knows nothing of the outside.
    pub(crate) fn called(session: &'r mut Session<'e>, trace: Option<&Arc<Trace>>) -> Self {
        Self { trace: trace.cloned(), ..Self::new(session, &Nothing) }
    }

    /// Gives an element a value, so that it is not evaluated.
    pub(crate) fn give(&mut self, graph: &Arc<Graph>, target: Target, value: Value) {
        self.known.insert((Arc::as_ptr(graph.graph_of(target.import)), target.element), value);
    }

    /// The value of an element that others require.
    pub(crate) fn target(&mut self, graph: &Arc<Graph>, target: Target) -> Eval {
        let graph = graph.graph_of(target.import);
        let key = (Arc::as_ptr(graph), target.element);
        if !self.known.is_empty()
            && let Some(value) = self.known.get(&key)
        {
            return Ok(value.clone());
        }
        let value = match target.element {
            Element::Input(at) => self.input(graph, at)?,
            Element::Decision(at) => self.decision(graph, at)?,
            Element::Knowledge(at) => {
                let trace = self.trace_of(graph);
                let call = KnowledgeCall { graph: graph.clone(), at, trace };
                return Ok(Value::Function(Function::host(Arc::new(call))));
            }
            Element::Service(at) => {
                let trace = self.trace_of(graph);
                let call = ServiceCall { graph: graph.clone(), at, trace };
                return Ok(Value::Function(Function::host(Arc::new(call))));
            }
        };
        self.known.insert(key, value.clone());
        Ok(value)
    }

    /// The trace for functions of a graph; none where no function can lead to a decision.
    fn trace_of(&mut self, graph: &Graph) -> Option<Arc<Trace>> {
        if self.trace.is_none() && (!graph.services.is_empty() || !graph.imports.is_empty()) {
            self.trace = Some(Arc::default());
        }
        self.trace.clone()
    }

    /// The result of a decision.
    pub(crate) fn decision(&mut self, graph: &Arc<Graph>, at: usize) -> Eval {
        self.session.enter()?;
        let decision = &graph.decisions[at];
        let result = self.decide(graph, at).map_err(|mut halt| {
            halt.decision.get_or_insert_with(|| (decision.id.clone(), decision.name.clone()));
            halt
        });
        self.session.leave();
        result
    }

    fn decide(&mut self, graph: &Arc<Graph>, at: usize) -> Eval {
        let decision = &graph.decisions[at];
        let values = self.requirements(graph, &decision.requirements)?;
        let outer = (graph.dialect == Dialect::Camunda).then_some(self.variables);
        let scope = Frame { graph, names: &decision.requirements.names, values: &values, outer };
        let mut record = Record::default();
        let value = match &decision.logic {
            Some(node) => self.node_recorded(graph, node, &scope, Some(&mut record)),
            None => self.open(graph, &decision.variable),
        };
        let output = value.and_then(|value| self.conform(graph, &decision.kind, value, "the decision"));
        if let Some(trace) = &self.trace {
            self.path.extend(trace.take());
        }
        // What fails is told, too, as far as it came.
        self.path.push(EvaluatedDecision {
            id: decision.id.clone(),
            name: decision.name.clone(),
            kind: decision.logic.as_ref().map_or(DecisionKind::None, |node| kind(&node.logic)),
            output: output.as_ref().cloned().unwrap_or_default(),
            inputs: record.inputs,
            rules: record.rules,
            warnings: self.session.take_warnings(),
        });
        output
    }

    /// A decision whose logic is left open may be told by whoever asks.
    fn open(&mut self, graph: &Arc<Graph>, name: &Text) -> Eval {
        self.given(graph, name, &Type::Any)
    }

    fn input(&mut self, graph: &Arc<Graph>, at: usize) -> Eval {
        let input = &graph.inputs[at];
        self.given(graph, &input.name, &input.kind)
    }

    /// A value that the caller gives under a name, as one of a type.
    pub(crate) fn given(&mut self, graph: &Arc<Graph>, name: &Text, kind: &Type) -> Eval {
        let value = match self.variables.variable(name) {
            Some(Variable::Value(value)) => value,
            Some(Variable::Json(text)) => match Value::from_json(text) {
                Ok(value) => kind.of_json(graph, value, self.session)?,
                Err(error) => {
                    let message = || format!("cannot read input `{name}`: {error}");
                    return Ok(self.session.warn(WarningKind::Unknown, message));
                }
            },
            None => {
                let message = || format!("there is no input `{name}`");
                return Ok(self.session.warn(WarningKind::NoVariableFound, message));
            }
        };
        self.conform(graph, kind, value, name)
    }

    /// What a decision or knowledge model requires, as values of its names.
    pub(crate) fn requirements(&mut self, graph: &Arc<Graph>, required: &Requirements) -> Eval<Vec<Value>> {
        self.session.charge_steps(required.values.len())?;
        let mut values = Vec::with_capacity(required.values.len());
        for required in &required.values {
            values.push(match required {
                Required::One(target) => self.target(graph, *target)?,
                Required::Import(targets) => {
                    let mut entries = Vec::with_capacity(targets.len());
                    for (name, target) in targets {
                        entries.push((name.clone(), self.target(graph, *target)?));
                    }
                    self.session.context(entries)?
                }
            });
        }
        Ok(values)
    }

    /// A value as one of a type, or null with a warning. Camunda's dialect has no types.
    pub(crate) fn conform(&mut self, graph: &Arc<Graph>, kind: &Type, value: Value, what: &str) -> Eval {
        if matches!(kind, Type::Any) || graph.dialect == Dialect::Camunda {
            return Ok(value);
        }
        let found = value.type_name();
        match kind.conform(graph, value, self.session)? {
            Some(value) => Ok(value),
            None => Ok(self.session.warn(WarningKind::InvalidType, || {
                format!("{what} is to be of type `{}`, found {found}", kind.name(graph))
            })),
        }
    }
}

pub(crate) fn kind(logic: &Logic) -> DecisionKind {
    match logic {
        Logic::Literal(_) | Logic::Broken(_) => DecisionKind::LiteralExpression,
        Logic::Table(_) => DecisionKind::DecisionTable,
        Logic::Context(_) => DecisionKind::Context,
        Logic::List(_) => DecisionKind::List,
        Logic::Relation(_) => DecisionKind::Relation,
        Logic::Conditional(_) => DecisionKind::Conditional,
        Logic::For(_) | Logic::Some(_) | Logic::Every(_) => DecisionKind::Iterator,
        Logic::Filter(_) => DecisionKind::Filter,
        Logic::Function(_) => DecisionKind::FunctionDefinition,
        Logic::Invocation(_) => DecisionKind::Invocation,
    }
}
