//! A model as its users have it.

use std::borrow::Cow;
use std::sync::Arc;

use coreto_feel::{Callable, Dialect, Env, Scope, Session, Text, Value};

use crate::call::KnowledgeCall;
use crate::compile;
use crate::diagnostic::{Code, Diagnostic, Place, Report};
use crate::evaluation::{DecisionKind, Evaluation, Failure, Reason};
use crate::graph::{Element, Graph};
use crate::library::Library;
use crate::limits::Limits;
use crate::run::{self, Eval, Run};
use crate::tree::Tree;
use crate::types::Type;

/// How a model is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'o> {
    /// In which dialect its expressions are; the standard one also looks at types and at allowed values.
    pub dialect: Dialect,
    /// Whether an expression that cannot be parsed, or a type that is not defined, is only a warning: the expression
    /// is null when it is evaluated, the type is any.
    pub lenient: bool,
    /// Models that it may import, found by their namespaces.
    pub imports: &'o [Model],
    /// Bounds on it.
    pub limits: Limits,
}

/// A model that can be evaluated; cheap to clone.
#[derive(Clone, Debug)]
pub struct Model(Arc<Graph>);

/// A decision of a model.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'m> {
    graph: &'m Arc<Graph>,
    at: usize,
}

/// A decision service of a model.
#[derive(Clone, Copy, Debug)]
pub struct Service<'m> {
    graph: &'m Arc<Graph>,
    at: usize,
}

/// A business knowledge model.
#[derive(Clone, Copy, Debug)]
pub struct KnowledgeModel<'m> {
    graph: &'m Arc<Graph>,
    at: usize,
}

impl Model {
    /// Reads a model that imports none.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(xml: &[u8], dialect: Dialect) -> Result<Self, Vec<Diagnostic>> {
        let (model, diagnostics) = Self::read(xml, &Options { dialect, ..Options::default() });
        model.ok_or(diagnostics)
    }

    /// Reads a model. It comes back exactly when no diagnostic is an error; diagnostics come in the order of the text.
    pub fn read(xml: &[u8], options: &Options<'_>) -> (Option<Self>, Vec<Diagnostic>) {
        let text = match decode(xml, options) {
            Ok(text) => text,
            Err(diagnostics) => return (None, diagnostics),
        };
        let mut report = Report::new();
        let library = Library::of(options.imports);
        let find = |namespace: &str| library.find(namespace, None);
        let tree = Tree::read(&text, &options.limits, &mut report);
        let graph = tree.and_then(|tree| compile::graph(&tree, options, &find, &mut report));
        (graph.map(Self::new), report.finish(&text))
    }

    pub(crate) fn new(graph: Graph) -> Self {
        Self(Arc::new(graph))
    }

    /// The identifier of the definitions, which is that of the requirements graph.
    pub fn id(&self) -> Option<&str> {
        self.0.id.as_deref()
    }

    /// The name of the definitions.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The namespace of the definitions, by which other models import them.
    pub fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// The namespaces of the models that it imports, in the order of the text.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.imports.iter().map(|import| &*import.graph.namespace)
    }

    /// How many models deep its imports go; 0 without any. It is less for each model that it imports.
    pub fn import_depth(&self) -> usize {
        self.0.import_depth
    }

    /// All decisions, in the order of the text.
    pub fn decisions(&self) -> impl ExactSizeIterator<Item = Decision<'_>> {
        (0..self.0.decisions.len()).map(|at| Decision { graph: &self.0, at })
    }

    /// All decision services, in the order of the text.
    pub fn services(&self) -> impl ExactSizeIterator<Item = Service<'_>> {
        (0..self.0.services.len()).map(|at| Service { graph: &self.0, at })
    }

    /// All business knowledge models, in the order of the text.
    pub fn knowledge_models(&self) -> impl ExactSizeIterator<Item = KnowledgeModel<'_>> {
        (0..self.0.knowledge.len()).map(|at| KnowledgeModel { graph: &self.0, at })
    }

    /// The decision of an identifier.
    pub fn decision(&self, id: &str) -> Option<Decision<'_>> {
        let decisions = &self.0.decisions;
        let at = self.0.by_id.binary_search_by(|at| (*decisions[*at].id).cmp(id)).ok()?;
        Some(Decision { graph: &self.0, at: self.0.by_id[at] })
    }

    /// Evaluates the decision of an identifier, with all that it requires.
    ///
    /// # Errors
    /// When there is no such decision, and as for [`Decision::evaluate`].
    pub fn evaluate(
        &self,
        decision: &str,
        variables: &dyn Scope,
        env: &Env<'_>,
    ) -> Result<Evaluation, Box<Failure>> {
        match self.decision(decision) {
            Some(decision) => decision.evaluate(variables, env),
            None => Err(Box::new(Failure {
                decision: decision.into(),
                name: decision.into(),
                cell: None,
                reason: Reason::Unknown,
                decisions: Vec::new(),
            })),
        }
    }

    pub(crate) fn graph(&self) -> &Arc<Graph> {
        &self.0
    }
}

