//! Models that this one imports.

use super::{Compiler, one_blank};
use crate::diagnostic::Code;
use crate::graph::Import;
use crate::tree::{Tree, is_dmn};

impl Compiler<'_, '_> {
    pub(super) fn imports(&mut self) {
        let tree = self.tree;
        for node in tree.all(Tree::ROOT, "import") {
            let most = self.options.limits.imports_max;
            if self.imports.len() >= most {
                let message = format!("there are more imports than the {most} that are possible");
                self.report.error(Code::LimitExceeded, tree.place(node), message);
                return;
            }
            let kind = tree.filled(node, "importType").unwrap_or_default();
            if !is_dmn(kind) {
                let message = format!("not implemented: an import of type `{kind}`");
                self.report.error(Code::NotImplemented, tree.place(node), message);
                continue;
            }
            let namespace = tree.filled(node, "namespace").unwrap_or_default();
            let graph = match (self.find)(namespace) {
                Ok(graph) => graph,
                Err(missing) => {
                    let message = missing.message(namespace);
                    let report = self.report.error(Code::UnknownImport, tree.place(node), message);
                    if let Some(help) = missing.help() {
                        report.help(help);
                    }
                    self.missing.insert(namespace);
                    continue;
                }
            };
            let (deep, most) = (graph.import_depth + 1, self.options.limits.import_depth_max);
            if deep > most {
                let message = format!("imports are {deep} models deep, at most {most} are possible");
                self.report.error(Code::LimitExceeded, tree.place(node), message);
                self.missing.insert(namespace);
                continue;
            }
            let name = one_blank(tree.filled(node, "name").unwrap_or_default());
            self.names.add_for_all(&name);
            for known in graph.names() {
                self.names.add_for_all(known);
            }
            self.imports.push(Import { name, graph });
        }
    }
}
