//! Undefined and manual tasks, which are passed through.

use super::{Body, activity, mapping_only};
use crate::compile::Draft;
use crate::diagnostic::Report;
use crate::model::Kind;
use crate::tree::Tree;

pub(super) fn compile(tree: &Tree<'_>, draft: &Draft<'_>, kind: Kind, report: &mut Report) -> Body {
    let mut mapping = mapping_only(tree, draft, report);
    // Nothing is evaluated on the way through.
    mapping.drop_inputs(tree, draft, report);
    mapping.drop_outputs(tree, draft, report);
    activity::check(tree, draft, report);
    Body { kind, mapping }
}
