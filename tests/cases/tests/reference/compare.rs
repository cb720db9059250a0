//! The model beside the engine: both as trees of lines, and which node is which.

use coreto_record::Lifecycle;

use crate::model::{Id, Job, Model, Node, On, State};
use crate::seen::{Seen, Sight};

/// A node and what is in it, as lines that say all that both sides know of it.
struct Tree<N> {
    name: N,
    /// The key of a node of the model that was seen before.
    known: Option<u64>,
    text: String,
    children: Vec<Self>,
}

impl<N> Tree<N> {
    fn new(name: N, known: Option<u64>, line: String, mut children: Vec<Self>) -> Self {
        children.sort_by(|one, other| one.text.cmp(&other.text));
        let inner = children.iter().flat_map(|child| child.text.lines());
        let text = std::iter::once(line).chain(inner.map(|line| format!("  {line}")));
        let text = text.collect::<Vec<_>>().join("\n");
        Self { name, known, text, children }
    }
}

/// Finds what each node of the model is in the engine.
///
/// # Errors
/// Both sides, when they differ.
pub(crate) fn pair(model: &mut Model, sight: &Sight) -> Result<(), String> {
    let expected = all_of_model(model);
    let all = |around| sight.nodes.iter().filter(move |(_, node)| node.around == around).map(|(key, _)| *key);
    let starts: Vec<&String> = sight.starts.values().collect();
    let found = Tree::new(0, None, line(starts), all(None).map(|key| of_engine(sight, key)).collect());
    let mut pairs = Vec::new();
    if !pair_trees(&expected, &found, &mut pairs) {
        return Err(format!("expected:\n{}\nfound:\n{}", expected.text, found.text));
    }
    for (id, key) in pairs {
        if let Some(node) = model.nodes.get_mut(&id) {
            node.key = Some(key);
        }
    }
    Ok(())
}

fn pair_trees(model: &Tree<Id>, engine: &Tree<u64>, pairs: &mut Vec<(Id, u64)>) -> bool {
    if model.text != engine.text {
        return false;
    }
    pairs.push((model.name, engine.name));
    let mut new: Vec<&Tree<u64>> = engine.children.iter().collect();
    for child in &model.children {
        let Some(key) = child.known else { continue };
        let Some(index) = new.iter().position(|other| other.name == key) else { return false };
        if !pair_trees(child, new.remove(index), pairs) {
            return false;
        }
    }
    let unknown = model.children.iter().filter(|child| child.known.is_none());
    unknown.zip(new).all(|(child, other)| pair_trees(child, other, pairs))
}

/// All that runs by the model, as lines.
pub(crate) fn text(model: &Model) -> String {
    all_of_model(model).text
}

fn all_of_model(model: &Model) -> Tree<Id> {
    let roots = model.roots().into_iter().map(|id| of_model(model, id)).collect();
    Tree::new(0, None, starts_of_model(model), roots)
}

fn of_model(model: &Model, id: Id) -> Tree<Id> {
    let node = &model.nodes[&id];
    let children = model.children(id).into_iter().map(|child| of_model(model, child)).collect();
    Tree::new(id, node.key, line_of_model(model, node), children)
}

fn line_of_model(model: &Model, node: &Node) -> String {
    let mut words = vec![model.element_of(node).id.clone()];
    match (node.state, node.job) {
        (State::Active, None) => (),
        (State::Active, Some(Job::Ready)) => words.push("job".to_owned()),
        (State::Active, Some(Job::Held | Job::Spent)) => words.push("job incident".to_owned()),
        (State::Stuck, _) => words.push("stuck incident".to_owned()),
        (State::New, _) => words.push("new".to_owned()),
        (State::Ending, _) => words.push("ending".to_owned()),
    }
    let variables = node.variables.iter().map(|(name, value)| format!("{name}={value}"));
    words.extend(variables);
    let elements = &model.processes[node.process].elements;
    let waits = node.waits.iter().map(|wait| wait_of_model(&elements[wait.at].id, &wait.on));
    words.extend(sorted(waits.collect()));
    words.join(" ")
}

fn wait_of_model(id: &str, on: &On) -> String {
    match on {
        On::Timer { due, left } => format!("<{id} at {due} left {left}>"),
        On::Message { name, key } => format!("<{id} message {name} {key}>"),
        On::Signal(name) => format!("<{id} signal {name}>"),
    }
}

fn starts_of_model(model: &Model) -> String {
    let elements = &model.processes[0].elements;
    let timers = model.starts().iter().filter(|wait| matches!(wait.on, On::Timer { .. }));
    let timers: Vec<String> = timers.map(|wait| wait_of_model(&elements[wait.at].id, &wait.on)).collect();
    timers.join(" ")
}

fn line(waits: Vec<&String>) -> String {
    sorted(waits.into_iter().map(|wait| format!("<{wait}>")).collect()).join(" ")
}

fn of_engine(sight: &Sight, key: u64) -> Tree<u64> {
    let children = sight.nodes.iter().filter(|(_, node)| node.around == Some(key));
    let children = children.map(|(key, _)| of_engine(sight, *key)).collect();
    Tree::new(key, None, line_of_engine(&sight.nodes[&key]), children)
}

fn line_of_engine(node: &Seen) -> String {
    let mut words = vec![node.id.clone()];
    match node.state {
        Lifecycle::Activating => words.push("stuck".to_owned()),
        Lifecycle::Activated => (),
        other => words.push(format!("{other:?}")),
    }
    if node.job.is_some() {
        words.push("job".to_owned());
    }
    if node.incident.is_some() {
        words.push("incident".to_owned());
    }
    words.extend(node.variables.iter().map(|(name, value)| format!("{name}={value}")));
    if !node.waits.is_empty() {
        words.push(line(node.waits.values().collect()));
    }
    words.join(" ")
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words
}