impl<'m> Decision<'m> {
    /// Its identifier.
    pub fn id(&self) -> &'m str {
        &self.graph.decisions[self.at].id
    }

    /// Its name.
    pub fn name(&self) -> &'m str {
        &self.graph.decisions[self.at].name
    }

    /// Its version tag.
    pub fn version_tag(&self) -> Option<&'m str> {
        self.graph.decisions[self.at].version_tag.as_deref()
    }

    /// What its logic is.
    pub fn kind(&self) -> DecisionKind {
        let logic = self.graph.decisions[self.at].logic.as_ref();
        logic.map_or(DecisionKind::None, |node| run::kind(&node.logic))
    }

    /// Evaluates it with all that it requires. Inputs are read from the variables by their names; in Camunda's
    /// dialect every expression sees all variables.
    ///
    /// # Errors
    /// When an assertion does not hold or the budget is exhausted; in Camunda's dialect also when rules contradict
    /// each other. The failure names the decision, and the rule and column if it was in a table.
    pub fn evaluate(&self, variables: &dyn Scope, env: &Env<'_>) -> Result<Evaluation, Box<Failure>> {
        let (id, name) = (self.id(), self.name());
        evaluate(variables, env, (id, name), |run| run.decision(self.graph, self.at))
    }
}

impl<'m> Service<'m> {
    /// Its identifier.
    pub fn id(&self) -> Option<&'m str> {
        self.graph.services[self.at].id.as_deref()
    }

    /// Its name.
    pub fn name(&self) -> &'m str {
        self.graph.services[self.at].name.as_str()
    }

    /// The names of its output decisions.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = &'m str> {
        self.graph.services[self.at].outputs.iter().map(|(name, _)| name.as_str())
    }

    /// Evaluates its output decisions with the variables in place of its inputs. The output is that of the only
    /// output decision, or a context of all.
    ///
    /// # Errors
    /// As for [`Decision::evaluate`].
    pub fn evaluate(&self, variables: &dyn Scope, env: &Env<'_>) -> Result<Evaluation, Box<Failure>> {
        let service = &self.graph.services[self.at];
        let id = self.id().unwrap_or_else(|| self.name());
        evaluate(variables, env, (id, self.name()), |run| {
            let mut values = Vec::with_capacity(service.parameters.len());
            for parameter in &service.parameters {
                values.push(run.given(self.graph, &parameter.name, &parameter.kind)?);
            }
            run.service(self.graph, self.at, values)
        })
    }
}

impl<'m> KnowledgeModel<'m> {
    /// Its name.
    pub fn name(&self) -> &'m str {
        self.graph.knowledge[self.at].name.as_str()
    }

    /// Calls it with the variables as its arguments.
    ///
    /// # Errors
    /// As for [`Decision::evaluate`].
    pub fn evaluate(&self, variables: &dyn Scope, env: &Env<'_>) -> Result<Evaluation, Box<Failure>> {
        evaluate(variables, env, (self.name(), self.name()), |run| {
            let call = KnowledgeCall { graph: self.graph.clone(), at: self.at, trace: None };
            let function = self.graph.knowledge[self.at].function.as_ref();
            let mut arguments = Vec::new();
            for parameter in function.iter().flat_map(|function| &function.parameters) {
                arguments.push(run.given(self.graph, &parameter.name, &parameter.kind)?);
            }
            Ok(call.call(arguments, run.session)?)
        })
    }
}

