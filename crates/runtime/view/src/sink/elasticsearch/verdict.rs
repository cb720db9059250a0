//! What the answer to a `_bulk` request says about each document.

use serde_json::Value;

/// What became of the documents of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All have arrived.
    Taken,
    /// Some were not taken: at least one, in the order of the request, and why the first was not.
    Failed { documents: Vec<Failed>, reason: String },
    /// The answer does not tell.
    Unclear(&'static str),
}

/// A document that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    /// Its place in the request.
    pub(super) at: usize,
    /// The server finds fault with the document itself.
    pub(super) refused: bool,
}

/// Reads the answer to a request with `count` documents.
pub(super) fn judge(body: &[u8], count: usize) -> Verdict {
    if says_no_errors(body) {
        return Verdict::Taken;
    }
    let Ok(answer) = serde_json::from_slice::<Value>(body) else {
        return Verdict::Unclear("an answer that is no JSON");
    };
    if answer["errors"] == false {
        return Verdict::Taken;
    }
    let Some(items) = answer["items"].as_array() else {
        return Verdict::Unclear("an answer without items");
    };
    if items.len() != count {
        return Verdict::Unclear("an answer about another number of documents");
    }
    let mut documents = Vec::new();
    let mut reason = String::new();
    for (at, item) in items.iter().enumerate() {
        if is_failed(&item["index"]) {
            if documents.is_empty() {
                reason = reason_of(&item["index"]);
            }
            documents.push(Failed { at, refused: is_refused(&item["index"]) });
        }
    }
    if documents.is_empty() { Verdict::Taken } else { Verdict::Failed { documents, reason } }
}

/// Most answers say at their beginning that nothing failed; the rest, a line per document, need not be read then.
fn says_no_errors(body: &[u8]) -> bool {
    let beginning = &body[..body.len().min(64)];
    let beginning = beginning.split(|&byte| byte == b'[').next().unwrap_or_default();
    beginning.starts_with(b"{")
        && body.trim_ascii_end().ends_with(b"}")
        && beginning.windows(14).any(|window| window == b"\"errors\":false")
}

/// Whether a document must be sent again; one that is there already need not.
fn is_failed(item: &Value) -> bool {
    match item["status"].as_u64() {
        Some(status) => status >= 300 && status != 409,
        None => true,
    }
}

/// Whether the document is what is wrong: it does not fit its index's mapping, or is too large. Anything else, such
/// as missing rights, a full disk or a cluster that takes no further index, may pass.
fn is_refused(item: &Value) -> bool {
    matches!(item["status"].as_u64(), Some(400 | 413)) && item["error"]["type"] != "validation_exception"
}

fn reason_of(item: &Value) -> String {
    const REASON_MAX: usize = 500;
    let mut reason = format!("{} {}", item["status"], item["error"]);
    if let Some((end, _)) = reason.char_indices().nth(REASON_MAX) {
        reason.truncate(end);
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_has_arrived() {
        for body in [
            r#"{"took":1,"errors":false,"items":[{"index":{"status":201}}]}"#,
            r#"{ "items": [], "errors" : false }"#,
            r#"{"errors":true,"items":[{"index":{"status":201}},{"index":{"status":409,"error":{}}}]}"#,
        ] {
            assert_eq!(judge(body.as_bytes(), 2), Verdict::Taken, "{body}");
        }
        let body = r#"{"took":1,"errors":true,"items":[{"index":{"status":200}},{"index":{"status":429,"error":{"type":"busy"}}},{"index":{"status":400}}]}"#;
        let reason = r#"429 {"type":"busy"}"#.to_owned();
        let documents = vec![Failed { at: 1, refused: false }, Failed { at: 2, refused: true }];
        assert_eq!(judge(body.as_bytes(), 3), Verdict::Failed { documents, reason });
    }

    #[test]
    fn tells_what_is_the_documents_fault() {
        for (item, expected) in [
            (r#"{"status":400,"error":{"type":"document_parsing_exception"}}"#, true),
            (r#"{"status":413}"#, true),
            (r#"{"status":400,"error":{"type":"validation_exception"}}"#, false),
            (r#"{"status":403}"#, false),
            (r#"{"status":404}"#, false),
            (r#"{"status":429}"#, false),
            (r#"{"status":500}"#, false),
            ("{}", false),
        ] {
            let body = format!(r#"{{"errors":true,"items":[{{"index":{item}}}]}}"#);
            let Verdict::Failed { documents, .. } = judge(body.as_bytes(), 1) else { panic!("{item}") };
            assert_eq!(documents, [Failed { at: 0, refused: expected }], "{item}");
        }
    }

    #[test]
    fn does_not_believe_other_answers() {
        for body in [
            "",
            "{}",
            "[]",
            "null",
            "<html>",
            r#"{"errors":true}"#,
            r#"{"errors":true,"items":[]}"#,
            r#"{"errors":false"#,
            r#"{"items":["\"errors\":false"]}"#,
            r#"{"errors":true,"items":[{"index":{"status":200}}]}"#,
        ] {
            assert!(matches!(judge(body.as_bytes(), 2), Verdict::Unclear(_)), "{body}");
        }
        let odd = r#"{"errors":true,"items":[{"create":{"status":200}},{"index":{}}]}"#;
        assert!(matches!(judge(odd.as_bytes(), 2), Verdict::Failed { .. }));
    }
}
