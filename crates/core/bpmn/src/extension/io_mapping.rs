//! `zeebe:ioMapping`: variables made when an element is entered and left.

use super::{single, wrong_expression};
use coreto_xml::NodeId;

use crate::compile::Draft;
use crate::diagnostic::{Code, Report};
use crate::mapping::{Entry, Mapping, Source, is_target};
use crate::text::expression_of;
use crate::tree::Tree;

/// The mappings of one element.
#[derive(Default)]
pub(crate) struct IoMapping {
    pub(crate) inputs: Option<Mapping>,
    pub(crate) outputs: Option<Mapping>,
}

impl IoMapping {
    /// Leaves out input mappings that the element does not run, and says so.
    pub(crate) fn drop_inputs(&mut self, tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) {
        if self.inputs.take().is_some() {
            let message = format!("input mappings have no effect on {}", draft.tag.a_noun());
            report.rule(Code::NoEffect, tree.place(draft.node), message);
        }
    }

    /// Leaves out output mappings that the element does not run, and says so.
    pub(crate) fn drop_outputs(&mut self, tree: &Tree<'_>, draft: &Draft<'_>, report: &mut Report) {
        if self.outputs.take().is_some() {
            let message = format!("output mappings have no effect on {}", draft.tag.a_noun());
            report.rule(Code::NoEffect, tree.place(draft.node), message);
        }
    }
}

/// Reads and compiles the mappings of `node`.
pub(crate) fn io_mapping(tree: &Tree<'_>, node: NodeId, report: &mut Report) -> IoMapping {
    let Some(all) = single(tree, node, "ioMapping", report) else {
        return IoMapping::default();
    };
    let length = |mapping, name| tree.attribute(mapping, name).map_or(0, str::len);
    let bytes =
        tree.zeebe_children(all).map(|mapping| length(mapping, "source") + length(mapping, "target")).sum();
    if report.is_too_long(tree.place(all), "mappings", bytes) {
        return IoMapping::default();
    }
    let inputs = entries(tree, all, "input", report);
    let outputs = entries(tree, all, "output", report);
    let mut compiled = |compiled: Result<Option<Mapping>, coreto_feel::ParseError>| {
        // Every source was parsed on its own; together they fail only by nesting too deep.
        compiled.unwrap_or_else(|error| {
            report.error(
                Code::Expression,
                tree.place(all),
                format!("the mappings cannot be joined: {error}"),
            );
            None
        })
    };
    IoMapping { inputs: compiled(Mapping::inputs(&inputs)), outputs: compiled(Mapping::outputs(&outputs)) }
}

fn entries<'t>(tree: &'t Tree<'_>, all: NodeId, name: &str, report: &mut Report) -> Vec<Entry<'t>> {
    let mut entries = Vec::new();
    for mapping in tree.zeebe_children(all).filter(|child| tree.local(*child) == name) {
        let source = source(tree, mapping, name, report);
        let target = target(tree, mapping, name, report);
        if let (Some(source), Some(target)) = (source, target) {
            entries.push(Entry { source, target });
        }
    }
    entries
}

fn source<'t>(tree: &'t Tree<'_>, mapping: NodeId, name: &str, report: &mut Report) -> Option<Source<'t>> {
    let value = tree.attribute(mapping, "source").unwrap_or_default();
    if let Some(expression) = expression_of(value) {
        return match coreto_feel::Expression::parse(expression) {
            Ok(parsed) => Some(Source::Expression(parsed)),
            Err(error) => {
                wrong_expression(tree, mapping, value, &error, report);
                None
            }
        };
    }
    if name == "output" {
        report
            .error(
                Code::ExpressionRequired,
                tree.place(mapping),
                format!("the source `{value}` of an output mapping is not an expression"),
            )
            .help("begin it with `=`");
        return None;
    }
    Some(if value.is_empty() { Source::Null } else { Source::Static(value) })
}

fn target<'t>(tree: &'t Tree<'_>, mapping: NodeId, name: &str, report: &mut Report) -> Option<&'t str> {
    let target = tree.attribute(mapping, "target").unwrap_or_default();
    if is_target(target) {
        report.check_name(tree.place(mapping), "a target", target);
        return Some(target);
    }
    report
        .error(
            Code::MappingTarget,
            tree.place(mapping),
            format!("the target `{target}` of an {name} mapping is no variable"),
        )
        .help("write a name of letters, digits and `_`, or a path of such names with dots; no word of FEEL");
    None
}