/// The bytes of a resource as text.
pub(crate) fn decode<'x>(xml: &'x [u8], options: &Options<'_>) -> Result<Cow<'x, str>, Vec<Diagnostic>> {
    let mut report = Report::new();
    let max = options.limits.bytes_max.min(u32::MAX as usize);
    let too_large = |bytes: usize, mut report: Report| {
        let message = format!("the resource has {bytes} bytes, more than {max}");
        report.error(Code::LimitExceeded, Place::RESOURCE, message);
        Err(report.finish(""))
    };
    if xml.len() > max {
        return too_large(xml.len(), report);
    }
    match coreto_xml::decode(xml) {
        Ok(text) if u32::try_from(text.len()).is_err() => too_large(text.len(), report),
        Ok(text) => Ok(text),
        Err(error) => {
            let before = error.readable(xml);
            let place = if before.is_empty() { Place::RESOURCE } else { Place::at(before.len()) };
            report.error(Code::NotText, place, error.to_string()).help("save the model as UTF-8");
            Err(report.finish(before))
        }
    }
}

fn evaluate(
    variables: &dyn Scope,
    env: &Env<'_>,
    (id, name): (&str, &str),
    evaluate: impl FnOnce(&mut Run<'_, '_>) -> Eval,
) -> Result<Evaluation, Box<Failure>> {
    let mut session = Session::new(env);
    let mut run = Run::new(&mut session, variables);
    match evaluate(&mut run) {
        Ok(output) => Ok(Evaluation { output, decisions: run.path }),
        Err(halt) => {
            let (decision, name) = halt.decision.unwrap_or_else(|| (id.into(), name.into()));
            let (cell, reason, decisions) = (halt.cell, halt.reason, run.path);
            Err(Box::new(Failure { decision, name, cell, reason, decisions }))
        }
    }
}

impl Graph {
    /// The element of an identifier.
    pub(crate) fn element(&self, id: &str) -> Option<Element> {
        self.elements.get(id).copied()
    }

    /// The identifier of an element; empty when it has none.
    pub(crate) fn id_of(&self, element: Element) -> Text {
        let id = match element {
            Element::Input(at) => self.inputs[at].id.as_deref(),
            Element::Decision(at) => Some(&*self.decisions[at].id),
            Element::Knowledge(at) => self.knowledge[at].id.as_deref(),
            Element::Service(at) => self.services[at].id.as_deref(),
        };
        Text::from(id.unwrap_or_default())
    }

    /// What an element is called in expressions.
    pub(crate) fn name_of(&self, element: Element) -> Text {
        match element {
            Element::Input(at) => self.inputs[at].name.clone(),
            Element::Decision(at) => self.decisions[at].variable.clone(),
            Element::Knowledge(at) => self.knowledge[at].name.clone(),
            Element::Service(at) => self.services[at].name.clone(),
        }
    }

    /// The type of the value of an element.
    pub(crate) fn type_of(&self, element: Element) -> Type {
        match element {
            Element::Input(at) => self.inputs[at].kind.clone(),
            Element::Decision(at) => self.decisions[at].kind.clone(),
            Element::Knowledge(_) | Element::Service(_) => Type::Function,
        }
    }

    /// All names that expressions of another model may use.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Text> {
        let inputs = self.inputs.iter().map(|input| &input.name);
        let decisions = self.decisions.iter().map(|decision| &decision.variable);
        let knowledge = self.knowledge.iter().map(|knowledge| &knowledge.name);
        inputs.chain(decisions).chain(knowledge).chain(self.services.iter().map(|service| &service.name))
    }
}

/// Whoever reads a model may hand it to other threads.
const _: fn() = || {
    const fn shared<T: Send + Sync>() {}
    shared::<Model>();
    shared::<Value>();
};
