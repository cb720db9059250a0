//! How a server shall index records: numbers, names and times are found by what they are, documents only kept.

use coreto_record::protocol::ValueType;
use serde_json::{Value, json};

use super::bulk::in_names;
use crate::render::BROKER_VERSION;

/// Paths and bodies of what is put at the start: what all records have in common, then a template per value type with
/// its alias.
pub(super) fn all(prefix: &str) -> Vec<(String, String)> {
    let common = (format!("/_component_template/{prefix}"), common().to_string());
    let of_type = |&value_type: &ValueType| {
        let name = in_names(value_type);
        let template = json!({
            "index_patterns": [format!("{prefix}_{name}_{BROKER_VERSION}_*")],
            "composed_of": [prefix],
            "priority": 20,
            "template": { "aliases": { format!("{prefix}-{name}"): {} } }
        });
        (format!("/_index_template/{prefix}_{name}_{BROKER_VERSION}"), template.to_string())
    };
    std::iter::once(common).chain(ValueType::ALL.iter().map(of_type)).collect()
}

fn common() -> Value {
    // Members of documents are the users' own, without end: none becomes a field of the index.
    let document = json!({ "type": "object", "enabled": false });
    let binary = json!({ "type": "binary" });
    json!({
        "template": {
            "settings": { "number_of_shards": 1, "number_of_replicas": 0 },
            "mappings": {
                "dynamic_templates": [{
                    "names": { "match_mapping_type": "string", "mapping": { "type": "keyword", "ignore_above": 8191 } }
                }],
                "properties": {
                    "timestamp": { "type": "date" },
                    "authorizations": document,
                    "rejectionReason": { "type": "text" },
                    "value": { "properties": {
                        "variables": document,
                        "customHeaders": document,
                        "resource": binary,
                        "checksum": binary,
                        "errorMessage": { "type": "text" },
                        "resources": { "properties": { "resource": binary } },
                        "processesMetadata": { "properties": { "checksum": binary } },
                        "jobs": { "properties": {
                            "variables": document,
                            "customHeaders": document,
                            "errorMessage": { "type": "text" }
                        } }
                    } }
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_patterns_and_aliases_by_the_contract() {
        let all = all("zeebe-record");
        assert_eq!(all[0].0, "/_component_template/zeebe-record");
        let (_, body) = all
            .iter()
            .find(|(path, _)| path == "/_index_template/zeebe-record_process-instance_8.8.0")
            .unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["index_patterns"][0], "zeebe-record_process-instance_8.8.0_*");
        assert!(body["template"]["aliases"]["zeebe-record-process-instance"].is_object());
        assert_eq!(all.len(), ValueType::ALL.len() + 1);
    }
}
