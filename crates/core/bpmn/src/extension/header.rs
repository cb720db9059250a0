//! `zeebe:taskHeaders`: fixed keys and values for the worker.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::single;
use coreto_xml::NodeId;

use crate::diagnostic::{Code, Report};
use crate::json;
use crate::tree::Tree;

/// Keys that begin so belong to the engine.
const RESERVED: &str = "io.camunda.zeebe:";

/// Reads the headers of `node`.
pub(crate) fn task_headers(
    tree: &Tree<'_>,
    node: NodeId,
    report: &mut Report,
) -> Box<[(Arc<str>, Arc<str>)]> {
    let Some(all) = single(tree, node, "taskHeaders", report) else {
        return Box::default();
    };
    let mut keys = BTreeSet::new();
    let mut headers = Vec::new();
    for header in tree.zeebe_children(all).filter(|child| tree.local(*child) == "header") {
        let place = tree.place(header);
        let text = |name| tree.attribute(header, name).filter(|value| !value.is_empty());
        let (Some(key), Some(value)) = (text("key"), text("value")) else {
            let shown = text("key").unwrap_or_default();
            report.rule(
                Code::EmptyHeader,
                place,
                format!("header `{shown}` lacks a key or a value; it is dropped"),
            );
            continue;
        };
        if key.starts_with(RESERVED) {
            report
                .rule(Code::ReservedHeader, place, format!("header key `{key}` is reserved"))
                .help(format!("keys that begin with `{RESERVED}` are set by the engine"));
        }
        if !keys.insert(key) {
            report.rule(Code::DuplicateHeader, place, format!("header key `{key}` is given twice"));
        }
        headers.push((key.into(), value.into()));
    }
    headers.into()
}

/// The headers as one JSON object without blanks.
pub(crate) fn headers_json(headers: &[(Arc<str>, Arc<str>)]) -> Arc<str> {
    let mut text = String::from("{");
    for (key, value) in headers {
        if text.len() > 1 {
            text.push(',');
        }
        json::write_string(key, &mut text);
        text.push(':');
        json::write_string(value, &mut text);
    }
    text.push('}');
    text.into()
}
