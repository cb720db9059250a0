//! Models that import each other.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::compile;
use crate::diagnostic::{Diagnostic, Report};
use crate::graph::Graph;
use crate::model::{Model, Options, decode};
use crate::tree::{Tree, is_dmn};

/// Reads models that may import each other, in whatever order they are given. Each result stands at the place of its
/// resource; one whose imports are missing, are refused or go round in circles says which.
pub fn read_all(resources: &[&[u8]], options: &Options<'_>) -> Vec<(Option<Model>, Vec<Diagnostic>)> {
    let texts: Vec<_> = resources.iter().map(|resource| decode(resource, options)).collect();
    let trees: Vec<_> = texts.iter().map(|text| tree(text, options)).collect();
    let mut library = Library::new(options.imports, &trees);
    let mut results: Vec<_> =
        trees.iter().map(|tree| (None, tree.as_ref().err().cloned().unwrap_or_default())).collect();
    for at in library.order(&trees) {
        if let (Ok(text), Ok(tree)) = (&texts[at], &trees[at]) {
            let mut report = Report::new();
            let find = |namespace: &str| library.find(namespace, Some(at));
            let model = compile::graph(tree, options, &find, &mut report).map(Model::new);
            library.members[at] = model.clone().map_or(Member::Refused, Member::Read);
            results[at] = (model, report.finish(text));
        }
    }
    results
}

fn tree<'t>(
    text: &'t Result<Cow<'_, str>, Vec<Diagnostic>>,
    options: &Options<'_>,
) -> Result<Tree<'t>, Vec<Diagnostic>> {
    let text = text.as_ref().map_err(Clone::clone)?;
    let mut report = Report::new();
    Tree::read(text, &options.limits, &mut report).ok_or_else(|| report.finish(text))
}

/// Why an import has no model.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Missing {
    /// Nobody gave it.
    Unknown,
    /// There are several of its namespace.
    Ambiguous,
    /// It has errors.
    Refused,
    /// It waits for the one that imports it.
    Circle,
}

impl Missing {
    pub(crate) fn message(self, namespace: &str) -> String {
        match self {
            Self::Unknown => format!("no model with namespace `{namespace}` was given for this import"),
            Self::Ambiguous => format!("several models have the namespace `{namespace}` of this import"),
            Self::Refused => format!("the imported model with namespace `{namespace}` has errors"),
            Self::Circle => format!("the import of namespace `{namespace}` goes round in a circle"),
        }
    }

    pub(crate) const fn help(self) -> Option<&'static str> {
        match self {
            Self::Unknown => Some("give the imported model together with this one"),
            Self::Ambiguous => Some("give each model a namespace of its own"),
            Self::Refused | Self::Circle => None,
        }
    }
}

/// A resource that others may import.
#[derive(Clone, Debug)]
enum Member {
    Waiting,
    Refused,
    Read(Model),
}

/// What can be imported.
pub(crate) struct Library<'l> {
    given: &'l [Model],
    /// Resources by their namespaces.
    namespaces: BTreeMap<&'l str, Vec<usize>>,
    members: Vec<Member>,
}

impl<'l> Library<'l> {
    /// Models that were read before.
    pub(crate) const fn of(given: &'l [Model]) -> Self {
        Self { given, namespaces: BTreeMap::new(), members: Vec::new() }
    }

    fn new(given: &'l [Model], trees: &'l [Result<Tree<'_>, Vec<Diagnostic>>]) -> Self {
        let mut library = Self::of(given);
        for (at, tree) in trees.iter().enumerate() {
            if let Ok(tree) = tree {
                let namespace = tree.filled(Tree::ROOT, "namespace").unwrap_or_default();
                library.namespaces.entry(namespace).or_default().push(at);
            }
            library.members.push(Member::Waiting);
        }
        library
    }

    /// The model that a resource imports by a namespace.
    pub(crate) fn find(&self, namespace: &str, reader: Option<usize>) -> Result<Arc<Graph>, Missing> {
        let mut given = self.given.iter().filter(|model| model.namespace() == namespace);
        let others = self.namespaces.get(namespace).into_iter().flatten();
        let mut others = others.filter(|at| Some(**at) != reader).map(|at| &self.members[*at]);
        match (given.next(), others.next()) {
            (None, None) => Err(Missing::Unknown),
            (Some(_), Some(_)) => Err(Missing::Ambiguous),
            _ if given.next().is_some() || others.next().is_some() => Err(Missing::Ambiguous),
            (Some(model), None) | (None, Some(Member::Read(model))) => Ok(Arc::clone(model.graph())),
            (None, Some(Member::Refused)) => Err(Missing::Refused),
            (None, Some(Member::Waiting)) => Err(Missing::Circle),
        }
    }

    /// All resources, those that are imported before those that import them; last those whose imports go round in
    /// circles.
    fn order(&self, trees: &[Result<Tree<'_>, Vec<Diagnostic>>]) -> Vec<usize> {
        let mut waits_for = vec![0_usize; trees.len()];
        let mut importers = vec![Vec::new(); trees.len()];
        for (at, tree) in trees.iter().enumerate() {
            for namespace in tree.iter().flat_map(imported) {
                // More than one resource of a namespace is refused, and so is none.
                if let Some([only]) = self.namespaces.get(namespace).map(Vec::as_slice)
                    && *only != at
                {
                    importers[*only].push(at);
                    waits_for[at] += 1;
                }
            }
        }
        let mut ready: VecDeque<usize> = (0..trees.len()).filter(|at| waits_for[*at] == 0).collect();
        let mut order = Vec::with_capacity(trees.len());
        while let Some(at) = ready.pop_front() {
            order.push(at);
            for importer in &importers[at] {
                waits_for[*importer] -= 1;
                if waits_for[*importer] == 0 {
                    ready.push_back(*importer);
                }
            }
        }
        order.extend((0..trees.len()).filter(|at| waits_for[*at] > 0));
        order
    }
}

/// Namespaces of the models that a model imports.
fn imported<'t>(tree: &'t Tree<'_>) -> impl Iterator<Item = &'t str> {
    let imports = tree.all(Tree::ROOT, "import");
    let imports = imports.filter(|node| tree.filled(*node, "importType").is_some_and(is_dmn));
    imports.map(|node| tree.filled(node, "namespace").unwrap_or_default())
}
