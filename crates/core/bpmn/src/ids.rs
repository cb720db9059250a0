//! Identifiers of a document, which are unique in it.

use coreto_xml::{NodeId, is_ncname};

use crate::diagnostic::{Code, Report};
use crate::tree::Tree;

/// Nodes by identifier.
pub(crate) struct Ids<'t> {
    sorted: Vec<(&'t str, NodeId)>,
}

impl<'t> Ids<'t> {
    /// Indexes all identifiers of BPMN elements; what is wrong with them is reported.
    pub(crate) fn of(tree: &'t Tree<'_>, report: &mut Report) -> Self {
        let mut sorted = Vec::new();
        for node in tree.nodes().filter(|node| tree.is_bpmn(*node)) {
            let Some(id) = tree.attribute(node, "id").filter(|id| !id.is_empty()) else {
                continue;
            };
            if report.checks_rules() && !is_ncname(id) {
                report
                    .rule(Code::InvalidId, tree.place(node), format!("`{id}` cannot be an `id`"))
                    .help("begin it with a letter or `_`, go on with letters, digits, `_`, `-` and `.`");
            }
            sorted.push((id, node));
        }
        sorted.sort_unstable();
        for pair in sorted.windows(2) {
            let [(first, _), (second, node)] = pair else {
                continue;
            };
            if first == second {
                let message = format!("`{second}` is the `id` of an earlier element too");
                report.rule(Code::DuplicateId, tree.place(*node), message);
            }
        }
        Self { sorted }
    }

    /// The node that a reference means. It is a qualified name, whose prefix says nothing inside one file.
    pub(crate) fn referenced(&self, name: &str) -> Option<NodeId> {
        self.get(name.trim().rsplit(':').next()?)
    }

    /// The first node with this identifier.
    pub(crate) fn get(&self, id: &str) -> Option<NodeId> {
        let at = self.sorted.partition_point(|(other, _)| *other < id);
        self.sorted.get(at).filter(|(other, _)| *other == id).map(|(_, node)| *node)
    }
}
